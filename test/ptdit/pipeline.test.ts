/** Parts that another project might bring: a codec of latents, a text encoder that is frozen. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gatherRows, mul, reshape, sub, transpose } from "../../src/autograd/ops/index.js";
import { constant, input } from "../../src/autograd/tensor.js";
import type { Device } from "../../src/backend/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { ConfigError } from "../../src/base/errors.js";
import { normalNumbers } from "../../src/base/random.js";
import type { Dataset } from "../../src/data/dataset.js";
import { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { Module } from "../../src/nn/module.js";
import { compile } from "../../src/program/program.js";
import type { Codec } from "../../src/ptdit/codec.js";
import { ptditConfig } from "../../src/ptdit/config.js";
import { lossByTimestep } from "../../src/ptdit/evaluate.js";
import { flowConfig } from "../../src/ptdit/flow.js";
import { Generator } from "../../src/ptdit/generate.js";
import { Pipeline } from "../../src/ptdit/pipeline.js";
import { averagedPipeline } from "../../src/ptdit/readCheckpoint.js";
import { memoryStore, session } from "../../src/ptdit/session/index.js";
import type { EncoderKind } from "../../src/ptdit/text.js";
import { Trainer, type TrainerOptions } from "../../src/ptdit/trainer.js";
import { defaultTraining } from "../../src/ptdit/trainingConfig.js";

const captions = ["red apple", "green tree", "blue car", "yellow sun"];
const captioner = Tokenizer.fromCaptions(captions);
const pictures = Float32Array.from(normalNumbers(captions.length * 192, 3, 0));
const data = new PictureSet({ name: "noise", size: 8, captions, pictures });

/** Squares of 2 x 2 pixels become channels, at half their size. */
const folding: Codec = {
  kind: "folding",
  factor: 2,
  encode(samples) {
    const [batch, channels, frames, rows, columns] = samples.shape as [number, number, number, number, number];
    const squares = reshape(samples, [batch, channels, frames, rows / 2, 2, columns / 2, 2]);
    return reshape(mul(transpose(squares, [0, 1, 4, 6, 2, 3, 5]), 0.5), [batch, 4 * channels, frames, rows / 2, columns / 2]);
  },
  decode(latents) {
    const [batch, channels, frames, rows, columns] = latents.shape as [number, number, number, number, number];
    const squares = reshape(mul(latents, 2), [batch, channels / 4, 2, 2, frames, rows, columns]);
    return reshape(transpose(squares, [0, 1, 4, 5, 2, 6, 3]), [batch, channels / 4, frames, 2 * rows, 2 * columns]);
  },
};

/** A vector of fixed numbers for every word. */
class FixedEncoder extends Module {
  constructor(
    private readonly table: Float32Array,
    readonly channels: number,
  ) {
    super();
  }
  forward(ids: ReturnType<typeof input>, keep: ReturnType<typeof input>) {
    const rows = constant(this.table, [1, this.table.length / this.channels, this.channels]);
    const [batch, length] = ids.shape as [number, number];
    return { caption: reshape(gatherRows(rows, reshape(ids, [1, batch * length])), [batch, length, this.channels]), keep };
  }
  dropped({ caption, keep }: ReturnType<FixedEncoder["forward"]>, drop: ReturnType<typeof input>) {
    return { caption, keep: mul(keep, sub(1, reshape(drop, [drop.size, 1]))) };
  }
}
const fixed: EncoderKind = {
  kind: "fixed",
  make: ({ size }, channels) => new FixedEncoder(Float32Array.from(normalNumbers(size * channels, 9, 0)), channels),
};

const folded = ptditConfig({
  ...{ heads: 2, headDim: 16, depth: 1, patch: 2, sampleSize: 4, captionChannels: 16 },
  ...{ window: [1, 1, 1], inChannels: 12, outChannels: 12 },
} as const);

let device: Device;
beforeAll(async () => {
  device = await wasm({ threads: 1 });
});
afterAll(() => device.close());

