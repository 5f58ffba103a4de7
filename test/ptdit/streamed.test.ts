/** Training on samples that are made when their turn comes. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/backend/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { normalNumbers } from "../../src/base/random.js";
import type { Dataset, SampleShape } from "../../src/data/dataset.js";
import { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { ptditConfig } from "../../src/ptdit/config.js";
import { lossByTimestep, retrieval } from "../../src/ptdit/evaluate.js";
import { flowConfig } from "../../src/ptdit/flow.js";
import { Trainer } from "../../src/ptdit/trainer.js";
import { defaultTraining } from "../../src/ptdit/trainingConfig.js";

const captions = ["red apple", "green tree", "blue car", "yellow sun", "old cat"];
const tokenizer = Tokenizer.fromCaptions(captions);
const model = ptditConfig({ heads: 2, headDim: 16, depth: 1, patch: 2, sampleSize: 8, captionChannels: 16 });

let device: Device;
beforeAll(async () => {
  device = await wasm({ threads: 1 });
});
afterAll(() => device.close());

/** Samples drawn when they are asked for, each after another while. */
function streamed(shape: SampleShape): Dataset {
  const numbers = shape.reduce((all, size) => all * size, 1);
  return {
    name: "streamed",
    count: captions.length,
    shape,
    captions,
    sample: async (i) => {
      await new Promise((resolve) => setTimeout(resolve, (7 * i) % 5));
      return Float32Array.from(normalNumbers(numbers, 3, i));
    },
  };
}
/** The same samples, all there. */
async function inMemory(data: Dataset, size: number): Promise<PictureSet> {
  const samples = await Promise.all(captions.map((_, i) => data.sample(i)));
  return new PictureSet({ name: "in memory", size, captions, pictures: Float32Array.from(samples.flatMap((own) => [...own])) });
}
function make(data: Dataset): Trainer {
  const training = { ...defaultTraining, batch: 4, warmup: 0 };
  const own = new Trainer(device, data, tokenizer, { model, flow: flowConfig(), training });
  own.plan(10);
  return own;
}

describe("a data set that is streamed", () => {
  it("trains and is measured to the same bits as one in memory", async () => {
    const stream = streamed([3, 1, 8, 8]);
    const found = [];
    for (const data of [stream, await inMemory(stream, 8)]) {
      const own = make(data);
      const losses = [];
      for (let i = 0; i < 4; i++) losses.push((await own.next()).loss);
      const state = [...(await own.state())].map(([name, entry]) => [name, [...entry.data]]);
      const byTime = await lossByTimestep(device, own.average, flowConfig(), data);
      const samples = Float32Array.from(normalNumbers(5 * 192, 3, 1));
      found.push({ losses, state, byTime, ranks: await retrieval(samples, data, tokenizer) });
      own.dispose();
    }
    expect(found[0]).toEqual(found[1]);
  });

  it("may hold videos that are not square", async () => {
    const own = make(streamed([3, 2, 8, 16]));
    const { loss } = await own.next();
    expect(Number.isFinite(loss)).toBe(true);
    own.dispose();
  });

  it("that fails at a sample fails the step, and the next step can be taken", async () => {
    const data = streamed([3, 1, 8, 8]);
    let broken = true;
    const flaky = {
      ...data,
      sample: async (i: number) => (broken ? Promise.reject(new Error("the disk is gone")) : data.sample(i)),
    };
    const [own, straight] = [make(flaky), make(data)];
    await expect(own.next()).rejects.toThrow("the disk is gone");
    expect(own.step).toBe(0);
    broken = false;
    expect((await own.next()).loss).toBe((await straight.next()).loss);
    for (const trainer of [own, straight]) trainer.dispose();
  });
});
