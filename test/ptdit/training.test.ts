import { afterEach, describe, expect, it } from "vitest";
import type { Device } from "../../src/backend/device.js";
import { type WasmOptions, wasm } from "../../src/backend/wasm/device.js";
import { normalNumbers } from "../../src/base/random.js";
import { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { ptditConfig } from "../../src/ptdit/config.js";
import { flowConfig, sampleTimes, transformTime } from "../../src/ptdit/flow.js";
import { Generator, unknownWords } from "../../src/ptdit/generate.js";
import { averagedPipeline, type RunDescription, readCheckpoint } from "../../src/ptdit/readCheckpoint.js";
import { recipes } from "../../src/ptdit/recipes.js";
import { solverNames } from "../../src/ptdit/solvers/index.js";
import { NonFiniteError } from "../../src/ptdit/stepReport.js";
import { Trainer } from "../../src/ptdit/trainer.js";
import { defaultTraining, type TrainingConfig } from "../../src/ptdit/trainingConfig.js";
import { writeCheckpoint } from "../../src/ptdit/writeCheckpoint.js";

const captions = ["red apple", "green tree", "blue car", "yellow sun", "old cat"];
const pictures = Float32Array.from(normalNumbers(captions.length * 3 * 64, 3, 0));
const data = new PictureSet({ name: "noise", size: 8, captions, pictures });
const tokenizer = Tokenizer.fromCaptions(captions);
const model = ptditConfig({ heads: 2, headDim: 16, depth: 2, patch: 2, sampleSize: 8, captionChannels: 16 });

const open: Device[] = [];
afterEach(() => {
  for (const device of open.splice(0)) device.close();
});
async function device(threads: number, options: WasmOptions = {}): Promise<Device> {
  const own = await wasm({ threads, ...options });
  open.push(own);
  return own;
}
function trainer(
  on: Device,
  training: Partial<TrainingConfig> = {},
  flow = flowConfig(),
  dataset = data,
  config = model,
): Trainer {
  const own = new Trainer(on, dataset, tokenizer, {
    model: config,
    flow,
    training: { ...defaultTraining, batch: 4, warmup: 5, ...training },
  });
  own.plan(20);
  return own;
}
/** A run of a trainer, as checkpoints describe it. */
function described({ options, step }: Trainer): RunDescription {
  const { model: own, flow, training } = options;
  const rest = { data: "noise", size: 8, tokenizer: tokenizer.toJSON(), steps: 20, smoothedLoss: null };
  return { model: own, flow, training, step, ...rest };
}
async function steps(own: Trainer, count: number): Promise<number[]> {
  const losses: number[] = [];
  for (let i = 0; i < count; i++) losses.push((await own.next()).loss);
  return losses;
}
const plain = async (own: Trainer) => [...(await own.state())].map(([name, entry]) => [name, [...entry.data]]);
const mean = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length;

describe("training", () => {
  it("gives the same bits on 1, 2, 3 and 4 threads", async () => {
    const states = [];
    for (const threads of [1, 2, 3, 4]) {
      const own = trainer(await device(threads));
      await steps(own, 20);
      states.push(await plain(own));
    }
    for (const state of states) expect(state).toEqual(states[0]);
  });

  it("gives the same bits on both builds that fuse, so that timing may choose between them", async () => {
    const states = [];
    const paired = new URL("../../dist/kernels/paired.wasm", import.meta.url); // also where the engine makes no vectors of two
    for (const options of [{ vectors: "relaxed" }, { kernels: paired }] as const) {
      const own = trainer(await device(2, options));
      await steps(own, 20);
      states.push(await plain(own));
    }
    expect(states[1]).toEqual(states[0]);
  });

  it("goes on from a saved state as if it had not stopped", async () => {
    const straight = trainer(await device(2));
    const losses = await steps(straight, 12);
    const first = trainer(await device(2));
    await steps(first, 5);
    const second = trainer(await device(2));
    second.restore(await first.state(), 5);
    expect(await steps(second, 7)).toEqual(losses.slice(5));
    expect(await plain(second)).toEqual(await plain(straight));
  });

  it("does both with everything on that a recipe may have", async () => {
    const everything: Partial<TrainingConfig> = {
      ...recipes.clean.training,
      ...{ batch: 4, warmup: 2, stratified: true, mirror: true, shift: 1, horizons: [0.05, 0.1] },
      ...{ weightDecay: 0.5, accumulate: 2, huber: 0.1 },
    };
    const layers = { qkNorm: true, norm: "rms", mlp: "swiglu" } as const;
    const own = ptditConfig({ ...model, ...layers, overlap: 1, pooledCaption: true, pooledHidden: 24 });
    const variants = [["apple", "green apple"], [], ["car, blue"], ["sun", "red sun", "yellow"], ["cat, old"]];
    const rich = new PictureSet({ name: "rich noise", size: 8, captions, variants, pictures });
    const made = async (threads: number) => trainer(await device(threads), everything, recipes.clean.flow, rich, own);
    const straight = await made(3);
    const losses = await steps(straight, 8);
    const first = await made(1);
    await steps(first, 3);
    const state = await first.state();
    const second = await made(2);
    second.restore(state, 3);
    expect(await steps(second, 5)).toEqual(losses.slice(3));
    expect(await plain(second)).toEqual(await plain(straight));
    // Each of these changes what is learned, so that it is on indeed.
    for (const [training, dataset, config] of [
      [{ ...everything, weightDecay: 0 }, rich, own],
      [{ ...everything, huber: 0 }, rich, own],
      [everything, data, own],
      [everything, rich, { ...own, pooledHidden: 0 }],
    ] as const) {
      const other = trainer(await device(1), training, recipes.clean.flow, dataset, config);
      expect(await steps(other, 4)).not.toEqual(losses.slice(0, 4));
    }

    // Every average is kept by its horizon, and read back as a pipeline of its own.
    const saved = readCheckpoint(await writeCheckpoint({ run: described(straight), state: await straight.state() }));
    const numbers = async (horizon?: number) => {
      const pipeline = averagedPipeline(saved, { ...(horizon && { horizon }) });
      return [...(await pipeline.state(straight.device)).values()].flatMap(({ data: own }) => [...own]);
    };
    const [usual, narrow, wide] = [await numbers(), await numbers(0.05), await numbers(0.1)];
    expect(narrow).not.toEqual(usual);
    expect(narrow).not.toEqual(wide);
    const [, pipeline] = [...straight.horizons][0];
    expect([...(await pipeline.state(straight.device)).values()].flatMap(({ data: own }) => [...own])).toEqual(narrow);
    expect(() => averagedPipeline(saved, { horizon: 0.2 })).toThrow("no average of horizon 0.2, but 0.05, 0.1");
  });

  it("computes a batch in parts as in one, up to rounding", async () => {
    const on = await device(2);
    const [whole, parts] = [await steps(trainer(on), 4), await steps(trainer(on, { accumulate: 2 }), 4)];
    whole.forEach((loss, i) => {
      expect(parts[i]).toBeCloseTo(loss, 4);
    });
  });

  it.each(["flow", "v", "epsilon", "x"] as const)("learns with prediction %s", async (prediction) => {
    const own = trainer(await device(2), { captionDropout: 0, lr: 3e-3 }, flowConfig({ prediction }));
    own.plan(150);
    const losses = await steps(own, 150);
    expect(mean(losses.slice(-40))).toBeLessThan(0.9 * mean(losses.slice(0, 10)));
  });

  it("uses as much memory at step 30 as at step 2", async () => {
    const on = await device(1);
    const own = trainer(on);
    const bytes = () => (on as unknown as { memory: WebAssembly.Memory }).memory.buffer.byteLength;
    await steps(own, 2);
    const before = bytes();
    await steps(own, 28);
    expect(bytes()).toBe(before);
  });

  it("stops at the first number that is not finite, names its maker, and keeps the weights", async () => {
    const poisoned = new PictureSet({
      name: "poisoned",
      size: 8,
      captions,
      pictures: new Float32Array(pictures.length).fill(Number.NaN),
    });
    const own = trainer(await device(2), {}, flowConfig(), poisoned);
    const before = await plain(own);
    await expect(own.next()).rejects.toThrow(NonFiniteError);
    await expect(own.next()).rejects.toThrow(/first NaN by call \d+: \w+ \(.*\) \| .* <- .*\. The weights/);
    expect(await plain(own)).toEqual(before);
  });
});

describe("sampling", () => {
  it.each(solverNames)("draws the same picture for the same seed: %s", async (method) => {
    const on = await device(2);
    const own = trainer(on);
    await steps(own, 5);
    const generator = new Generator(on, own.average, flowConfig(), data.size);
    const draw = (seed: number) => generator.pictures(["red apple"], { steps: 3, seed, method });
    const [first, again, other] = [await draw(1), await draw(1), await draw(2)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    expect(first.every(Number.isFinite)).toBe(true);
  });

  it("names unknown words and what they may have meant", () => {
    expect(unknownWords(tokenizer, ["red aple"])).toMatchObject([{ word: "aple", nearest: expect.arrayContaining(["apple"]) }]);
  });

  it("lays times from noise to data", () => {
    expect(sampleTimes(2, 1)).toEqual([1, 0.5, 0]);
    expect(transformTime(0.5, 4)).toBeCloseTo(0.8);
    expect(() => sampleTimes(0, 1)).toThrow("at least 1");
  });
});
