import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/backend/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { ConfigError, FormatError } from "../../src/base/errors.js";
import { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { readSafetensors, type TensorToWrite, writeSafetensors } from "../../src/io/safetensors.js";
import { loadCheckpoint, loadRunDescription, saveModel } from "../../src/node/checkpoint.js";
import { ptditConfig } from "../../src/ptdit/config.js";
import { exportModel } from "../../src/ptdit/exportModel.js";
import { flowConfig } from "../../src/ptdit/flow.js";
import { Generator } from "../../src/ptdit/generate.js";
import { Pipeline } from "../../src/ptdit/pipeline.js";
import { presets } from "../../src/ptdit/presets.js";
import { averagedPipeline, type Checkpoint, readCheckpoint } from "../../src/ptdit/readCheckpoint.js";
import { recipes } from "../../src/ptdit/recipes.js";
import { memoryStore, session } from "../../src/ptdit/session/index.js";
import { Trainer } from "../../src/ptdit/trainer.js";
import { defaultTraining } from "../../src/ptdit/trainingConfig.js";
import { weightTypes } from "../../src/ptdit/weightTypes.js";

const folder = mkdtempSync(join(tmpdir(), "ptdit-export-"));
const path = join(folder, "model.safetensors");
afterAll(() => rmSync(folder, { recursive: true }));

/** Pictures of one colour each, learned in seconds. */
const colours: Readonly<Record<string, readonly number[]>> = {
  "red square": [0.9, -0.8, -0.8],
  "green square": [-0.8, 0.7, -0.6],
  "blue square": [-0.9, -0.7, 0.8],
  white: [1, 1, 1],
};
const captions = Object.keys(colours);
const pictures = Float32Array.from(
  Object.values(colours).flatMap((colour) => colour.flatMap((level) => Array(64).fill(level))),
);
const data = new PictureSet({ name: "colours", size: 8, captions, pictures });
const settings = {
  // Wide enough that its matrices are quantised.
  model: ptditConfig({ heads: 2, headDim: 32, depth: 2, patch: 2, sampleSize: 8, captionChannels: 16 }),
  flow: recipes.clean.flow,
  training: { ...defaultTraining, batch: 8, warmup: 5, lr: 2e-3, emaDecay: 0.9, horizons: [0.1] },
};

let device: Device;
let trained: Checkpoint;
beforeAll(async () => {
  device = await wasm({ threads: 1 });
  const trainer = new Trainer(device, data, Tokenizer.fromCaptions(captions), settings);
  const store = memoryStore();
  for await (const _ of session(trainer, store, { steps: 60, prompts: [] }));
  trainer.dispose();
  trained = (await store.last()) as Checkpoint;
});
afterAll(() => device.close());

async function drawn(checkpoint: Checkpoint): Promise<Float32Array> {
  const { flow, size, sampling } = checkpoint.run;
  const generator = new Generator(device, averagedPipeline(checkpoint), flow, size, sampling);
  const result = await generator.pictures(captions, { steps: 8, seed: 1, guidance: 1 });
  generator.dispose();
  return result;
}
/** @units dB, of pictures in -1..1 */
const psnr = (a: Float32Array, b: Float32Array): number =>
  10 * Math.log10((4 * a.length) / a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0));

const average = ({ state }: Checkpoint) => [...state].filter(([name]) => name.startsWith("average."));
/** Root of the squared errors of every row, as a part of the row's. */
function rowErrors(own: ArrayLike<number>, again: ArrayLike<number>, width: number): number[] {
  return Array.from({ length: own.length / width }, (_, row) => {
    const places = Array.from({ length: width }, (_, i) => row * width + i);
    const size = Math.hypot(...places.map((i) => own[i]));
    return size === 0 ? 0 : Math.hypot(...places.map((i) => own[i] - again[i])) / size;
  });
}

