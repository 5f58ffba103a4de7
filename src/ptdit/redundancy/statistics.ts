import { quantileOfSorted } from "../quantile.js";

/** First quartile, median, third quartile. */
export type Quartiles = readonly [first: number, median: number, third: number];

/** Quartiles of the numbers that are numbers, between neighbours in proportion; NaN of none. */
export function quartiles(values: readonly number[]): Quartiles {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  return [quantileOfSorted(sorted, 0.25), quantileOfSorted(sorted, 0.5), quantileOfSorted(sorted, 0.75)];
}

export const median = (values: readonly number[]): number => quartiles(values)[1];

/** Spearman's rank correlation; equal numbers share the mean of their ranks. Pairs with a NaN are left out; NaN where nothing varies.
 *  @shape x, y [n]  @units -1 .. 1
 *  @source Spearman, 1904 */
export function rankCorrelation(x: readonly number[], y: readonly number[]): number {
  const kept = [...x.keys()].filter((i) => !Number.isNaN(x[i]) && !Number.isNaN(y[i]));
  const [a, b] = [ranks(kept.map((i) => x[i])), ranks(kept.map((i) => y[i]))];
  const middle = (kept.length + 1) / 2;
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < kept.length; i++) {
    const [da, db] = [a[i] - middle, b[i] - middle];
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return ab / Math.sqrt(aa * bb);
}

/** Ranks from 1 on. */
function ranks(values: readonly number[]): Float64Array {
  const order = [...values.keys()].sort((i, j) => values[i] - values[j]);
  const result = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && values[order[to]] === values[order[from]]) to++;
    for (let i = from; i < to; i++) result[order[i]] = (from + 1 + to) / 2;
    from = to;
  }
  return result;
}
