import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/base/errors.js";
import { normalNumbers } from "../../../src/base/random.js";
import { kid } from "../../../src/ptdit/quality/kid.js";

/** Lists of d standard normal numbers, each plus `by`. */
function normals(n: number, d: number, seed: number, by = 0): Float64Array[] {
  const numbers = normalNumbers(n * d, seed, 1);
  return Array.from({ length: n }, (_, i) => numbers.slice(i * d, (i + 1) * d).map((value) => value + by));
}
const ones = (...values: readonly number[]) => values.map((value) => [value]);

/** Mean, and the standard error of it. */
function meanOf(values: readonly number[]) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, error: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0)) / values.length };
}

/** Squared distance of N(0, 1) and N(by, 1) by (xy + 1)³: the squares of how far their first three moments differ, 3, 3 and 1 times. */
const apart = (by: number) => 3 * by ** 2 + 3 * by ** 4 + (3 * by + by ** 3) ** 2;

describe("kid", () => {
  it("is a mean that can be taken by hand: all samples are b, all pictures a", () => {
    // k(a, a) + k(b, b) - 2 k(a, b), of a = 1 and b = 2 in one dimension: 8 + 125 - 2 · 27.
    expect(kid(ones(1, 1, 1, 1), ones(2, 2, 2, 2)).value).toBe(79);
    // In two dimensions x·y is halved: (1 + 1)³ + (4 + 1)³ - 2 (2 + 1)³.
    const two = (value: number) => Array.from({ length: 4 }, () => [value, value]);
    expect(kid(two(1), two(2)).value).toBe(79);
  });

  it("leaves out that a picture meets itself, or its own sample", () => {
    const [x, y] = [
      [0, 1, 2, 4],
      [3, -1, 0.5, 2],
    ] as const;
    const k = (a: number, b: number) => (a * b + 1) ** 3;
    let sum = 0;
    for (let i = 0; i < 4; i++)
      for (let j = 0; j < 4; j++) if (i !== j) sum += k(x[i], x[j]) + k(y[i], y[j]) - k(x[i], y[j]) - k(x[j], y[i]);
    expect(kid(ones(...x), ones(...y)).value).toBeCloseTo(sum / 12, 10);
  });

  it("of the same pictures again is 0, surely", () => {
    const real = normals(20, 6, 1);
    const { value, interval } = kid(real, real);
    expect([value, ...interval]).toEqual([0, 0, 0]);
  });

  it("is without bias: of other draws of one distribution it is 0 in the mean, as often below as above", () => {
    const values = Array.from({ length: 200 }, (_, i) => kid(normals(24, 3, i), normals(24, 3, 1000 + i), { draws: 20 }).value);
    const { mean, error } = meanOf(values);
    expect(Math.abs(mean)).toBeLessThan(3 * error);
    const below = values.filter((value) => value < 0).length;
    expect(below).toBeGreaterThan(40);
    expect(below).toBeLessThan(160);
  });

  it("finds the distance that two distributions have, in an interval that covers it", () => {
    const by = 0.5;
    const found = Array.from({ length: 40 }, (_, i) => kid(normals(100, 1, i), normals(100, 1, 500 + i, by), { draws: 100 }));
    const { mean, error } = meanOf(found.map(({ value }) => value));
    expect(Math.abs(mean - apart(by))).toBeLessThan(3 * error);
    expect(error).toBeLessThan(0.2 * apart(by));
    const covered = found.filter(({ interval: [low, high] }) => low <= apart(by) && apart(by) <= high).length;
    // Of 40 intervals of 95 %, 38 in the mean.
    expect(covered).toBeGreaterThan(32);
    for (const { value, interval } of found) {
      expect(interval[0]).toBeLessThan(value);
      expect(interval[1]).toBeGreaterThan(value);
    }
  });

  it("has a floor that other pictures of the same kind stay below, and others not", () => {
    const real = normals(100, 4, 1);
    const same = Array.from({ length: 20 }, (_, i) => kid(real, normals(100, 4, 100 + i), { draws: 60 }));
    expect(same.filter(({ value, floor }) => value > floor).length).toBeLessThan(4);
    const other = kid(real, normals(100, 4, 7, 0.6));
    expect(other.value).toBeGreaterThan(other.floor);
    // Of more pictures it is lower.
    const [few, many] = [normals(30, 4, 3), normals(300, 4, 3)].map((some) => kid(some, some, { draws: 100 }).floor);
    expect(many).toBeLessThan(few / 3);
  });

  it("draws by its seed alone", () => {
    const [real, samples] = [normals(12, 2, 1), normals(12, 2, 2)];
    expect(kid(real, samples, { seed: 3 })).toEqual(kid(real, samples, { seed: 3 }));
    const [a, b] = [kid(real, samples, { seed: 3 }), kid(real, samples, { seed: 4 })];
    expect(a.value).toBe(b.value);
    expect(a.interval).not.toEqual(b.interval);
    expect(a.floor).not.toBe(b.floor);
  });

  it("holds finite numbers from the fewest pairs on, and refuses fewer", () => {
    for (let n = 4; n < 9; n++) {
      const { value, interval, floor } = kid(normals(n, 2, n), normals(n, 2, 50 + n));
      expect([value, ...interval, floor].every(Number.isFinite)).toBe(true);
    }
    expect(() => kid(normals(3, 2, 1), normals(3, 2, 2))).toThrow(ConfigError);
    expect(() => kid(normals(3, 2, 1), normals(3, 2, 2))).toThrow(
      "kid: the real pictures are 3, at least 4 are needed. Draw more samples.",
    );
  });

  it("refuses lists that do not fit each other, and numbers that are none", () => {
    const real = normals(5, 2, 1);
    expect(() => kid(real, normals(6, 2, 1))).toThrow("got 5 of 2 numbers and 6 of 2");
    expect(() => kid(real, normals(5, 3, 1))).toThrow("got 5 of 2 numbers and 5 of 3");
    expect(() => kid(real, [...real.slice(1), [0, Number.NaN]])).toThrow("the samples must be a list of at least 4 lists");
    expect(() => kid(real, real, { draws: 1 })).toThrow("draws must be a whole number of at least 20, got 1");
    expect(() => kid(real, real, { sed: 1 } as never)).toThrow('unknown option "sed". Did you mean "seed"?');
  });
});
