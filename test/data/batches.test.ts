import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/base/errors.js";
import { batchIndices } from "../../src/data/batches.js";

/** Everything that the first steps show, in order. */
const stream = (count: number, batchSize: number, seed: number, steps: number) =>
  Array.from({ length: steps }, (_, step) => [...batchIndices(count, batchSize, seed, step)]).flat();

describe("batches", () => {
  it.each([
    [1, 4],
    [2, 3],
    [5, 5],
    [7, 16],
    [64, 16],
    [100, 7],
    [1892, 16],
  ])("show each of %i samples once an epoch, %i at a time", (count, batchSize) => {
    const shown = stream(count, batchSize, 3, Math.ceil((3 * count) / batchSize));
    for (let epoch = 0; epoch < 3; epoch++) {
      expect(new Set(shown.slice(epoch * count, (epoch + 1) * count)).size).toBe(count);
    }
  });

  it("do not depend on how the stream is cut", () => {
    expect(stream(50, 4, 1, 60)).toEqual(stream(50, 16, 1, 15));
    expect(batchIndices(50, 4, 1, 59)).toEqual(batchIndices(50, 4, 1, 59));
  });

  it("differ by seed and epoch", () => {
    expect(stream(64, 64, 0, 1)).not.toEqual(stream(64, 64, 1, 1));
    expect(stream(64, 64, 0, 1)).not.toEqual(stream(64, 64, 2 ** 32, 1));
    expect([...batchIndices(64, 64, 0, 0)]).not.toEqual([...batchIndices(64, 64, 0, 1)]);
  });

  it("take every order of few samples equally often", () => {
    const counts = new Map<string, number>();
    for (let epoch = 0; epoch < 6000; epoch++) {
      const order = batchIndices(3, 3, 9, epoch).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // 1000 expected of each, with a standard deviation of 29.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(130);
  });

  it("put every sample everywhere equally often", () => {
    const [count, epochs] = [16, 4000];
    const seen = new Float64Array(count * count);
    for (let epoch = 0; epoch < epochs; epoch++)
      for (const [place, sample] of batchIndices(count, count, 5, epoch).entries()) seen[place * count + sample]++;
    const expected = epochs / count;
    const chiSquare = seen.reduce((sum, times) => sum + (times - expected) ** 2 / expected, 0);
    // 225 degrees of freedom: mean 225, standard deviation 21.
    expect(Math.abs(chiSquare - 225)).toBeLessThan(85);
  });

  it("refuse impossible numbers", () => {
    for (const [count, size, step] of [
      [0, 4, 0],
      [4, 0, 0],
      [4, 4, -1],
      [4, 1.5, 0],
      [4, 4, 2 ** 53],
    ] as const) {
      expect(() => batchIndices(count, size, 0, step)).toThrow(ConfigError);
    }
  });
});
