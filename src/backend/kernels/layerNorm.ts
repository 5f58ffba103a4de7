import { kernel, type Numbers, optional, read, write } from "../kernel.js";

const numbers = { rows: "int", columns: "int", rowsPerGroup: "int", offset: "float", eps: "float" } as const;
type Args = Pick<Numbers<typeof numbers>, "rows" | "columns" | "rowsPerGroup">;

export const wholeRows = ({ rows, columns }: Args): number => rows * columns;
/** Elements of what groups of rows share. */
export const perGroup = ({ rows, columns, rowsPerGroup }: Args): number => Math.ceil(rows / rowsPerGroup) * columns;

/** Of numbers that are all alike it is exactly them. */
export function meanOf(numbers: Float64Array): number {
  const [first] = numbers;
  return first + numbers.reduce((sum, value) => sum + (value - first), 0) / numbers.length;
}

/** y = x̂·(offset + scale[g]) + shift[g], x̂ = (x - mean)·rstd per row, rstd = 1/√(var + eps); g = row div rowsPerGroup;
 *  scale, shift [groups, columns] or null (null scale: factor 1). mean, rstd [rows] are kept for the gradient. A constant row has
 *  exactly itself as its mean. With a null mean it is the RMS norm: 0 stands for the mean, and var is mean(x²). */
export const layerNorm = kernel(numbers)({
  buffers: {
    y: write("f32", wholeRows),
    mean: optional(write("f32", (a) => a.rows)),
    rstd: write("f32", (a) => a.rows),
    x: read("f32", wholeRows),
    scale: optional(read("f32", perGroup)),
    shift: optional(read("f32", perGroup)),
  },
  work: (a) => ({ elementOps: a.rows * a.columns }),
  reference: ({ y, mean, rstd, x, scale, shift, rows, columns, rowsPerGroup, offset, eps }) => {
    for (let row = 0; row < rows; row++) {
      const at = row * columns;
      const own = x.subarray(at, at + columns);
      const average = mean ? meanOf(own) : 0;
      const variance = own.reduce((sum, value) => sum + (value - average) ** 2, 0) / columns;
      const inverse = 1 / Math.sqrt(variance + eps);
      if (mean) mean[row] = average;
      rstd[row] = inverse;
      const group = Math.floor(row / rowsPerGroup) * columns;
      for (let j = 0; j < columns; j++) {
        const factor = scale ? offset + scale[group + j] : 1;
        y[at + j] = (own[j] - average) * inverse * factor + (shift ? shift[group + j] : 0);
      }
    }
  },
});
