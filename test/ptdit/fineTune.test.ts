import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/backend/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { ConfigError, FormatError } from "../../src/base/errors.js";
import { normalNumbers } from "../../src/base/random.js";
import type { Dataset } from "../../src/data/dataset.js";
import { PictureSet } from "../../src/data/pictureSet.js";
import { RehearsedSet } from "../../src/data/rehearsal.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { ptditConfig } from "../../src/ptdit/config.js";
import { exportModel } from "../../src/ptdit/exportModel.js";
import { beginFrom } from "../../src/ptdit/fineTune.js";
import { Generator } from "../../src/ptdit/generate.js";
import { averagedPipeline, type Checkpoint, readCheckpoint } from "../../src/ptdit/readCheckpoint.js";
import { recipes } from "../../src/ptdit/recipes.js";
import { memoryStore } from "../../src/ptdit/session/memoryStore.js";
import type { SessionOptions } from "../../src/ptdit/session/options.js";
import { session } from "../../src/ptdit/session/session.js";
import { Trainer } from "../../src/ptdit/trainer.js";
import { defaultTraining, type TrainingConfig } from "../../src/ptdit/trainingConfig.js";

const noise = (captions: readonly string[], seed: number) =>
  new PictureSet({
    name: `noise ${seed}`,
    size: 8,
    captions,
    pictures: Float32Array.from(normalNumbers(captions.length * 192, seed, 0)),
  });
const known = noise(["red apple", "green tree", "blue car", "yellow sun", "old red cat"], 3);
const own = noise(["red fox", "old fox", "zebra"], 4);
const words = Tokenizer.fromCaptions(known.captions);
const grown = words.grown(own.captions);
const model = ptditConfig({ heads: 2, headDim: 16, depth: 2, patch: 2, sampleSize: 8, captionChannels: 16 });

let device: Device;
let learned: Checkpoint;
beforeAll(async () => {
  device = await wasm({ threads: 1 });
  learned = (await go(trainer(known, words), { steps: 6 })).last;
});
afterAll(() => device.close());

function trainer(data: Dataset, tokenizer: Tokenizer, training: Partial<TrainingConfig> = {}, other = model): Trainer {
  const settings = { ...defaultTraining, optimizer: "muon", batch: 4, warmup: 2, ...training } as const;
  return new Trainer(device, data, tokenizer, { model: other, flow: recipes.clean.flow, training: settings });
}
/** Runs a session to its end; the trainer goes with it. */
async function go(trainer: Trainer, options: SessionOptions, store = memoryStore()) {
  for await (const _ of session(trainer, store, { prompts: [], ...options }));
  trainer.dispose();
  return { store, last: (await store.last()) as Checkpoint };
}
const rehearsed = new RehearsedSet(own, known, 0.5);

