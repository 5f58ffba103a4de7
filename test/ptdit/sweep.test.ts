import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/backend/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { ConfigError } from "../../src/base/errors.js";
import { evenly } from "../../src/base/evenly.js";
import { normalNumbers } from "../../src/base/random.js";
import { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { loadFeatureNet } from "../../src/node/features.js";
import { ptditConfig } from "../../src/ptdit/config.js";
import { flowConfig } from "../../src/ptdit/flow.js";
import { Generator } from "../../src/ptdit/generate.js";
import { type Judgement, judge } from "../../src/ptdit/judge.js";
import { Pipeline } from "../../src/ptdit/pipeline.js";
import { quality } from "../../src/ptdit/quality/index.js";
import { samplingConfig } from "../../src/ptdit/sampling.js";
import { ranked, type SweepAxes, type SweepRow, sweep, sweepSettings } from "../../src/ptdit/sweep.js";

const flow = flowConfig({ ratio: 4 });
const axes: SweepAxes = { solvers: ["euler"], steps: [4], guidance: [1], intervals: [[0, 1]] };

describe("ways to draw", () => {
  const ways = (own: Partial<SweepAxes>, path = flow) =>
    sweepSettings({ ...axes, ...own }, path).map(({ sampling, predictions }) => {
      const { method, steps, guidance, guidanceInterval, cfgZero } = sampling;
      return `${method} ${steps} ${guidance}${cfgZero ? "*" : ""} ${guidanceInterval.join("-")}: ${predictions}`;
    });

  it("cost what their solvers ask of the model, guided steps twice", () => {
    const solvers = ["euler", "heun", "ab2"] as const;
    expect(ways({ solvers })).toEqual(["euler 4 1 0-1: 4", "heun 4 1 0-1: 7", "ab2 4 1 0-1: 4"]);
    expect(ways({ solvers, guidance: [3] })).toEqual(["euler 4 3 0-1: 8", "heun 4 3 0-1: 14", "ab2 4 3 0-1: 8"]);
    // Steps begin at u = 1, .75, .5, .25 where the spacing is even: the last is outside.
    const guided = { solvers, guidance: [3], intervals: [[0.5, 1]] } as const;
    const even = flowConfig({ ratio: 1 });
    expect(ways(guided, even)).toEqual(["euler 4 3 0.5-1: 7", "heun 4 3 0.5-1: 13", "ab2 4 3 0.5-1: 7"]);
  });

  it("that draw the same are one", () => {
    const intervals = [
      [0, 1],
      [0.5, 1],
      [0, 0],
    ] as const;
    expect(ways({ guidance: [1, 3], intervals }, flowConfig({ ratio: 1 }))).toEqual([
      "euler 4 1 0-1: 4",
      "euler 4 3 0-1: 8",
      "euler 4 3 0.5-1: 7",
    ]);
    // At this spacing all of four steps begin above a half.
    expect(ways({ guidance: [3], intervals: intervals.slice(0, 2) })).toEqual(["euler 4 3 0-1: 8"]);
    // Heun's last step is Euler's.
    expect(ways({ solvers: ["euler", "heun"], steps: [1] })).toEqual(["euler 1 1 0-1: 1"]);
  });

  it("by CFG-Zero* do not ask in the steps that it stands still in, and are none where nothing guides", () => {
    const both = { steps: [50], guidance: [1, 3], cfgZero: [false, true] };
    expect(ways(both)).toEqual(["euler 50 1 0-1: 50", "euler 50 3 0-1: 100", "euler 50 3* 0-1: 96"]);
    // The solver begins after them.
    expect(ways({ ...both, solvers: ["heun"], guidance: [3] })).toEqual(["heun 50 3 0-1: 198", "heun 50 3* 0-1: 190"]);
    // The first two are not guided here: it stands still at the begin alone.
    expect(ways({ ...both, guidance: [3], intervals: [[0, 0.99]] })).toEqual([
      "euler 50 3 0-0.99: 98",
      "euler 50 3* 0-0.99: 98",
    ]);
  });

  it("are refused where an axis is empty or wrong", () => {
    expect(() => ways({ steps: [] })).toThrow(/sweep: steps must be a list that is not empty/);
    expect(() => ways({ intervals: [[1, 0]] })).toThrow(ConfigError);
  });
});

describe("a sweep", () => {
  const captions = ["red apple", "green tree", "blue car", "yellow sun", "old cat", "new dog"];
  const pictures = Float32Array.from(normalNumbers(captions.length * 3 * 64, 3, 0));
  const data = new PictureSet({ name: "noise", size: 8, captions, pictures });
  const model = ptditConfig({ heads: 2, headDim: 16, depth: 1, patch: 2, sampleSize: 8, captionChannels: 16 });
  const pipeline = new Pipeline({ model, captioner: Tokenizer.fromCaptions(captions) });
  // A fresh model says zero to everything.
  pipeline.load(
    new Map(
      [...pipeline.parameters()].map(([name, { shape, size }], i) => {
        return [name, { shape, data: Float32Array.from(normalNumbers(size, 1, i), (x) => 0.3 * x) }] as const;
      }),
    ),
  );
  let device: Device;
  beforeAll(async () => {
    device = await wasm({ threads: 1, vectors: "simd" });
  });
  afterAll(() => device.close());

  it("judges each way as an evaluation of these captions would", async () => {
    const settings = sweepSettings({ ...axes, solvers: ["euler", "heun"], steps: [2, 3] }, flow);
    const rows: SweepRow[] = [];
    for await (const row of sweep(device, pipeline, data, flow, settings, { seed: 4 })) rows.push(row);
    expect(rows.map(({ sampling, predictions }) => ({ sampling, predictions }))).toEqual(settings);
    const generator = new Generator(device, pipeline, flow, 8);
    for (const { sampling, judgement } of rows)
      expect(judgement).toEqual(await judge(generator, pipeline, data, { ...sampling, seed: 4 }));
    expect(new Set(rows.map(({ judgement }) => judgement.psnr)).size).toBe(4);
  });

  it("takes the kernel distance of the same samples where it is given a network", async () => {
    const features = await loadFeatureNet();
    const settings = sweepSettings({ ...axes, steps: [2] }, flow);
    const places = evenly(captions.length, 5);
    const found: SweepRow[] = [];
    for await (const row of sweep(device, pipeline, data, flow, settings, { captions: 5, features })) found.push(row);
    const generator = new Generator(device, pipeline, flow, 8);
    const prompts = places.map((i) => captions[i]);
    const samples = await generator.pictures(prompts, { ...found[0].sampling, streams: places });
    const { kid } = await quality(device, features, samples, data, places);
    expect(kid?.pairs).toBe(5);
    expect(found[0].kid).toEqual(kid);
    const without = sweep(device, pipeline, data, flow, settings, { captions: 5 });
    expect((await without.next()).value?.kid).toBe(null);
    await without.return();
    const wrong = sweep(device, pipeline, data, flow, settings, { features: {} as never });
    await expect(wrong.next()).rejects.toThrow("features must be a FeatureNet");
  });

  it("draws some captions as they are drawn among all, and looks for their pictures among all", async () => {
    const settings = sweepSettings(axes, flow);
    const [all, some]: [Judgement[], Judgement[]] = [[], []];
    for await (const { judgement } of sweep(device, pipeline, data, flow, settings)) all.push(judgement);
    for await (const { judgement } of sweep(device, pipeline, data, flow, settings, { captions: 2 })) some.push(judgement);
    expect(some[0]).toMatchObject({ captions: 2, distinctCaptions: 2, measured: 2 });
    const missed = all[0].misses.filter(({ caption }) => caption === captions[0] || caption === captions[3]);
    expect(some[0].misses).toEqual(missed);
    const most = sweep(device, pipeline, data, flow, settings, { captions: 100 });
    expect((await most.next()).value?.judgement).toEqual(all[0]);
    await most.return();
  });

  it("ranks by retrieval, then PSNR as it is shown, then cost", () => {
    const row = (name: number, top1: number, psnr: number | null, predictions: number): SweepRow => ({
      sampling: samplingConfig({ steps: name }),
      predictions,
      kid: null,
      judgement: {
        ...{ captions: 1, distinctCaptions: 1, top1, top5: 1, misses: [] },
        ...{ measured: 1, psnr, speckle: null, hf: null, seam: null },
      },
    });
    const rows = [row(5, 0.5, null, 1), row(4, 0.5, 30, 1), row(3, 1, 20, 4), row(2, 1, 20.31, 8), row(1, 1, 20.29, 4)];
    expect(ranked(rows).map(({ sampling }) => sampling.steps)).toEqual([1, 2, 3, 4, 5]);
  });
});
