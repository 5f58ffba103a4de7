import { kernel, type Numbers, read, write } from "../kernel.js";

/** Numbers of `gatherRows` and `scatterAddRows`. */
export const rowNumbers = {
  batches: "int",
  outRows: "int",
  inRows: "int",
  columns: "int",
  indexBatches: "int",
} as const;
type Args = Numbers<typeof rowNumbers>;

export const rowsOut = ({ batches, outRows, columns }: Args): number => batches * outRows * columns;
export const rowsIn = ({ batches, inRows, columns }: Args): number => batches * inRows * columns;

/** y[b, i, :] = x[b, index[b mod indexBatches, i], :]; y [batches, outRows, columns], x [batches, inRows, columns], index
 *  [indexBatches, outRows] int32; an index outside 0..inRows-1 gives a row of zeros. */
export const gatherRows = kernel(rowNumbers)({
  buffers: {
    y: write("f32", rowsOut),
    x: read("f32", rowsIn, rowsOut),
    index: read("i32", (a) => a.indexBatches * a.outRows),
  },
  reference: ({ y, x, index, batches, outRows, inRows, columns, indexBatches }) => {
    for (let batch = 0; batch < batches; batch++) {
      for (let i = 0; i < outRows; i++) {
        const row = index[(batch % indexBatches) * outRows + i];
        const to = (batch * outRows + i) * columns;
        if (row < 0 || row >= inRows) y.fill(0, to, to + columns);
        else y.set(x.subarray((batch * inRows + row) * columns, (batch * inRows + row + 1) * columns), to);
      }
    }
  },
});
