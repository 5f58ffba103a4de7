import { kernel, optional, read, write } from "../kernel.js";
import { perGroup, wholeRows } from "./layerNorm.js";

/** dx of `layerNorm`: with g = dy·(offset + scale): dx = rstd·(g - mean(g) - x̂·mean(g·x̂)). */
export const layerNormGrad = kernel({ rows: "int", columns: "int", rowsPerGroup: "int", offset: "float" })({
  buffers: {
    dx: write("f32", wholeRows),
    dy: read("f32", wholeRows),
    x: read("f32", wholeRows),
    mean: read("f32", (a) => a.rows),
    rstd: read("f32", (a) => a.rows),
    scale: optional(read("f32", perGroup)),
  },
  work: (a) => ({ elementOps: a.rows * a.columns }),
  reference: ({ dx, dy, x, mean, rstd, scale, rows, columns, rowsPerGroup, offset }) => {
    const [g, normal] = [new Float64Array(columns), new Float64Array(columns)];
    for (let row = 0; row < rows; row++) {
      const at = row * columns;
      const group = Math.floor(row / rowsPerGroup) * columns;
      let [sumG, sumGN] = [0, 0];
      for (let j = 0; j < columns; j++) {
        g[j] = dy[at + j] * (scale ? offset + scale[group + j] : 1);
        normal[j] = (x[at + j] - mean[row]) * rstd[row];
        sumG += g[j];
        sumGN += g[j] * normal[j];
      }
      for (let j = 0; j < columns; j++) dx[at + j] = rstd[row] * (g[j] - sumG / columns - (normal[j] * sumGN) / columns);
    }
  },
});