function make(on: Dataset, parts: Partial<TrainerOptions>): Trainer {
  const training = { ...defaultTraining, batch: 4, warmup: 0 };
  const own = new Trainer(device, on, captioner, { model: folded, flow: flowConfig(), training, ...parts });
  own.plan(10);
  return own;
}
async function encoded(): Promise<Dataset> {
  const x = input([captions.length, 3, 1, 8, 8]);
  const program = compile(device, { inputs: { x }, outputs: { z: folding.encode(x) } });
  const latents = Float32Array.from((await program.run({ x: pictures })).z.data);
  const sample = async (i: number) => latents.subarray(i * 192, (i + 1) * 192);
  return { name: "latents", count: captions.length, shape: [12, 1, 4, 4], captions, sample };
}

describe("a codec", () => {
  it("trains, measures and draws as its latents do", async () => {
    const found = [];
    for (const [on, codec] of [[data, folding] as const, [await encoded(), undefined] as const]) {
      const own = make(on, codec ? { codec } : {});
      const losses = [];
      for (let i = 0; i < 3; i++) losses.push((await own.next()).loss);
      const byTime = await lossByTimestep(device, own.average, flowConfig(), on);
      const generator = new Generator(device, own.average, flowConfig(), codec ? 8 : 4);
      const drawn = await generator.pictures(["red apple", "blue car"], { steps: 2 });
      found.push({ losses, byTime, drawn });
      generator.dispose();
      own.dispose();
    }
    const [pixels, latents] = found as [(typeof found)[0], (typeof found)[0]];
    expect(pixels.losses).toEqual(latents.losses);
    expect(pixels.byTime).toEqual(latents.byTime);
    const z = input([2, 12, 1, 4, 4]);
    const decoder = compile(device, { inputs: { z }, outputs: { x: folding.decode(z) } });
    expect(pixels.drawn).toEqual(Float32Array.from((await decoder.run({ z: latents.drawn })).x.data));
    expect(pixels.drawn.length).toBe(2 * 3 * 8 * 8);
  });

  it("whose latents the model does not read is refused, and so is a size that gives no whole patches", () => {
    const three = ptditConfig({ ...folded, inChannels: 3 });
    expect(() => make(data, { codec: folding, model: three })).toThrow(
      "the data set's samples are [3, 1, 8, 8], their latents [12, 1, 4, 4], the model reads 3 channels",
    );
    const pipeline = new Pipeline({ model: folded, captioner, codec: folding });
    expect(() => new Generator(device, pipeline, flowConfig(), 6)).toThrow("size 6 is not a whole number of patches of 4");
  });
});

describe("a run of parts of one's own", () => {
  it("keeps their kinds, and is drawn with them alone", async () => {
    const own = make(data, { codec: folding, encoder: fixed });
    const store = memoryStore();
    for await (const _ of session(own, store, { steps: 2, prompts: [] }));
    const other = make(data, { codec: { ...folding, kind: "other" }, encoder: fixed });
    const events = session(other, store, { steps: 3 });
    await expect(events.next()).rejects.toThrow('codec is "folding" there and "other" here');
    other.dispose();
    const learned = [...own.model.parameters().keys()];
    expect(learned.some((name) => name.startsWith("text."))).toBe(false);
    own.dispose();
    const last = await store.last();
    if (!last) throw new Error("nothing was saved");
    expect([last.run.codec, last.run.encoder]).toEqual(["folding", "fixed"]);
    expect(() => averagedPipeline(last)).toThrow(ConfigError);
    expect(() => averagedPipeline(last)).toThrow('the run\'s codec "folding" is not of this library. Give it as { codec }.');
    expect(() => averagedPipeline(last, { codec: folding })).toThrow('encoder "fixed" is not of this library');
    expect(() => averagedPipeline(last, { codec: { ...folding, kind: "other" }, encoder: fixed })).toThrow(
      'the run\'s codec is "folding", got "other"',
    );
    const generator = new Generator(device, averagedPipeline(last, { codec: folding, encoder: fixed }), flowConfig(), 8);
    expect((await generator.pictures(["red apple"], { steps: 1 })).every(Number.isFinite)).toBe(true);
    generator.dispose();
  });
});