describe("a trainer that begins from a model", () => {
  it("has its averaged weights everywhere before the first step, and nothing of its optimiser", async () => {
    const trained = trainer(own, grown, { horizons: [0.1] });
    await beginFrom(trained, learned);
    const state = await trained.state();
    let [compared, zeros] = [0, 0];
    for (const [name, { data, shape }] of state) {
      const [, weight] = /^(?:weights|average|horizons\.100)\.(.+)$/.exec(name) ?? [];
      if (weight === undefined) {
        expect(name).toMatch(/^optimizer\./);
        expect(data.every((x) => x === 0)).toBe(true);
        zeros++;
        continue;
      }
      const { data: theirs, shape: before } = learned.state.get(`average.${weight}`)!;
      expect(data.subarray(0, theirs.length), name).toEqual(theirs);
      if (weight !== "text.words.weight") expect(shape).toEqual(before);
      compared++;
    }
    expect(compared).toBe(3 * trained.model.parameters().size);
    expect(zeros).toBeGreaterThan(0);
    expect(trained.step).toBe(0);
    trained.dispose();
  });

  it("has a row for every new word, as an untrained table has it", async () => {
    const [fresh, trained] = [trainer(own, grown), trainer(own, grown)];
    await beginFrom(trained, learned);
    const table = async (of: Trainer) => (await of.state()).get("weights.text.words.weight")!;
    const [{ data: untrained }, { data, shape }] = [await table(fresh), await table(trained)];
    expect(shape).toEqual([words.size + 2, 16]);
    const added = data.subarray(16 * words.size);
    expect(added).toEqual(untrained.subarray(16 * words.size));
    // As long as known ones, and far from each other and from these.
    const rows = Array.from({ length: grown.size }, (_, i) => Array.from(data.subarray(16 * i, 16 * (i + 1))));
    const cosine = (a: number[], b: number[]) =>
      a.reduce((sum, x, i) => sum + x * b[i], 0) / (Math.hypot(...a) * Math.hypot(...b));
    for (const row of rows.slice(words.size)) {
      expect(Math.hypot(...row)).toBeGreaterThan(2);
      for (const other of rows) if (other !== row) expect(cosine(row, other)).toBeLessThan(0.9);
    }
    for (const each of [fresh, trained]) each.dispose();
  });

  it("draws what the model draws, under known captions and new ones", async () => {
    const trained = trainer(own, grown);
    await beginFrom(trained, learned);
    const { flow } = learned.run;
    const ours = new Generator(device, trained.average, flow, 8);
    const theirs = new Generator(device, averagedPipeline(learned), flow, 8);
    const prompts = ["red apple", "old cat"];
    const drawn = (from: Generator) => from.pictures(prompts, { steps: 3, seed: 2 });
    expect(await drawn(ours)).toEqual(await drawn(theirs));
    for (const each of [ours, theirs, trained]) each.dispose();
  });

  it("begins from an exported model as from its run", async () => {
    const [a, b] = [trainer(own, grown), trainer(own, grown)];
    await beginFrom(a, learned);
    await beginFrom(b, readCheckpoint(await exportModel(learned, { type: "f32" })));
    expect(await a.state()).toEqual(await b.state());
    for (const each of [a, b]) each.dispose();
  });

  it("is refused what does not fit, and stays as it was", async () => {
    const refused = async (own: Trainer, from: Checkpoint, kind: typeof ConfigError, message: string) => {
      const before = await own.state();
      const failure = beginFrom(own, from);
      await expect(failure).rejects.toThrow(kind);
      await expect(failure).rejects.toThrow(message);
      expect(await own.state()).toEqual(before);
      own.dispose();
    };
    await refused(
      trainer(own, Tokenizer.fromCaptions(own.captions)),
      learned,
      ConfigError,
      'has no "red" where the model has it',
    );
    const { length, words: list } = grown.toJSON();
    const longer = Tokenizer.fromJSON({ length: length + 1, words: list, segmented: true });
    await refused(trainer(own, longer), learned, ConfigError, `reads ${length + 1} words, the model ${length}`);
    const wide = ptditConfig({ ...model, headDim: 32 });
    await refused(trainer(own, grown, {}, wide), learned, FormatError, "in the model");
    await refused(trainer(own, grown), { ...learned, state: new Map() }, FormatError, "has no averaged weight");
    const later = trainer(known, words);
    later.plan(9);
    await later.next();
    await refused(later, learned, ConfigError, "has taken 1 steps, which would be lost");
    await expect(beginFrom(trainer(own, grown), Object(5))).rejects.toThrow("what readCheckpoint or loadCheckpoint gave");
  });
});

describe("a run that rehearses", () => {
  const start = async (data: Dataset = rehearsed) => {
    const begun = trainer(data, grown);
    await beginFrom(begun, learned);
    return begun;
  };
  const rehearsal = {
    part: 0.5,
    sets: [
      { data: "noise 3", captions: "rich" },
      { data: "noise 5", recursive: true },
    ],
  } as const;
  const options = { steps: 9, source: { data: "noise 4", rehearsal } };

  it("that stopped and went on equals one that never did, bit for bit", async () => {
    const { store: straight, last } = await go(await start(), options);
    const { store: parts } = await go(await start(), { ...options, stopAt: 4 });
    // What resumes takes its weights from the checkpoint.
    await go(trainer(rehearsed, grown), options, parts);
    expect(Buffer.compare(parts.checkpoint!, straight.checkpoint!)).toBe(0);
    expect(last.run).toMatchObject({ data: "noise 4", rehearsal, tokenizer: grown.toJSON(), step: 9 });
    const { store: alone } = await go(await start(own), options);
    expect(Buffer.compare(alone.checkpoint!, straight.checkpoint!)).not.toBe(0);
  });

  it("sees of every batch the part that it was told", async () => {
    const seen: number[] = [];
    const data: Dataset = {
      ...{ name: rehearsed.name, count: rehearsed.count, shape: rehearsed.shape, captions: rehearsed.captions },
      sample: (index) => {
        seen.push(index);
        return rehearsed.sample(index);
      },
      draw: (batch, seed, step) => rehearsed.draw(batch, seed, step),
    };
    const begun = await start(data);
    begun.plan(9);
    for (let step = 0; step < 3; step++) {
      await begun.next();
      const batch = seen.splice(0);
      expect(batch).toHaveLength(4);
      expect(batch.filter((index) => index >= own.count)).toHaveLength(2);
    }
    begun.dispose();
  });

  it("is refused a way to draw that is none", () => {
    expect(() => trainer(Object.assign(Object.create(own), { draw: 5 }), grown)).toThrow("draw must be a function");
  });
});
