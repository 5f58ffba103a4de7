import { kernel, read, write } from "../kernel.js";

/** Whether a comes before b: NaN counts as the largest. */
const exceeds = (a: number, b: number): boolean => a > b || (Number.isNaN(a) && !Number.isNaN(b));

/** y [outer, inner] int32 = place of the largest of x [outer, length, inner] along the middle axis: of equals the first; NaN counts
 *  as the largest. */
export const argMax = kernel({ outer: "int", length: "int", inner: "int" })({
  buffers: {
    y: write("i32", (a) => a.outer * a.inner),
    x: read("f32", (a) => a.outer * a.length * a.inner),
  },
  work: (a) => ({ elementOps: a.outer * a.length * a.inner }),
  reference: ({ y, x, outer, length, inner }) => {
    for (let o = 0; o < outer; o++) {
      for (let j = 0; j < inner; j++) {
        const at = (i: number): number => x[(o * length + i) * inner + j];
        let best = 0;
        for (let i = 1; i < length; i++) if (exceeds(at(i), at(best))) best = i;
        y[o * inner + j] = best;
      }
    }
  },
});
