import { kernel, read, write } from "../kernel.js";
import { perGroup, wholeRows } from "./layerNorm.js";

/** Gradients of the scale and the shift of `layerNorm`, summed over the rows of each group: dScale = Σ dy·x̂, dShift = Σ dy;
 *  dy·x̂ is 0 where dy is. */
export const layerNormSums = kernel({ rows: "int", columns: "int", rowsPerGroup: "int" })({
  buffers: {
    dScale: write("f32", perGroup),
    dShift: write("f32", perGroup),
    dy: read("f32", wholeRows),
    x: read("f32", wholeRows),
    mean: read("f32", (a) => a.rows),
    rstd: read("f32", (a) => a.rows),
  },
  work: (a) => ({ elementOps: 4 * a.rows * a.columns }),
  reference: ({ dScale, dShift, dy, x, mean, rstd, rows, columns, rowsPerGroup }) => {
    dScale.fill(0, 0, perGroup({ rows, columns, rowsPerGroup }));
    dShift.fill(0, 0, perGroup({ rows, columns, rowsPerGroup }));
    for (let row = 0; row < rows; row++) {
      const group = Math.floor(row / rowsPerGroup) * columns;
      for (let j = 0; j < columns; j++) {
        const slope = dy[row * columns + j];
        const normal = (x[row * columns + j] - mean[row]) * rstd[row];
        dScale[group + j] += slope === 0 ? 0 : slope * normal;
        dShift[group + j] += slope;
      }
    }
  },
});
