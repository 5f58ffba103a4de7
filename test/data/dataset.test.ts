import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/base/errors.js";
import { type Dataset, gatherSamples, sideOf } from "../../src/data/dataset.js";
import { dataChanges, fingerprintOf } from "../../src/data/fingerprint.js";
import { PictureSet } from "../../src/data/pictureSet.js";

const pictures = Float32Array.from({ length: 3 * 12 }, (_, i) => i);
const set = new PictureSet({ name: "three", size: 2, captions: ["a", "b", "c"], pictures });

describe("samples", () => {
  it("come in the order they are asked for in, whenever each is there", async () => {
    const slow: Dataset = {
      name: "slow",
      count: 3,
      shape: [1, 1, 1, 2],
      captions: ["a", "b", "c"],
      sample: async (i) => {
        for (let turn = 3 * (3 - i); turn > 0; turn--) await Promise.resolve();
        return Float32Array.of(i, 10 * i);
      },
    };
    expect([...(await gatherSamples(slow, [2, 0, 1, 2]))]).toEqual([2, 20, 0, 0, 1, 10, 2, 20]);
  });

  it("of a set in memory are its pictures", async () => {
    expect(await gatherSamples(set, Int32Array.of(2, 0))).toEqual(
      Float32Array.from([...pictures.subarray(24), ...pictures.subarray(0, 12)]),
    );
    expect([set.count, set.shape, sideOf(set)]).toEqual([3, [3, 1, 2, 2], 2]);
  });

  it("of another shape than was said are refused by number", async () => {
    const short: Dataset = { name: "short", count: 1, shape: [3, 1, 2, 2], captions: ["a"], sample: async () => pictures };
    await expect(gatherSamples(short, [0])).rejects.toThrow(ConfigError);
    await expect(gatherSamples(short, [0])).rejects.toThrow('of "short" is [3, 1, 2, 2], 12 numbers; number 0 has 36');
  });

  it("have a side only if they are square pictures", () => {
    for (const shape of [
      [3, 2, 4, 4],
      [3, 1, 4, 8],
    ] as const)
      expect(() => sideOf({ name: "films", shape })).toThrow(`samples of "films" are [${shape.join(", ")}]`);
  });
});

describe("a fingerprint", () => {
  const { name, size, captions } = set;
  const of = (variants?: readonly (readonly string[])[]) =>
    fingerprintOf(new PictureSet({ name, size, captions, pictures, ...(variants && { variants }) }));

  it("tells variants apart, and whether there are some", () => {
    const variants = [["a, one"], ["b, two", "b"], []];
    expect(of(variants)).toEqual(of(variants));
    expect(dataChanges(of(), of([[], [], []]))).toBeUndefined();
    expect(dataChanges(of(), of(variants))).toMatchObject({ recaptioned: ["a", "b"], redrawn: [] });
    expect(dataChanges(of(variants), of([["a, one"], ["b", "b, two"], []]))).toMatchObject({ recaptioned: ["b"] });
  });
});

describe("a set of pictures", () => {
  it.each<[string, object, string]>([
    [
      "too few numbers",
      { pictures: pictures.subarray(1) },
      "3 captions need as many pictures of 3 x 2 x 2, 36 numbers, got 35",
    ],
    ["no size", { size: 0 }, "size must be a whole number of at least 1, got 0"],
    ["no pictures", { pictures: undefined }, "pictures is missing"],
    ["variants of others", { variants: [["x"]] }, "variants has 1 entries for 3 captions"],
    ["held-out captions of others", { heldOut: [] }, "heldOut has 0 entries for 3 captions"],
    ["a count of its own", { count: 3 }, 'unknown option "count"'],
  ])("is not made of %s", (_, other, message) => {
    const { name, size, captions } = set;
    expect(() => new PictureSet({ name, size, captions, pictures, ...other })).toThrow(message);
  });
});
