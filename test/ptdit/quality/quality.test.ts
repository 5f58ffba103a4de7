import { afterAll, describe, expect, it } from "vitest";
import { faultsOf } from "../../../scripts/faults.js";
import { ConfigError, FormatError } from "../../../src/base/errors.js";
import { evenly } from "../../../src/base/evenly.js";
import { PictureSet } from "../../../src/data/pictureSet.js";
import { reference, wasm } from "../../../src/index.js";
import { Seed } from "../../../src/nn/index.js";
import { loadFeatureNet } from "../../../src/node/features.js";
import { loadDataset } from "../../../src/node/load.js";
import {
  FeatureNet,
  featureCount,
  featureNetOf,
  featuresOf,
  type Kid,
  kid,
  quality,
} from "../../../src/ptdit/quality/index.js";

const device = await wasm({ threads: 1 });
afterAll(() => device.close());
const net = await loadFeatureNet();
const side = 32;
const numbers = 3 * side ** 2;
const core = await loadDataset("emoji:core", { size: side });
const chosen = evenly(core.count, 240);
const real = chosen.map((i) => core.pictures.subarray(i * numbers, (i + 1) * numbers));
const joined = (pictures: readonly Float32Array[]) => Float32Array.from(pictures.flatMap((picture) => [...picture]));
const data = new PictureSet({
  name: "some emoji",
  size: side,
  captions: chosen.map((i) => core.captions[i]),
  pictures: joined(real),
});

const { mirrored, styled, blurred, noisy } = faultsOf(real, side);

const seen = await featuresOf(device, net, real, side);
const distance = async (samples: readonly Float32Array[]): Promise<Kid> =>
  kid(seen, await featuresOf(device, net, samples, side), { draws: 60 });

describe("the features that come with the package", () => {
  it("order what is less and less like real pictures", async () => {
    const halves = kid(
      seen.filter((_, i) => i % 2 === 0),
      seen.filter((_, i) => i % 2 === 1),
      { draws: 60 },
    );
    const style = await distance(styled());
    const blur = await distance(blurred(2));
    const noise = await distance(noisy(0.8));
    expect(halves.value).toBeLessThan(halves.floor);
    expect(style.value).toBeGreaterThan(halves.value);
    expect(style.interval[0]).toBeGreaterThan(style.floor);
    // Each apart from the next by more than chance.
    expect(blur.interval[0]).toBeGreaterThan(style.interval[1]);
    expect(noise.interval[0]).toBeGreaterThan(blur.interval[1]);
  });

  it("see more of more blur and more noise, and hardly anything of a mirror", async () => {
    const mirror = await distance(mirrored());
    expect(mirror.value).toBeLessThan(mirror.floor);
    for (const sets of [
      [blurred(1), blurred(2), blurred(4)],
      [noisy(0.1), noisy(0.3), noisy(0.8)],
    ]) {
      const values: number[] = [];
      for (const set of sets) values.push((await distance(set)).value);
      expect(values[0]).toBeGreaterThan(mirror.value);
      expect(values).toEqual([...values].sort((a, b) => a - b));
    }
  });

  it("have the same length for every picture, about 0 in the mean, and come as in float64", async () => {
    const means = Array.from({ length: featureCount }, (_, f) => seen.reduce((sum, one) => sum + one[f], 0) / seen.length);
    for (const one of seen) expect(one.reduce((sum, value) => sum + value ** 2, 0) / featureCount).toBeCloseTo(1, 4);
    for (const mean of means) expect(Math.abs(mean)).toBeLessThan(0.5);
    const slow = reference();
    const [exact] = await featuresOf(slow, net, real.slice(0, 1), side);
    slow.close();
    for (const [f, value] of exact.entries()) expect(seen[0][f]).toBeCloseTo(value, 4);
  });

  it("are of each picture by itself, whatever stands beside it", async () => {
    const some = await featuresOf(device, net, [real[40], real[3]], side);
    expect(some.length).toBe(2);
    expect(some[0]).toEqual(seen[40]);
    expect(some[1]).toEqual(seen[3]);
    expect(await featuresOf(device, net, [], side)).toEqual([]);
  });
});

