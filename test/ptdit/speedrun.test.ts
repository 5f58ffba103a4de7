import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Device } from "../../src/backend/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { ConfigError } from "../../src/base/errors.js";
import { normalNumbers } from "../../src/base/random.js";
import { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { ptditConfig } from "../../src/ptdit/config.js";
import { flowConfig } from "../../src/ptdit/flow.js";
import { recipeNames, recipes } from "../../src/ptdit/recipes.js";
import { type SpeedrunOptions, speedrun, speedrunEvery } from "../../src/ptdit/speedrun.js";
import { Trainer } from "../../src/ptdit/trainer.js";
import { defaultTraining } from "../../src/ptdit/trainingConfig.js";
import { weightsHash } from "../../src/ptdit/weightsHash.js";

const captions = ["red apple", "green tree", "blue car", "yellow sun", "old cat"];
const pictures = Float32Array.from(normalNumbers(captions.length * 3 * 64, 3, 0));
const data = new PictureSet({ name: "noise", size: 8, captions, pictures });
const model = ptditConfig({ heads: 2, headDim: 16, depth: 1, patch: 2, sampleSize: 8, captionChannels: 16 });

const devices: Device[] = [];
beforeAll(async () => {
  for (const threads of [1, 2]) devices.push(await wasm({ threads, vectors: "simd" }));
});
afterAll(() => {
  for (const device of devices) device.close();
});
const trainer = (device = devices[0]) =>
  new Trainer(device, data, Tokenizer.fromCaptions(captions), {
    model,
    flow: flowConfig(),
    training: { ...defaultTraining, batch: 2, warmup: 3 },
    sampling: { steps: 2, guidance: 1 },
  });

/** Runs one to its end: what it came to, and the steps that were judged. */
async function ran(options: SpeedrunOptions, own = trainer()) {
  const judged: number[] = [];
  let steps = 0;
  for await (const event of speedrun(own, options)) {
    if (event.type === "step") steps++;
    else if (event.type === "judged") judged.push(event.step);
    else return { result: event.result, judged, steps, own };
  }
  throw new Error("it never ended");
}
const easy = { top1: 0, psnr: -100 };
const hopeless = { top1: 1, psnr: 100 };

describe("a speedrun", () => {
  it("ends at the first evaluation that is good enough, and says what it took", async () => {
    let time = 0;
    const now = () => (time += 50);
    const { result, judged, steps, own } = await ran({ steps: 20, from: 5, every: 4, goal: easy, now });
    expect([steps, judged]).toEqual([8, [8]]);
    const each = own.stepProgram.steps.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);
    expect(each).toBeGreaterThan(1e6);
    // The clock is looked at before and after each step alone: evaluations take none of the seconds.
    expect(result).toMatchObject({ steps: 8, multiplyAdds: 8 * each, reached: true });
    expect(result.seconds).toBeCloseTo(8 * 0.05, 9);
    expect(result.top1).toBeGreaterThanOrEqual(0);
    expect(result.psnr).toEqual(expect.any(Number));
    own.dispose();
  });

  it("ends at the last step when nothing is good enough, and judges that too", async () => {
    const options = { steps: 9, from: 4, every: 4, goal: hopeless };
    expect(await ran(options)).toMatchObject({ judged: [4, 8, 9], result: { steps: 9, reached: false } });
    expect(await ran({ ...options, mostSteps: 3 })).toMatchObject({ judged: [3], result: { steps: 3, reached: false } });
  });

  it("needs both, the right pictures and clean ones", async () => {
    const options = { steps: 2, from: 2 };
    for (const goal of [
      { ...easy, psnr: 100 },
      { ...easy, top1: 1 },
    ])
      expect((await ran({ ...options, goal })).result).toMatchObject({ reached: false });
  });

  it("leaves the same weights to the last bit whatever the threads, and however often it is judged", async () => {
    const options = { steps: 8, from: 8, goal: hopeless };
    const first = await ran(options);
    const others = [await ran({ ...options, from: 1, every: 3 }), await ran(options, trainer(devices[1]))];
    for (const { result } of others) expect(result.hash).toBe(first.result.hash);
    // A course of another length has other rates.
    expect((await ran({ ...options, steps: 80, mostSteps: 8 })).result.hash).not.toBe(first.result.hash);
  });

  it("counts from the first step, and refuses what it does not know", async () => {
    const own = trainer();
    own.plan(2);
    await own.next();
    expect(() => speedrun(own, { steps: 2, from: 1 })).toThrow(/speedrun: the trainer has taken 1 steps/);
    expect(() => speedrun(trainer(), { steps: 0, from: 1 })).toThrow(ConfigError);
    expect(() => speedrun(trainer(), { steps: 1, from: 1, goal: { top1: 95, psnr: 20 } })).toThrow(/top1 must be a part/);
  });
});

describe("hash of weights", () => {
  it("is SHA-256 of all numbers in the order of their names", async () => {
    const own = trainer();
    const state = [...(await own.average.state(devices[0]))].sort(([a], [b]) => (a < b ? -1 : 1));
    const expected = createHash("sha256");
    for (const [, { data }] of state) expected.update(Buffer.from(Float32Array.from(data).buffer));
    expect(await weightsHash(devices[0], own.average)).toBe(expected.digest("hex"));
  });

  it("says where it cannot be computed", async () => {
    vi.stubGlobal("crypto", undefined);
    await expect(weightsHash(devices[0], trainer().average)).rejects.toThrow(/no crypto\.subtle\. Open the page by https/);
    vi.unstubAllGlobals();
  });
});

describe("recipes", () => {
  it.each(recipeNames)("%s ends its course with an evaluation", (name) => {
    const { steps, from } = recipes[name].speedrun;
    expect(steps % speedrunEvery).toBe(0);
    expect(from).toBeLessThanOrEqual(steps);
  });
});
