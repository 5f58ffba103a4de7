import { afterAll, beforeAll, expect, it } from "vitest";
import { memoryAdvice } from "../../cli/training/memory.js";
import { pictureModel } from "../../cli/training/newRun.js";
import { type WasmDevice, wasm } from "../../src/backend/wasm/device.js";
import { DeviceError } from "../../src/base/errors.js";
import { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import type { RunDescription } from "../../src/node/checkpoint.js";
import { flowConfig } from "../../src/ptdit/flow.js";
import { type PresetName, presets } from "../../src/ptdit/presets.js";
import { defaultTraining } from "../../src/ptdit/trainingConfig.js";

let device: WasmDevice;
beforeAll(async () => {
  device = await wasm({ threads: 1 });
});
afterAll(() => device.close());

const captions = ["red apple", "green tree"];
const dataOf = (size: number) => {
  const pictures = new Float32Array(captions.length * 3 * size * size);
  return new PictureSet({ name: "none", size, captions, pictures });
};
const runOf = (preset: PresetName, size: number, batch: number, checkpointing = false): RunDescription => ({
  model: pictureModel(presets[preset], size, { inChannels: 3 }),
  flow: flowConfig(),
  training: { ...defaultTraining, batch, checkpointing },
  data: "none",
  size,
  tokenizer: Tokenizer.fromCaptions(captions).toJSON(),
  step: 0,
  steps: 1,
  smoothedLoss: null,
});
const short = new DeviceError("wasm: too much. Lower the batch size.");
const advised = (run: RunDescription, limit: number) => memoryAdvice(short, device, dataOf(run.size), run, limit);
const MiB = 2 ** 20;

it.each<[string, RunDescription, number, RegExp]>([
  ["parts of the batch", runOf("tiny", 16, 16), 165, /at batch 16 this model needs .*Would fit: .*--accumulate \d+ \(/],
  ["parts and checkpointing", runOf("tiny", 32, 8, true), 155, /with checkpointing .*Would fit: --accumulate \d+ \(/],
  [
    "a smaller model",
    runOf("paper-xl", 32, 1, true),
    200,
    /more than its 16\.\d GiB of weights .*--preset (nano|tiny) --batch 1 --checkpointing/,
  ],
])("advises %s, and what is advised fits", (_, run, limit, message) => {
  const { message: said, cause } = advised(run, limit * MiB);
  expect(said).toMatch(message);
  expect(said).not.toContain("\n");
  expect(cause).toBe(short);
  for (const [flags] of said.matchAll(/--[^(]+(?= \()/g)) {
    const value = (flag: string) => new RegExp(`--${flag} (\\S+)`).exec(flags)?.[1];
    const preset = value("preset") as PresetName | undefined;
    const checkpointing = /--checkpointing/.test(flags) || run.training.checkpointing;
    const accumulate = Number(value("accumulate") ?? 1);
    const next = preset ? runOf(preset, run.size, 1) : run;
    expect(advised({ ...next, training: { ...next.training, accumulate, checkpointing } }, limit * MiB), flags).toBe(short);
  }
});

it("keeps the error that came when memory is not what was short, and says when nothing fits", () => {
  expect(advised(runOf("tiny", 8, 1), 4096 * MiB)).toBe(short);
  expect(advised(runOf("tiny", 8, 1), 130 * MiB).message).toMatch(/Choose a smaller model or smaller pictures\.$/);
});
