/** The value below which a part of the numbers lies, by straight lines between them; of none, NaN.
 *  @units part: 0..1 */
export const quantile = (numbers: ArrayLike<number>, part: number): number =>
  quantileOfSorted(Float64Array.from(numbers).sort(), part);

/** The same of numbers that are in order. */
export function quantileOfSorted(sorted: ArrayLike<number>, part: number): number {
  const at = part * (sorted.length - 1);
  const below = Math.floor(at);
  return sorted[below] + (at - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below]);
}