describe.each(weightTypes)("a model exported as %s", (type) => {
  it("is read as a checkpoint's average, from bytes and from a file", async () => {
    const bytes = await exportModel(trained, { type });
    const { run, state } = readCheckpoint(bytes);
    // Averages of other horizons stay behind.
    expect(run).toEqual({ ...trained.run, training: { ...trained.run.training, horizons: [] } });
    expect([...state.keys()]).toEqual(average(trained).map(([name]) => name));
    await saveModel(path, trained, { type });
    expect(Buffer.compare(readFileSync(path), bytes)).toBe(0);
    for (const parts of [["average"], ["weights", "average", "optimizer"]] as const)
      expect(await loadCheckpoint(path, { parts })).toEqual({ run, state });
    expect(await loadRunDescription(path)).toEqual(run);
    expect((await loadCheckpoint(path, { parts: ["weights"] })).state.size).toBe(0);
  });

  it("keeps every row to what the type can hold", async () => {
    const { state } = readCheckpoint(await exportModel(trained, { type }));
    const most = { f32: 0, f16: 2 ** -11, int8: 0.02 }[type];
    for (const [name, { shape, data }] of average(trained)) {
      // Below 6e-5 halves have fewer digits.
      if (type !== "f32" && shape.length === 1) continue;
      for (const error of rowErrors(data, state.get(name)!.data, shape.at(-1)!)) expect(error, name).toBeLessThanOrEqual(most);
    }
  });

  it("draws what the run draws", async () => {
    const [own, again] = [await drawn(trained), await drawn(readCheckpoint(await exportModel(trained, { type })))];
    expect(psnr(own, again)).toBeGreaterThan({ f32: 200, f16: 70, int8: 40 }[type]);
    // And that is something: the model is off by more than the type is.
    expect(psnr(own, pictures)).toBeGreaterThan(15);
    expect(psnr(own, pictures)).toBeLessThan(40);
  });

  it("is the same when it is exported again", async () => {
    const bytes = await exportModel(trained, { type });
    expect(Buffer.compare(await exportModel(readCheckpoint(bytes), { type }), bytes)).toBe(0);
  });
});

it("the average of a horizon is exported as the model's only one", async () => {
  const own = readCheckpoint(await exportModel(trained, { type: "f32", horizon: 0.1 }));
  const [a, b] = [averagedPipeline(own), averagedPipeline(trained, { horizon: 0.1 })];
  expect(await a.state(device)).toEqual(await b.state(device));
  expect(await a.state(device)).not.toEqual(await averagedPipeline(trained).state(device));
  expect(() => averagedPipeline(own, { horizon: 0.1 })).toThrow("no average of horizon 0.1, but none");
});

it("nano with the words of 1,400 emoji takes less than 4 MB as int8, and half its float32 as f16", async () => {
  const words = Array.from({ length: 1400 }, (_, i) => `word${i}`);
  const { config } = presets.nano;
  const model = { ...config, ...recipes.clean.model(config) };
  const tokenizer = Tokenizer.fromCaptions(words);
  const pipeline = new Pipeline({ model, captioner: tokenizer });
  const state = new Map([...(await pipeline.state(device))].map(([name, entry]) => [`average.${name}`, entry] as const));
  const checkpoint = { run: { ...trained.run, model, tokenizer: tokenizer.toJSON() }, state };
  const bytes = async (type: (typeof weightTypes)[number]) => (await exportModel(checkpoint, { type })).length;
  expect(pipeline.parameterCount).toBeGreaterThan(3.25e6);
  expect(await bytes("int8")).toBeLessThan(4e6);
  expect(await bytes("f16")).toBeLessThan(0.52 * (await bytes("f32")));
});

describe("what cannot be exported", () => {
  const name = "average.model.blocks.0.mlp.first.bias";
  const withNumber = (x: number): Checkpoint => {
    const { shape, data } = trained.state.get(name)!;
    return { ...trained, state: new Map(trained.state).set(name, { shape, data: Float32Array.from(data).fill(x, 3, 4) }) };
  };
  const refused = async (checkpoint: Checkpoint, options: object, message: string) => {
    const failure = (async () => exportModel(checkpoint, options))();
    await expect(failure).rejects.toThrow(ConfigError);
    await expect(failure).rejects.toThrow(message);
  };

  it.each([
    [65520, "f16", 'blocks.0.ff.net.0.proj.bias" holds 65520, f16 ends at 65504. Export it as f32.'],
    [-1e6, "int8", "holds -1000000, f16 ends at 65504"],
    [Number.NaN, "f32", "holds NaN, which is not finite"],
    [Number.NEGATIVE_INFINITY, "int8", "holds -Infinity, which is not finite"],
  ] as const)("%d as %s is refused by name", (x, type, message) => refused(withNumber(x), { type }, message));

  it("65504 and the largest float32 are not", async () => {
    for (const [x, type] of [
      [65504, "f16"],
      [3.4028234663852886e38, "f32"],
    ] as const)
      expect(readCheckpoint(await exportModel(withNumber(x), { type })).state.get(name)!.data[3]).toBe(x);
  });

  it("a checkpoint without its average, and other options, are refused", async () => {
    await refused({ ...trained, state: new Map() }, {}, "has no averaged weights among its 0 entries");
    await refused(trained, { horizon: 0.2 }, "has no average of horizon 0.2 among its");
    await refused(trained, { type: "int4" }, "type must be one of f32, f16, int8");
    await refused(Object(5), {}, "what readCheckpoint or loadCheckpoint gave");
  });
});

