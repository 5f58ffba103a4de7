import { describe, expect, it } from "vitest";
import { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { retrieval } from "../../src/ptdit/evaluate.js";

/** Pictures of one colour each, 2x2. */
const pixels = 3 * 2 * 2;
const painted = (shades: readonly number[]) => Float32Array.from(shades.flatMap((shade) => Array(pixels).fill(shade)));
const dataset = (captions: readonly string[], shades: readonly number[]) =>
  new PictureSet({ name: "shades", size: 2, captions, pictures: painted(shades) });

describe("retrieval", () => {
  const shades = [-1, -0.5, 0, 0.5];

  it("counts samples whose nearest picture is their caption's", async () => {
    const data = dataset(["a", "b", "c", "d"], shades);
    expect(await retrieval(painted(shades), data)).toEqual({ captions: 4, distinctCaptions: 4, top1: 1, top5: 1, misses: [] });
    expect(await retrieval(painted([-1, 0, 0, 0.5]), data)).toEqual({
      captions: 4,
      distinctCaptions: 4,
      top1: 0.75,
      top5: 1,
      misses: [{ caption: "b", nearest: "c" }],
    });
  });

  it("takes any picture of an equal caption as right", async () => {
    const data = dataset(["cat", "dog", "cat", "cat"], shades);
    // The first cat is drawn as the last one, the last as the first, the dog as a cat.
    expect(await retrieval(painted([0.5, 0, 0, -1]), data)).toEqual({
      captions: 4,
      distinctCaptions: 2,
      top1: 0.75,
      top5: 1,
      misses: [{ caption: "dog", nearest: "cat" }],
    });
  });

  it("takes captions as equal that differ in case, punctuation and spaces only", async () => {
    const data = dataset(["Red cat!", "red  cat", "red, cat", "dog"], shades);
    const swapped = painted([0, -1, -0.5, 0.5]);
    for (const tokenizer of [undefined, Tokenizer.fromCaptions(data.captions)]) {
      expect(await retrieval(swapped, data, tokenizer)).toMatchObject({ distinctCaptions: 2, top1: 1, misses: [] });
    }
  });

  it("takes captions as equal of which the model reads the same: words cut off or unknown do not tell them apart", async () => {
    const data = dataset(["red cat on a mat", "red cat in a box", "lynx", "puma"], shades);
    const tokenizer = Tokenizer.fromCaptions(["red cat"], { length: 2 });
    const swapped = painted([-0.5, -1, 0.5, 0]);
    expect(await retrieval(swapped, data, tokenizer)).toMatchObject({ distinctCaptions: 2, top1: 1 });
    expect(await retrieval(swapped, data)).toMatchObject({ distinctCaptions: 4, top1: 0 });
  });

  it("tells unequal captions apart: order and number of words count", async () => {
    const data = dataset(["cat dog", "dog cat", "cat", "cat cat"], shades);
    const tokenizer = Tokenizer.fromCaptions(data.captions);
    expect(await retrieval(painted(shades), data, tokenizer)).toMatchObject({ distinctCaptions: 4 });
  });

  it("never counts a sample that is not finite as a hit", async () => {
    const data = dataset(["a", "b", "c", "d"], shades);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const { top1, top5, misses } = await retrieval(painted([bad, -0.5, 0, 0.5]), data);
      expect([top1, top5, misses]).toEqual([0.75, 0.75, [{ caption: "a" }]]);
    }
  });
});
