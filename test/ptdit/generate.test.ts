import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/backend/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { normalNumbers } from "../../src/base/random.js";
import { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { ptditConfig } from "../../src/ptdit/config.js";
import { flowConfig } from "../../src/ptdit/flow.js";
import { type GenerateOptions, Generator } from "../../src/ptdit/generate.js";
import type { Pipeline } from "../../src/ptdit/pipeline.js";
import type { OnStep } from "../../src/ptdit/sampler.js";
import { Trainer } from "../../src/ptdit/trainer.js";
import { defaultTraining } from "../../src/ptdit/trainingConfig.js";

const captions = ["red apple", "green tree", "blue car", "yellow sun", "old cat"];
const size = 8;
const pixels = 3 * size * size;
const tokenizer = Tokenizer.fromCaptions(captions);

let device: Device;
let generator: Generator;
let average: Pipeline;
beforeAll(async () => {
  device = await wasm({ threads: 2 });
  const pictures = Float32Array.from(normalNumbers(captions.length * pixels, 3, 0));
  const data = new PictureSet({ name: "noise", size, captions, pictures });
  const model = ptditConfig({ heads: 2, headDim: 16, depth: 1, patch: 2, sampleSize: size, captionChannels: 16 });
  const flow = flowConfig();
  const trainer = new Trainer(device, data, tokenizer, { model, flow, training: { ...defaultTraining, batch: 4 } });
  trainer.plan(3);
  for (let i = 0; i < 3; i++) await trainer.next();
  average = trainer.average;
  generator = new Generator(device, average, flow, size);
});
afterAll(() => device.close());

async function draw(prompts: readonly string[], streams?: readonly number[]): Promise<string[]> {
  const all = await generator.pictures(prompts, { steps: 2, ...(streams && { streams }) });
  return prompts.map((_, i) => all.subarray(i * pixels, (i + 1) * pixels).join());
}

describe("a picture", () => {
  it("depends on prompt, seed and stream alone, to the last bit, in a batch of any size", async () => {
    const alone = await draw(["old cat"], [2]);
    const third = await draw(["red apple", "old cat", "blue car"], [0, 2, 5]);
    const eighteenth = await draw([...Array(17).fill("red apple"), "old cat"], [...Array(17).keys(), 2]);
    expect([third[1], eighteenth[17]]).toEqual([alone[0], alone[0]]);
    const other = await draw(["old cat", "old cat"], [2, 3]);
    expect(other[0]).toBe(alone[0]);
    expect(other[1]).not.toBe(alone[0]);
  });

  it("is guided within its interval of noise only", async () => {
    const drawn = async (options: GenerateOptions) => [...(await generator.pictures(["old cat"], { steps: 3, ...options }))];
    const always = await drawn({ guidance: 3 });
    expect(await drawn({ guidance: 3, guidanceInterval: [0, 1] })).toEqual(always);
    // Times of the sampler: 1, 0.89, 0.67.
    const late = await drawn({ guidance: 3, guidanceInterval: [0.8, 1] });
    const unguided = await drawn({ guidance: 1 });
    expect(late).not.toEqual(always);
    expect(late).not.toEqual(unguided);
    expect(await drawn({ guidance: 3, guidanceInterval: [0, 0.5] })).toEqual(unguided);
    await expect(drawn({ guidanceInterval: [0.6, 0.4] })).rejects.toThrow("two parts from 0 to 1, the lesser first");
  });

  it("is guided by CFG-Zero* where asked: it stands still first, then goes another way", async () => {
    // Of 25 steps the first is 4 %.
    const drawn = async (own: Generator, options: GenerateOptions) => {
      const stages: number[][] = [];
      const onStep: OnStep = async (_step, _steps, latents) => void stages.push([...(await latents())]);
      await own.pictures(["old cat"], { steps: 25, guidance: 3, seed: 5, onStep, ...options });
      return stages;
    };
    const noise = [...Float32Array.from(normalNumbers(pixels, 5, 0))];
    const [plain, zero] = [await drawn(generator, {}), await drawn(generator, { cfgZero: true })];
    expect(plain[0]).not.toEqual(noise);
    expect(zero[0]).toEqual(noise);
    expect(zero[1]).not.toEqual(noise);
    expect(zero[24]).not.toEqual(plain[24]);
    // Neither leaves a trace in the other.
    expect(await drawn(generator, { cfgZero: false })).toEqual(plain);
    const made = new Generator(device, average, flowConfig(), size, { cfgZero: true });
    expect(await drawn(made, {})).toEqual(zero);
    expect(await drawn(made, { cfgZero: false })).toEqual(plain);
    // Where nothing guides there is nothing to scale.
    expect(await drawn(made, { guidance: 1 })).toEqual(await drawn(generator, { guidance: 1 }));
    made.dispose();
  });

  it("is drawn as its generator was made to, where nobody says otherwise", async () => {
    const own = new Generator(device, average, flowConfig(), size, { steps: 2, guidance: 1, method: "heun" });
    const given = await generator.pictures(["old cat"], { steps: 2, guidance: 1, method: "heun" });
    expect(await own.pictures(["old cat"])).toEqual(given);
    expect(await own.pictures(["old cat"], { guidance: 2 })).not.toEqual(given);
    own.dispose();
    expect(() => new Generator(device, average, flowConfig(), size, { steps: 0 })).toThrow("steps");
  });

  it("takes its place in the list as its stream where none is given", async () => {
    expect(await draw(["red apple", "old cat"])).toEqual(await draw(["red apple", "old cat"], [0, 1]));
  });

  it.each([[[0]], [[0, 1.5]], [[0, -1]], [[0, 2 ** 32]], [[0, Number.NaN]]])(
    "refuses streams %s for two prompts",
    async (streams) => {
      await expect(draw(["red apple", "old cat"], streams)).rejects.toThrow(
        /streams must be (one for each of 2 prompts|a list of whole numbers from 0)/,
      );
    },
  );
});
