import { kernel, read, write } from "../kernel.js";
import { drawNumbers, eachBlock } from "./uniform.js";

/** Standard normal numbers by Box-Muller on the words of `uniform`: with uniforms u0..u3 of a block,
 *  (√(-2 ln u0)·cos 2πu1, √(-2 ln u0)·sin 2πu1, √(-2 ln u2)·cos 2πu3, √(-2 ln u2)·sin 2πu3). */
export const normal = kernel(drawNumbers)({
  buffers: { y: write("f32", (a) => a.n), run: read("i32", () => 1) },
  work: (a) => ({ elementOps: 20 * a.n }),
  reference: (args) =>
    eachBlock(args, (first, [u0, u1, u2, u3]) => {
      const pair = (a: number, b: number) => {
        const radius = Math.sqrt(-2 * Math.log(a));
        return [radius * Math.cos(2 * Math.PI * b), radius * Math.sin(2 * Math.PI * b)];
      };
      args.y.set([...pair(u0, u1), ...pair(u2, u3)].slice(0, Math.min(4, args.n - first)), first);
    }),
});
