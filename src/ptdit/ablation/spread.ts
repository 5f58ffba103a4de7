/** What a spread over seeds allows to say. */
import { ConfigError } from "../../base/errors.js";
import { checkValue } from "../../base/options.js";

/** Student's t at 97.5 % for 1, 2, 3 … degrees of freedom: the bounds of a two-sided interval of 95 %. */
const quantiles = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131];

/** The most seeds that intervals are known for. */
export const mostSeeds = quantiles.length + 1;

/** Mean and standard deviation; of one number the latter is not known. */
export interface Spread {
  readonly mean: number;
  readonly deviation: number | null;
}

const numbers = { text: "a list of finite numbers, one or more", holds: isNumbers };
function isNumbers(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0 && value.every(Number.isFinite);
}

/** @throws ConfigError unless there are finite numbers */
export function spreadOf(values: readonly number[]): Spread {
  checkValue("spread", "the values", values, numbers);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return { mean, deviation: null };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

/** How two rows differ. */
export interface Difference {
  /** Mean of the differences, seed by seed: below 0 the row is the better one. */
  readonly mean: number;
  /** Half of the interval of 95 % about it; null: one seed has no spread. */
  readonly half: number | null;
  /** What the interval allows to claim. */
  readonly claim: "better" | "worse" | "none";
}

/** Half of the interval of 95 % about a mean of so many numbers, 2 to `mostSeeds`. */
export const halfInterval = (deviation: number, count: number): number => (quantiles[count - 2] * deviation) / Math.sqrt(count);

/** Holds a row against the base, seed by seed: runs of one seed see the same pictures and the same noise. Less is better.
 *  @throws ConfigError unless both have as many finite numbers, at most `mostSeeds` */
export function differenceOf(row: readonly number[], base: readonly number[]): Difference {
  checkValue("difference", "the row", row, numbers);
  checkValue("difference", "the base", base, numbers);
  if (row.length !== base.length || row.length > mostSeeds)
    throw new ConfigError(
      `difference: the row has ${row.length} seeds and the base ${base.length}; both must have as many, at most ${mostSeeds}.`,
    );
  const { mean, deviation } = spreadOf(row.map((value, i) => value - base[i]));
  if (deviation === null) return { mean, half: null, claim: "none" };
  const half = halfInterval(deviation, row.length);
  return { mean, half, claim: mean + half < 0 ? "better" : mean - half > 0 ? "worse" : "none" };
}