describe("a feature net's file", () => {
  it("is refused if it is of something else, or not whole", async () => {
    const tensors = new Map();
    expect(() => featureNetOf({ metadata: {}, tensors })).toThrow(FormatError);
    expect(() => featureNetOf({ metadata: {}, tensors })).toThrow('must be "ptdit features 1", got undefined.');
    expect(() => featureNetOf({ metadata: { kind: "ptdit features 1" }, tensors })).toThrow(
      /parameter "stages\.0\.weight" .* is missing/,
    );
  });

  it("holds a network that fits in a page", () => {
    expect(net.parameterCount).toBeLessThan(100_000);
    expect(net.parameterCount).toBe(new FeatureNet(new Seed(0)).parameterCount);
  });
});

describe("quality", () => {
  it("of the training pictures again is no distance, and nothing new", async () => {
    const { kid, novelty } = await quality(device, net, joined(real), data);
    expect(kid).toMatchObject({ pairs: 240, value: 0, interval: [0, 0] });
    expect(novelty).toMatchObject({ samples: 240, nearest: 0, novel: 0 });
    expect(novelty?.nearestReal).toBeGreaterThan(10);
    expect(novelty?.novelReal).toBeGreaterThan(0.3);
  });

  it("of other pictures of the kind is within the floor, and new", async () => {
    const others = evenly(core.count, 240).map((i) => (i + 2) % core.count);
    const samples = joined(others.map((i) => core.pictures.subarray(i * numbers, (i + 1) * numbers)));
    const { kid, novelty } = await quality(device, net, samples, data);
    expect(kid?.value).toBeLessThan(kid?.floor ?? 0);
    expect(novelty?.novel).toBeGreaterThan(0.3);
  });

  it("calls noisy and mirrored copies what they are", async () => {
    for (const copies of [noisy(0.1), mirrored()]) {
      const { novelty } = await quality(device, net, joined(copies), data);
      expect(novelty?.novel).toBeLessThan(0.05);
    }
  });

  it("is of some of the captions where places are given, held against all training pictures", async () => {
    const places = [7, 100, 20, 9];
    const { kid, novelty } = await quality(device, net, joined(places.map((i) => real[i])), data, places);
    expect([kid?.pairs, kid?.value, novelty?.samples, novelty?.nearest]).toEqual([4, 0, 4, 0]);
    // Under other captions: all are there, none is new, and the distance is one.
    const swapped = await quality(device, net, joined([...places].reverse().map((i) => real[i])), data, places);
    expect(swapped.kid?.value).not.toBe(0);
    expect(swapped.novelty?.novel).toBe(0);
  });

  it("leaves out samples that are not finite, and says null of too few", async () => {
    const broken = joined(real);
    broken[5 * numbers] = Number.NaN;
    expect(await quality(device, net, broken, data)).toMatchObject({ kid: { pairs: 239 }, novelty: { samples: 239 } });
    const none = await quality(device, net, joined(real).fill(Number.NaN), data);
    expect(none).toEqual({ kid: null, novelty: null });
    const three = [0, 1, 2];
    const few = await quality(device, net, joined(three.map((i) => real[i])), data, three);
    expect([few.kid, few.novelty?.samples]).toEqual([null, 3]);
  });

  it("holds JSON's numbers alone", async () => {
    const found = await quality(device, net, joined(blurred(1)), data);
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  });

  it("refuses what is no square picture in colour", async () => {
    const shape = [1, 1, 2, 2] as const;
    const grey = { name: "grey", count: 1, shape, captions: ["a"], sample: async () => new Float32Array(4) };
    await expect(quality(device, net, new Float32Array(4), grey)).rejects.toThrow(ConfigError);
    await expect(quality(device, net, new Float32Array(4), grey)).rejects.toThrow(
      'quality: pictures must have 3 channels, those of "grey" have 1.',
    );
    await expect(quality(device, net, new Float32Array(4), data)).rejects.toThrow("as many numbers as the data set holds");
    await expect(quality(device, {} as never, joined(real), data)).rejects.toThrow("the network must be a FeatureNet");
  });
});
