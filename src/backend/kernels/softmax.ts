import { kernel, read, write } from "../kernel.js";

/** Row softmax: y[r, :] = exp(x - max) / Σ. */
export const softmax = kernel({ rows: "int", columns: "int" })({
  buffers: {
    y: write("f32", (a) => a.rows * a.columns),
    x: read("f32", (a) => a.rows * a.columns),
  },
  work: (a) => ({ elementOps: a.rows * a.columns }),
  reference: ({ y, x, rows, columns }) => {
    for (let row = 0; row < rows; row++) {
      const own = x.subarray(row * columns, (row + 1) * columns);
      const largest = own.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      const exps = own.map((value) => Math.exp(value - largest));
      const total = exps.reduce((a, b) => a + b, 0);
      y.set(
        exps.map((value) => value / total),
        row * columns,
      );
    }
  },
});
