import { kernel, read, write } from "../kernel.js";

/** Whether a row of a gradient is 0 all along: then nothing before it has one, whatever its values are. */
export const isZeroRow = (dy: Float64Array, at: number, columns: number): boolean =>
  dy.subarray(at, at + columns).every((value) => value === 0);

/** dx = y (dy - Σ dy·y) per row; 0 in a row whose dy is 0, whatever y is. */
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
      const still = isZeroRow(dy, at, columns);
      for (let j = 0; j < columns; j++) dx[at + j] = still ? 0 : y[at + j] * (dy[at + j] - dot);
    }
  },
});
