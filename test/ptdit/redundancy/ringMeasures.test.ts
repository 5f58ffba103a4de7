import { describe, expect, it } from "vitest";
import { pairDivergence, ringMeasures } from "../../../src/ptdit/redundancy/ringMeasures.js";
import { attentionRings } from "../../../src/ptdit/redundancy/rings.js";
import { noiseOf, rowsOf } from "./rows.js";

const [keys, rows] = [256, 16];
const { ringOf, count } = attentionRings([1, 16, 16], [1, 4, 4]);
/** As the first window sees them. */
const ring = ringOf(0);
const own = noiseOf(rows, keys, 0);
const shared = noiseOf(1, keys, 1);

const entropy = (p: ArrayLike<number>): number => Array.from(p).reduce((sum, x) => (x > 0 ? sum - x * Math.log(x) : sum), 0);

describe("measures by rings", () => {
  it("of equal rows: no spread, no divergence, cosine 1", () => {
    const weights = rowsOf(rows, keys, (_, j) => 2 * shared(0, j));
    const { spread, divergence, cosine, mass, near, far } = ringMeasures(weights, ring, count);
    for (const value of [...spread, near, far]) expect(Math.abs(value)).toBeLessThan(1e-30);
    for (const value of divergence) expect(Math.abs(value)).toBeLessThan(1e-15);
    for (const value of cosine) expect(value).toBeCloseTo(1, 14);
    expect(mass.reduce((sum, m) => sum + m, 0)).toBeCloseTo(1, 14);
  });

  it("of rows without a common key: the most there is", () => {
    const weights = new Float64Array(rows * keys);
    // In every ring each row has one key of its own.
    for (let r = 0; r < count; r++) {
      const places = [...ring.keys()].filter((j) => ring[j] === r);
      for (let i = 0; i < rows; i++) weights[i * keys + places[i]] = 1 / count;
    }
    const { spread, divergence, cosine, mass } = ringMeasures(weights, ring, count);
    for (let r = 0; r < count; r++) {
      expect(spread[r]).toBeCloseTo(1 - 1 / rows, 14);
      expect(divergence[r]).toBeCloseTo(1, 14);
      expect(cosine[r]).toBe(0);
      expect(mass[r]).toBeCloseTo(1 / count, 14);
    }
  });

  it("of two rows by hand", () => {
    // Ring 0: 0.2, 0.2 and 0.4, 0; ring 2: 0.6 and 0.6.
    const two = ringMeasures(Float64Array.of(0.2, 0.2, 0.6, 0.4, 0, 0.6), Int32Array.of(0, 0, 2), 3);
    expect(two.spread[0]).toBeCloseTo((4 * 0.1 ** 2) / (0.2 ** 2 + 0.2 ** 2 + 0.4 ** 2), 14);
    expect(two.spread[2]).toBe(0);
    expect(two.near).toBeCloseTo(two.spread[0], 14);
    expect(two.far).toBe(0);
    expect(two.cosine[0]).toBeCloseTo(Math.SQRT1_2, 14);
    const mixture = entropy([0.75, 0.25]);
    expect(two.divergence[0]).toBeCloseTo((mixture - Math.LN2 / 2) / Math.LN2, 14);
    expect(two.mass).toEqual([0.4, 0, 0.6].map((m) => expect.closeTo(m, 14)));
    // Nothing lies in ring 1.
    expect([two.spread[1], two.divergence[1], two.cosine[1]]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  it("of independent rows: alike in every ring", () => {
    const { spread, near, far } = ringMeasures(
      rowsOf(rows, keys, (i, j) => 2 * own(i, j)),
      ring,
      count,
    );
    for (const value of [...spread.slice(1), near, far]) expect(value).toBeGreaterThan(0.7);
    expect(Math.abs(near - far)).toBeLessThan(0.15);
  });

  it("of rows that differ near and agree far: the claim", () => {
    const { spread, divergence, cosine, near, far } = ringMeasures(
      rowsOf(rows, keys, (i, j) => 2 * shared(0, j) + (ring[j] <= 1 ? 1.5 : 0.05) * own(i, j)),
      ring,
      count,
    );
    expect(Math.min(near, spread[0], spread[1])).toBeGreaterThan(0.3);
    expect(Math.min(divergence[0], divergence[1])).toBeGreaterThan(0.1);
    // The rows' normalisers differ by what lies near, and with them their masses far: not what they say there.
    expect(Math.max(divergence[2], divergence[3])).toBeLessThan(1e-3);
    expect(Math.max(far, spread[2], spread[3])).toBeLessThan(near / 3);
    expect(Math.min(cosine[2], cosine[3])).toBeGreaterThan(0.99);
  });

  it.each([0.1, 1, 3])("obey the chain rule of entropy to 1e-14, logits of standard deviation %d", (width) => {
    const weights = rowsOf(rows, keys, (i, j) => width * (shared(0, j) + own(i, j)));
    const { divergence, mass } = ringMeasures(weights, ring, count);
    const row = (i: number) => weights.subarray(i * keys, (i + 1) * keys);
    const each = Array.from({ length: rows }, (_, i) => row(i));
    const meanOf = (list: readonly ArrayLike<number>[]) =>
      Array.from(list[0], (_, j) => list.reduce((sum, one) => sum + one[j] / list.length, 0));
    const divergenceOf = (list: readonly ArrayLike<number>[]) =>
      entropy(meanOf(list)) - list.reduce((sum, one) => sum + entropy(one) / list.length, 0);
    const masses = each.map((one) => {
      const sums = new Float64Array(count);
      one.forEach((a, j) => (sums[ring[j]] += a));
      return sums;
    });
    const inside = mass.reduce((sum, m, r) => sum + m * divergence[r] * Math.log(rows), 0);
    expect(Math.abs(divergenceOf(each) - (divergenceOf(masses) + inside))).toBeLessThan(1e-14);
  });

  it("refuse what are no rows of these keys", () => {
    const weights = new Float64Array(10);
    expect(() => ringMeasures(weights, new Int32Array(4), 1)).toThrow(/weights must be rows of 4 keys .* got 10 numbers/);
    expect(() => ringMeasures(weights, Int32Array.of(0, 3), 2)).toThrow(/rings are below 2, .* rings up to 3/);
    expect(() => ringMeasures([] as never, new Int32Array(4), 1)).toThrow(/the weights must be a Float64Array/);
  });
});

describe("divergence of pairs", () => {
  it("is 0 of equal rows, 1 of rows without a common key, and theirs by hand", () => {
    expect(pairDivergence(Float64Array.of(0.5, 0.5, 0.5, 0.5), 2)).toBe(0);
    expect(pairDivergence(Float64Array.of(1, 0, 0, 1), 2)).toBeCloseTo(1, 14);
    const byHand = (entropy([0.75, 0.25]) - Math.LN2 / 2) / Math.LN2;
    expect(pairDivergence(Float64Array.of(0.5, 0.5, 1, 0, 1, 0, 0, 1), 2)).toBeCloseTo((byHand + 1) / 2, 14);
  });
});
