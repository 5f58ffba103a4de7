import { decodeHalf } from "../../base/halfPrecision.js";
import { kernel, read, write } from "../kernel.js";

/** y [n] the floats that `packHalves` left in x [⌈n/2⌉]. */
export const unpackHalves = kernel({ n: "int" })({
  buffers: { y: write("f32", (a) => a.n), x: read("i32", (a) => Math.ceil(a.n / 2)) },
  reference: ({ y, x, n }) => {
    const halves = Uint16Array.from({ length: n }, (_, i) => x[i >> 1] >>> (16 * (i & 1)));
    y.set(decodeHalf(halves));
  },
});
