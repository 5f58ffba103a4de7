import { kernel, optional, read, write } from "../kernel.js";

/** y = x·rstd·scale, rstd = 1/√(mean(x²) + eps) per row; scale [columns] or null (1). rstd [rows] is kept for the gradient. */
export const rmsNorm = kernel({ rows: "int", columns: "int", eps: "float" })({
  buffers: {
    y: write("f32", (n) => n.rows * n.columns),
    rstd: write("f32", (n) => n.rows),
    x: read("f32", (n) => n.rows * n.columns),
    scale: optional(read("f32", (n) => n.columns)),
  },
  work: (n) => ({ elementOps: n.rows * n.columns }),
  reference: ({ y, rstd, x, scale, rows, columns, eps }) => {
    for (let row = 0; row < rows; row++) {
      const at = row * columns;
      let squares = 0;
      for (let j = 0; j < columns; j++) squares += x[at + j] ** 2;
      rstd[row] = 1 / Math.sqrt(squares / columns + eps);
      for (let j = 0; j < columns; j++) y[at + j] = x[at + j] * rstd[row] * (scale ? scale[j] : 1);
    }
  },
});
