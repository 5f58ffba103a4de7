import { checkValue, positive, triple, whole } from "../base/options.js";
import type { Triple } from "./windows.js";

/** One axis: sines of all frequencies, then cosines; frequency k is 10000^(-k/(width/2)). */
function sinCos(target: Float32Array, at: number, width: number, position: number): void {
  const half = width / 2;
  for (let k = 0; k < half; k++) {
    const angle = position * 10000 ** (-k / half);
    target[at + k] = Math.sin(angle);
    target[at + half + k] = Math.cos(angle);
  }
}

/**
 * 3-D sin-cos position table in raster order: a quarter of the channels for the frame, 3/8 for the column, 3/8 for the row.
 * Columns and rows are divided by `scale`; the frame number is not.
 * @shape -> [frames · rows · columns, width]
 * @throws ConfigError unless width is a multiple of 16
 * @source PT-DiT, released code; `transposed` repeats its numbering of non-square grids
 */
export function positionTable(width: number, grid: Triple, scale = 1, transposed = false): Float32Array {
  checkValue("positions", "the width", width, {
    text: "a multiple of 16",
    holds: (value) => whole(1).holds(Number(value) / 16),
  });
  checkValue("positions", "the grid", grid, triple);
  checkValue("positions", "the scale", scale, positive);
  const [frames, rows, columns] = grid;
  const [time, space] = [width / 4, (3 * width) / 8];
  const table = new Float32Array(frames * rows * columns * width);
  const stride = transposed ? rows : columns;
  for (let frame = 0; frame < frames; frame++) {
    for (let i = 0; i < rows * columns; i++) {
      const at = (frame * rows * columns + i) * width;
      sinCos(table, at, time, frame);
      sinCos(table, at + time, space, (i % stride) / scale);
      sinCos(table, at + time + space, space, Math.floor(i / stride) / scale);
    }
  }
  return table;
}
