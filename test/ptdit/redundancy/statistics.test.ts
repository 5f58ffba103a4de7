import { describe, expect, it } from "vitest";
import { median, quartiles, rankCorrelation } from "../../../src/ptdit/redundancy/statistics.js";
import { verdictOf } from "../../../src/ptdit/redundancy/verdict.js";
import type { WindowMeasures } from "../../../src/ptdit/redundancy/windowMeasures.js";

describe("statistics", () => {
  it("quartiles lie between neighbours, without what is no number", () => {
    expect(quartiles([4, 1, Number.NaN, 3, 2])).toEqual([1.75, 2.5, 3.25]);
    expect(quartiles([5])).toEqual([5, 5, 5]);
    expect(median([Number.NaN])).toBeNaN();
  });

  it("rank correlation: of what rises 1, falls -1, is level none; equal numbers share their ranks", () => {
    expect(rankCorrelation([1, 2, 3], [10, 100, 1000])).toBe(1);
    expect(rankCorrelation([0, 1, 2, 3], [4, 3, Number.NaN, 1])).toBe(-1);
    expect(rankCorrelation([1, 2], [3, 3])).toBeNaN();
    // Ranks 1.5, 1.5, 3 and 1, 2, 3.
    expect(rankCorrelation([0, 0, 1], [1, 2, 3])).toBeCloseTo(1.5 / Math.sqrt(1.5 * 2), 14);
  });
});

describe("the verdict", () => {
  const measures = { spread: [], divergence: [], cosine: [], mass: [] };
  const window = (near: number, far: number, random: number, errors: readonly [near: number, far: number]): WindowMeasures => ({
    rows: { ...measures, spread: [near, near, far, far], near, far },
    random: { ...measures, near: random, far: random },
    errors: { near: errors[0], far: errors[1], none: 0, query: 0, keys: 0, both: 0 },
    pairs: 0,
  });
  const confirmed = window(0.4, 0.1, 0.3, [0.5, 0.1]);
  it.each<[string, WindowMeasures, string]>([
    ["all three hold", confirmed, "confirmed"],
    ["random rows agree as much", window(0.4, 0.1, 0.1, [0.5, 0.1]), "unconfirmed"],
    ["far rows cost more", window(0.4, 0.1, 0.3, [0.1, 0.5]), "unconfirmed"],
    ["rows agree no more far than near", window(0.4, 0.4, 0.5, [0.5, 0.1]), "refuted"],
    ["there are no numbers", window(Number.NaN, Number.NaN, 0.5, [0.5, 0.1]), "unconfirmed"],
  ])("where %s", (_, own, outcome) => {
    expect(verdictOf([[own, own, own]])).toMatchObject({ outcome, heads: outcome === "confirmed" ? 1 : 0 });
  });

  it("says which comparison it fails", () => {
    const { falls, belowRandom, costsLess } = verdictOf([[window(0.4, 0.1, 0.1, [0.1, 0.5])]]);
    expect([falls, belowRandom, costsLess]).toEqual([true, false, false]);
  });

  it("is on the medians of all heads, and counts the heads for themselves", () => {
    const against = window(0.2, 0.3, 0.25, [0.1, 0.2]);
    expect(verdictOf([[confirmed], [confirmed], [against]])).toMatchObject({ outcome: "confirmed", heads: 2 / 3 });
    expect(verdictOf([[confirmed], [against], [against]])).toMatchObject({ outcome: "refuted", heads: 1 / 3 });
    expect(verdictOf([[confirmed]]).correlation).toBeCloseTo(-2 / Math.sqrt(5), 14);
  });
});
