import { kernel, read, write } from "../kernel.js";
import { rowNumbers, rowsIn, rowsOut } from "./gatherRows.js";

/** Adjoint of gatherRows: y = 0, then y[b, index[b mod indexBatches, i], :] += x[b, i, :] in the order of i; y [batches, outRows,
 *  columns], x [batches, inRows, columns], index [indexBatches, inRows] int32; indices outside are dropped. */
export const scatterAddRows = kernel(rowNumbers)({
  buffers: {
    y: write("f32", rowsOut),
    x: read("f32", rowsIn),
    index: read("i32", (a) => a.indexBatches * a.inRows),
  },
  reference: ({ y, x, index, batches, outRows, inRows, columns, indexBatches }) => {
    y.fill(0, 0, batches * outRows * columns);
    for (let batch = 0; batch < batches; batch++) {
      for (let i = 0; i < inRows; i++) {
        const row = index[(batch % indexBatches) * inRows + i];
        if (row < 0 || row >= outRows) continue;
        const [to, from] = [(batch * outRows + row) * columns, (batch * inRows + i) * columns];
        for (let j = 0; j < columns; j++) y[to + j] += x[from + j];
      }
    }
  },
});
