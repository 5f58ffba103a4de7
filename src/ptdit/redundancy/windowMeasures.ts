import { uniformNumbers } from "../../base/random.js";
import { type OutputErrors, outputErrors, pooledHead } from "./outputErrors.js";
import { pairDivergence, type RingMeasures, ringMeasures } from "./ringMeasures.js";
import type { Rings } from "./rings.js";
import { gatherRows, type Head, softmaxRows } from "./rows.js";

/** One window of one head: its rows, as many of tokens anywhere on the same rings, and what replacing its rows costs. */
export interface WindowMeasures {
  readonly rows: RingMeasures;
  readonly random: RingMeasures;
  readonly errors: OutputErrors;
  /** Divergence of pairs of the random rows. */
  readonly pairs: number;
}

/** Measures every window of a head, one after the other: no more than one window's rows are held.
 *  @param stream which of the seed's random numbers choose the random rows */
export function measureHead(head: Head, rings: Rings, seed: number, stream: number): WindowMeasures[] {
  const { members, windows, tokens, count } = rings;
  const { headDim, q, k } = head;
  const keys = k.length / headDim;
  const pooled = pooledHead(head, rings);
  return Array.from({ length: windows }, (_, w) => {
    const ring = rings.ringOf(w);
    const own = gatherRows(q, members.subarray(w * tokens, (w + 1) * tokens), headDim); // [P, headDim]
    const rows = softmaxRows(own, k, headDim); // [P, N]
    const anywhere = someOf(keys, tokens, uniformNumbers(tokens, seed, stream * windows + w));
    const random = softmaxRows(gatherRows(q, anywhere, headDim), k, headDim); // [P, N]
    return {
      rows: ringMeasures(rows.weights, ring, count),
      random: ringMeasures(random.weights, ring, count),
      errors: outputErrors(w, own, rows, head, pooled, rings),
      pairs: pairDivergence(random.weights, keys),
    };
  });
}

/** Different numbers below `count`, as many as there are draws: the beginning of a shuffled list.
 *  @units draws: 0..1 */
function someOf(count: number, most: number, draws: Float64Array): Int32Array {
  const list = Int32Array.from({ length: count }, (_, i) => i);
  for (let i = 0; i < most; i++) {
    const other = i + Math.floor(draws[i] * (count - i));
    [list[i], list[other]] = [list[other], list[i]];
  }
  return list.subarray(0, most);
}
