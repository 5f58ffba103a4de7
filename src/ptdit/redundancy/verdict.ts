import { median, rankCorrelation } from "./statistics.js";
import type { WindowMeasures } from "./windowMeasures.js";

/** What was found of the claim that far rows of a window agree. */
export const outcomes = ["confirmed", "unconfirmed", "refuted"] as const;
export type Outcome = (typeof outcomes)[number];

/** The rule, fixed before any trained model was measured, in words. */
export const verdictRule =
  "confirmed where, of medians over heads and windows, D of the far rings is below D of the near ones and below D of random rows in " +
  "the far rings, and E_far below E_near; refuted where D does not fall from near to far";

/** The rule's three comparisons of medians; of numbers that are none, none holds. */
export interface Comparisons {
  /** D is lower far than near. */
  readonly falls: boolean;
  /** D far is lower than of rows from anywhere. */
  readonly belowRandom: boolean;
  /** Replacing far rows by their mean costs less than replacing near ones. */
  readonly costsLess: boolean;
}

/** A verdict on one layer at one time. */
export interface Verdict extends Comparisons {
  readonly outcome: Outcome;
  /** Part of the heads for which all three hold by themselves. @units 0 .. 1 */
  readonly heads: number;
  /** Spearman's correlation of a ring's number with D there, over all heads and windows. @units -1: D falls always .. 1 */
  readonly correlation: number;
}

/** What the rule says of some windows, by their medians. */
function judged(windows: readonly WindowMeasures[]): Comparisons & Pick<Verdict, "outcome"> {
  const of = (value: (own: WindowMeasures) => number) => median(windows.map(value));
  const [near, far] = [of(({ rows }) => rows.near), of(({ rows }) => rows.far)];
  const falls = far < near;
  const belowRandom = far < of(({ random }) => random.far);
  const costsLess = of(({ errors }) => errors.far) < of(({ errors }) => errors.near);
  const outcome = falls && belowRandom && costsLess ? "confirmed" : far >= near ? "refuted" : "unconfirmed";
  return { outcome, falls, belowRandom, costsLess };
}

/** The verdict on a layer at one time, by `verdictRule`.
 *  @shape heads [heads][samples x windows] */
export function verdictOf(heads: readonly (readonly WindowMeasures[])[]): Verdict {
  const all = heads.flat();
  const pairs = all.flatMap(({ rows }) => rows.spread.map((spread, ring) => [ring, spread] as const));
  return {
    ...judged(all),
    heads: heads.filter((own) => judged(own).outcome === "confirmed").length / heads.length,
    correlation: rankCorrelation(
      pairs.map(([ring]) => ring),
      pairs.map(([, spread]) => spread),
    ),
  };
}
