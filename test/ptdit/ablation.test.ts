import { describe, expect, it } from "vitest";
import { compareRows, type TrainingResult } from "../../src/ptdit/ablation/compare.js";
import { ablationOf, rowModel } from "../../src/ptdit/ablation/file.js";
import { planAblation } from "../../src/ptdit/ablation/plan.js";
import { differenceOf, mostSeeds, spreadOf } from "../../src/ptdit/ablation/spread.js";
import { type PTDiTConfig, ptditConfig } from "../../src/ptdit/config.js";

const base = ptditConfig({ depth: 2 });
const rows = [
  { name: "all", paper: 19.3 },
  { name: "windows", model: { mixing: "windows" } },
  { name: "wide", model: { window: [1, 4, 4] } },
] as const;
const ablation = ablationOf("test", { about: "parts", rows });
/** Windows alone cost half. */
const costOf = ({ mixing, window }: PTDiTConfig) => (mixing === "windows" ? 500 : window[1] === 4 ? 1010 : 1000);

describe("an ablation's file", () => {
  it("is read row by row", () => {
    expect(ablation.rows).toHaveLength(3);
    expect(rowModel(base, ablation.rows[0])).toEqual(base);
    expect(rowModel(base, ablation.rows[1])).toEqual({ ...base, mixing: "windows" });
    // Proxies follow the window, unless they are the row's own.
    expect(rowModel(base, ablation.rows[2]).proxyWindow).toEqual([1, 4, 4]);
    expect(rowModel(base, { name: "own", model: { window: [1, 4, 4], proxyWindow: [1, 2, 2] } }).proxyWindow).toEqual([
      1, 2, 2,
    ]);
  });

  it.each([
    [[], /must be an object \{ about, rows \}/],
    [{ about: "x" }, /rows is missing|rows must be/],
    [{ about: "x", rows: [rows[0]] }, /two rows or more/],
    [{ about: "x", rows: [rows[0], 3] }, /row 2 must be an object/],
    [{ about: "x", rows: [rows[0], { name: "y", modle: {} }] }, /unknown option "modle". Did you mean "model"/],
    [{ about: "x", rows: [rows[0], { name: "y", model: { mixing: "some" } }] }, /mixing must be/],
    [{ about: "x", rows: [rows[0], rows[0]] }, /two rows are called "all"/],
  ])("%j is refused", (json, message) => {
    expect(() => ablationOf("test", json)).toThrow(message);
  });
});

describe("its trainings", () => {
  const [all, windows, wide] = planAblation(ablation, base, { steps: 100, seeds: 2 }, costOf);

  it("have equal steps, or equal arithmetic", () => {
    expect([all.cost, windows.cost, wide.cost]).toEqual([1, 0.5, 1.01]);
    expect(windows.trainings.steps.map(({ steps, seed }) => [steps, seed])).toEqual([
      [100, 0],
      [100, 1],
    ]);
    expect(windows.trainings.arithmetic.map(({ steps, multiplyAdds }) => [steps, multiplyAdds])).toEqual([
      [200, 100_000],
      [200, 100_000],
    ]);
    // Two in a hundred are no reason to train once more.
    expect(wide.trainings.arithmetic).toEqual(wide.trainings.steps);
  });

  it("are one where they are equal, in whatever ablation", () => {
    const other = planAblation(
      ablationOf("other", { about: "x", rows: [rows[1], rows[0]] }),
      base,
      { steps: 100, seeds: 2 },
      costOf,
    );
    expect(other[0].trainings.steps).toEqual(windows.trainings.steps);
    const keys = [all, windows, wide].flatMap(({ trainings }) => Object.values(trainings).flat()).map(({ key }) => key);
    expect(new Set(keys).size).toBe(8);
  });

  it("are refused without steps or seeds", () => {
    expect(() => planAblation(ablation, base, { steps: 0, seeds: 2 }, costOf)).toThrow(/steps must be/);
    expect(() => planAblation(ablation, base, { steps: 1, seeds: mostSeeds + 1 }, costOf)).toThrow(/seeds must be/);
  });

  it("are compared seed by seed, where all of a row are there", () => {
    const result = (key: string, loss: number): [string, TrainingResult] => [key, { key, loss, top5: 0.5, psnr: null }];
    const keysOf = (row: typeof all) => row.trainings.steps.map(({ key }) => key);
    const results = new Map([
      ...keysOf(all).map((key, i) => result(key, 0.2 + i)),
      ...keysOf(windows).map((key, i) => result(key, 0.3 + i + 0.001 * i)),
      result(keysOf(wide)[0], 0.1),
    ]);
    const compared = compareRows([all, windows, wide], results);
    expect(compared[0]).toMatchObject({ name: "all", paper: 19.3, budgets: { steps: { steps: 100, top5: { mean: 0.5 } } } });
    expect(compared[0].budgets.steps).not.toHaveProperty("difference");
    // Both seeds differ by a tenth, whatever each of them is.
    expect(compared[1].budgets.steps?.difference).toMatchObject({ claim: "worse", mean: expect.closeTo(0.1005, 9) });
    expect(compared[1].budgets).not.toHaveProperty("arithmetic");
    expect(compared[2].budgets).toEqual({});
  });
});

describe("a spread", () => {
  it("is that of a sample", () => {
    expect(spreadOf([1, 2, 3, 4])).toEqual({ mean: 2.5, deviation: Math.sqrt(5 / 3) });
    expect(spreadOf([7])).toEqual({ mean: 7, deviation: null });
    expect(() => spreadOf([])).toThrow(/finite numbers/);
    expect(() => spreadOf([1, Number.NaN])).toThrow(/finite numbers/);
  });

  it("allows a claim where its interval of 95 % leaves 0 out", () => {
    // Differences 1, 2, 3: mean 2, deviation 1, 4.303 / √3 on either side.
    const three = differenceOf([11, 12, 13], [10, 10, 10]);
    expect(three).toEqual({ mean: 2, half: expect.closeTo(4.303 / Math.sqrt(3), 9), claim: "none" });
    expect(differenceOf([15, 16, 17], [10, 10, 10]).claim).toBe("worse");
    expect(differenceOf([5, 4, 3], [10, 10, 10]).claim).toBe("better");
    expect(differenceOf([1], [2])).toEqual({ mean: -1, half: null, claim: "none" });
    expect(() => differenceOf([1, 2], [1])).toThrow(/both must have as many/);
  });
});
