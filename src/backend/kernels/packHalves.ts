import { encodeHalf } from "../../base/halfPrecision.js";
import { kernel, read, write } from "../kernel.js";

/** Floats as IEEE binary16, rounded to nearest, ties to even: y [⌈n/2⌉] words of two, the first in the low half; a last half without a
 *  number is 0. */
export const packHalves = kernel({ n: "int" })({
  buffers: { y: write("i32", (a) => Math.ceil(a.n / 2)), x: read("f32", (a) => a.n) },
  reference: ({ y, x, n }) => {
    const halves = encodeHalf(Float32Array.from(x.subarray(0, n)));
    for (let i = 0; i < n; i += 2) y[i / 2] = halves[i] | ((halves[i + 1] ?? 0) << 16);
  },
});
