import { median, rankCorrelation } from "./statistics.js";
import type { WindowMeasures } from "./windowMeasures.js";

/** What was found of the claim that far rows of a window agree. */
export const outcomes = ["confirmed", "unconfirmed", "refuted"] as const;
export type Outcome = (typeof outcomes)[number];

/** The rule, fixed before any trained model was measured, in words. */
export const verdictRule =
  "confirmed where, of medians over heads and windows, D of the far rings is below D of the near ones and below D of random rows in " +
  "the far rings, and E_far below E_near; refuted where D does not fall from near to far";

/** A verdict on one layer at one time. */
export interface Verdict {
  readonly outcome: Outcome;
  /** Part of the heads for which all three hold by themselves. @units 0 .. 1 */
  readonly heads: number;
  /** Spearman's correlation of a ring's number with D there, over all heads and windows. @units -1: D falls always .. 1 */
  readonly correlation: number;
}

/** What the rule says of some windows, by their medians. Of numbers that are none it says nothing. */
function outcomeOf(windows: readonly WindowMeasures[]): Outcome {
  const of = (value: (own: WindowMeasures) => number) => median(windows.map(value));
  const [near, far, random] = [of(({ rows }) => rows.near), of(({ rows }) => rows.far), of((own) => own.random.far)];
  if (far >= near) return "refuted";
  const costsLess = of(({ errors }) => errors.far) < of(({ errors }) => errors.near);
  return far < near && far < random && costsLess ? "confirmed" : "unconfirmed";
}

/** The verdict on a layer at one time, by `verdictRule`.
 *  @shape heads [heads][samples x windows] */
export function verdictOf(heads: readonly (readonly WindowMeasures[])[]): Verdict {
  const all = heads.flat();
  const pairs = all.flatMap(({ rows }) => rows.spread.map((spread, ring) => [ring, spread] as const));
  return {
    outcome: outcomeOf(all),
    heads: heads.filter((own) => outcomeOf(own) === "confirmed").length / heads.length,
    correlation: rankCorrelation(
      pairs.map(([ring]) => ring),
      pairs.map(([, spread]) => spread),
    ),
  };
}
