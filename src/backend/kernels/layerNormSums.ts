import { kernel, optional, read, write } from "../kernel.js";
import { perGroup, wholeRows } from "./layerNorm.js";

/** Gradients of the scale and the shift of `layerNorm`, summed over the rows of each group: dScale = Σ dy·x̂, dShift = Σ dy;
 *  dy·x̂ is 0 where dy is. dShift may be null, and so may mean, as for the RMS norm. */
export const layerNormSums = kernel({ rows: "int", columns: "int", rowsPerGroup: "int" })({
  buffers: {
    dScale: write("f32", perGroup),
    dShift: optional(write("f32", perGroup)),
    dy: read("f32", wholeRows),
    x: read("f32", wholeRows),
    mean: optional(read("f32", (a) => a.rows)),
    rstd: read("f32", (a) => a.rows),
  },
  work: (a) => ({ elementOps: 4 * a.rows * a.columns }),
  reference: ({ dScale, dShift, dy, x, mean, rstd, rows, columns, rowsPerGroup }) => {
    dScale.fill(0, 0, perGroup({ rows, columns, rowsPerGroup }));
    dShift?.fill(0, 0, perGroup({ rows, columns, rowsPerGroup }));
    for (let row = 0; row < rows; row++) {
      const group = Math.floor(row / rowsPerGroup) * columns;
      for (let j = 0; j < columns; j++) {
        const slope = dy[row * columns + j];
        const normal = (x[row * columns + j] - (mean ? mean[row] : 0)) * rstd[row];
        dScale[group + j] += slope === 0 ? 0 : slope * normal;
        if (dShift) dShift[group + j] += slope;
      }
    }
  },
});