describe("a damaged model", () => {
  const matrix = "average.transformer_blocks.0.ff.net.0.proj.weight";
  /** The exported file with other tensors or metadata. */
  async function changed(
    change: (tensors: Map<string, TensorToWrite>, metadata: Record<string, string>) => void,
  ): Promise<Uint8Array> {
    const { tensors, metadata } = readSafetensors(await exportModel(trained, { type: "int8" }), "x");
    const written = new Map<string, TensorToWrite>();
    for (const [name, { shape, data, dtype }] of tensors)
      written.set(name, { shape, data, dtype: dtype === "I8" ? "I8" : dtype === "F16" ? "F16" : "F32" });
    const own = { ...metadata };
    change(written, own);
    return writeSafetensors(written, own);
  }
  it.each<[string, Parameters<typeof changed>[0], string]>([
    ["without scales", (tensors) => tensors.delete(`${matrix}.scales`), `I8 without its scales, "${matrix}.scales"`],
    [
      "with scales of another matrix",
      (tensors) => tensors.set(`${matrix}.scales`, { shape: [3], data: [1, 1, 1] }),
      "with scales [3] as F32, one float a row is needed",
    ],
    [
      "with scales that are whole numbers",
      (tensors) => tensors.set(`${matrix}.scales`, { shape: [256], data: new Int8Array(256), dtype: "I8" }),
      "with scales [256] as I8",
    ],
    [
      "with a negative scale",
      (tensors) => tensors.set(`${matrix}.scales`, { shape: [256], data: new Float32Array(256).fill(-1, 9, 10) }),
      "a scale that is not a finite number of at least 0",
    ],
    [
      "with scales of what is not quantised",
      (tensors) => tensors.set(`${matrix}`, { shape: [256, 64], data: new Float32Array(256 * 64) }),
      `"${matrix}" as F32`,
    ],
    [
      "with whole numbers for a table",
      (tensors) => tensors.set("average.scale_shift_table", { shape: [2, 64], data: new Int8Array(128), dtype: "I8" }),
      '"average.scale_shift_table" as I8 without its scales',
    ],
    [
      "of a later version",
      (_, metadata) => {
        metadata.weights = "int4";
      },
      'keeps its weights as "int4", this version reads f32, f16, int8. Update ptdit',
    ],
  ])("%s is refused in a line", async (_, change, message) => {
    const bytes = await changed(change);
    writeFileSync(path, bytes);
    expect(() => readCheckpoint(bytes, "model")).toThrow(FormatError);
    expect(() => readCheckpoint(bytes, "model")).toThrow(message);
    await expect(loadCheckpoint(path)).rejects.toThrow(message);
  });

  it("that lacks a matrix, or has scales of nothing, is refused where it is used", async () => {
    const without = readCheckpoint(
      await changed((tensors) => [matrix, `${matrix}.scales`].map((name) => tensors.delete(name))),
    );
    expect(() => averagedPipeline(without)).toThrow(/mlp\.first\.weight.* is missing/);
    const orphan = readCheckpoint(await changed((tensors) => tensors.set("average.none.scales", { shape: [1], data: [1] })));
    expect(() => averagedPipeline(orphan)).toThrow("the state has 1 entries the model lacks");
  });

  it("that is cut off is refused", async () => {
    const bytes = await exportModel(trained, { type: "int8" });
    for (let length = 0; length < bytes.length; length += 997)
      expect(() => readCheckpoint(bytes.subarray(0, length))).toThrow(FormatError);
  });
});

it("a run's settings come with the model", () => {
  expect(trained.run).toMatchObject({ data: "colours", size: 8, flow: flowConfig(settings.flow), step: 60 });
});
