import { kernel, read, write } from "../kernel.js";

/** dx = y (dy - Σ dy·y) per row. */
export const softmaxGrad = kernel({ rows: "int", columns: "int" })({
  buffers: {
    dx: write("f32", (a) => a.rows * a.columns),
    y: read("f32", (a) => a.rows * a.columns),
    dy: read("f32", (a) => a.rows * a.columns),
  },
  work: (a) => ({ elementOps: a.rows * a.columns }),
  reference: ({ dx, y, dy, rows, columns }) => {
    for (let row = 0; row < rows; row++) {
      const at = row * columns;
      let dot = 0;
      for (let j = 0; j < columns; j++) dot += y[at + j] * dy[at + j];
      for (let j = 0; j < columns; j++) dx[at + j] = y[at + j] * (dy[at + j] - dot);
    }
  },
});
