import { philox } from "../../base/random.js";
import { kernel, read, write } from "../kernel.js";

/** Numbers of `uniform` and `normal`. */
export const drawNumbers = { n: "int", seedLow: "int", seedHigh: "int", stream: "int" } as const;

/** Calls `visit` with the four uniforms of every block. */
export function eachBlock(
  args: {
    readonly run: Float64Array;
    readonly n: number;
    readonly seedLow: number;
    readonly seedHigh: number;
    readonly stream: number;
  },
  visit: (first: number, u: readonly [number, number, number, number]) => void,
): void {
  const { run, n, seedLow, seedHigh, stream } = args;
  for (let i = 0; i < n; i += 4) {
    const [a, b, c, d] = philox([i / 4, stream, run[0], 0], [seedLow, seedHigh]);
    const uniformOf = (word: number) => ((word >>> 9) + 0.5) * 2 ** -23;
    visit(i, [uniformOf(a), uniformOf(b), uniformOf(c), uniformOf(d)]);
  }
}

/** Uniform numbers in (0, 1): ((w >>> 9) + 0.5)·2⁻²³ of the Philox4x32-10 word w. Element i uses word i mod 4 of the block with
 *  counter (i div 4, stream, run, 0) and key (seedLow, seedHigh); run is int32 [1]. */
export const uniform = kernel(drawNumbers)({
  buffers: { y: write("f32", (a) => a.n), run: read("i32", () => 1) },
  work: (a) => ({ elementOps: 10 * a.n }),
  reference: (args) => eachBlock(args, (first, u) => args.y.set(u.slice(0, Math.min(4, args.n - first)), first)),
});
