import type { KernelArgs } from "../../kernels.js";

/** Whether a comes before b: NaN counts as the largest. */
const exceeds = (a: number, b: number): boolean => a > b || (Number.isNaN(a) && !Number.isNaN(b));

/** See `kernels.argMax`. */
export function argMax({ y, x, outer, length, inner }: KernelArgs<"argMax", Float64Array>): void {
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < inner; j++) {
      const at = (i: number): number => x[(o * length + i) * inner + j] as number;
      let best = 0;
      for (let i = 1; i < length; i++) if (exceeds(at(i), at(best))) best = i;
      y[o * inner + j] = best;
    }
  }
}

/** See `kernels.toF32`. */
export function toF32({ y, x, n }: KernelArgs<"toF32", Float64Array>): void {
  y.set(x.subarray(0, n));
}
