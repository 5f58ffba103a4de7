import { kernel, optional, read, write } from "../kernel.js";
import { meanOf, perGroup, wholeRows } from "./layerNorm.js";
import { isZeroRow } from "./softmaxGrad.js";

/** dx of `layerNorm`: with g = dy·(offset + scale): dx = rstd·(g - mean(g) - x̂·mean(g·x̂)); 0 in a row whose dy is 0. With a null mean
 *  that of the RMS norm, in which mean(g) is not subtracted. */
export const layerNormGrad = kernel({ rows: "int", columns: "int", rowsPerGroup: "int", offset: "float" })({
  buffers: {
    dx: write("f32", wholeRows),
    dy: read("f32", wholeRows),
    x: read("f32", wholeRows),
    mean: optional(read("f32", (a) => a.rows)),
    rstd: read("f32", (a) => a.rows),
    scale: optional(read("f32", perGroup)),
  },
  work: (a) => ({ elementOps: a.rows * a.columns }),
  reference: ({ dx, dy, x, mean, rstd, scale, rows, columns, rowsPerGroup, offset }) => {
    const [g, normal] = [new Float64Array(columns), new Float64Array(columns)];
    for (let row = 0; row < rows; row++) {
      const at = row * columns;
      const group = Math.floor(row / rowsPerGroup) * columns;
      let product = 0;
      for (let j = 0; j < columns; j++) {
        g[j] = dy[at + j] * (scale ? offset + scale[group + j] : 1);
        normal[j] = (x[at + j] - (mean ? mean[row] : 0)) * rstd[row];
        product += g[j] * normal[j];
      }
      const still = isZeroRow(dy, at, columns);
      const level = mean ? meanOf(g) : 0;
      for (let j = 0; j < columns; j++) {
        dx[at + j] = still ? 0 : rstd[row] * (g[j] - level - (normal[j] * product) / columns);
      }
    }
  },
});
