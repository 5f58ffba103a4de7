import type { PTDiTConfig } from "../config.js";
import { shiftRegions, type Triple, windowOrder } from "../windows.js";
import type { Numbers } from "./report.js";

/** Whether a pair of a shifted window's tokens may attend (0) or not (-1), in plain window order. @shape -> [M, P, P] */
export function shiftBias(grid: Triple, { window }: Pick<PTDiTConfig, "window">): Float64Array {
  const regions = shiftRegions(windowOrder(grid, window, window, "block"), grid, window);
  const tokens = window[0] * window[1] * window[2];
  return Float64Array.from({ length: regions.length * tokens }, (_, i) => {
    const [row, j] = [Math.floor(i / tokens), i % tokens];
    const first = Math.floor(row / tokens) * tokens;
    return regions[row] === regions[first + j] ? 0 : -1;
  });
}

/** A stored bias of -10000 as -1. */
export const canonicalBias = (data: Numbers): Float64Array => Float64Array.from(data, (b) => (b === 0 ? 0 : -1));
