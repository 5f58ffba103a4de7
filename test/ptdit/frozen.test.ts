/** Training a part of a model. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/backend/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { normalNumbers } from "../../src/base/random.js";
import { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { ptditConfig } from "../../src/ptdit/config.js";
import { flowConfig } from "../../src/ptdit/flow.js";
import { Trainer } from "../../src/ptdit/trainer.js";
import { defaultTraining } from "../../src/ptdit/trainingConfig.js";

const captions = ["red apple", "green tree", "blue car"];
const pictures = Float32Array.from(normalNumbers(captions.length * 3 * 64, 3, 0));
const data = new PictureSet({ name: "noise", size: 8, captions, pictures });
const tokenizer = Tokenizer.fromCaptions(captions);
const model = ptditConfig({ heads: 2, headDim: 16, depth: 2, patch: 2, sampleSize: 8, captionChannels: 16 });

let device: Device;
beforeAll(async () => {
  device = await wasm({ threads: 1 });
});
afterAll(() => device.close());

const make = (train?: (name: string) => boolean) => {
  const training = { ...defaultTraining, batch: 2, warmup: 0 };
  const own = new Trainer(device, data, tokenizer, { model, flow: flowConfig(), training, ...(train && { train }) });
  own.plan(10);
  return own;
};
const read = async (own: Trainer) => new Map([...(await own.state())].map(([name, { data }]) => [name, data.join()]));

describe("a trainer that is told what learns", () => {
  const learns = (name: string) => name.startsWith("model.final") || name === "text.words.weight";

  it("leaves the rest as it is, to the last bit, and moves what learns", async () => {
    const own = make(learns);
    const before = await read(own);
    for (let i = 0; i < 3; i++) await own.next();
    const after = await read(own);
    own.dispose();
    const weights = [...before.keys()].filter((name) => name.startsWith("weights."));
    const moved = weights.filter((name) => before.get(name) !== after.get(name));
    expect(moved).toEqual(weights.filter((name) => learns(name.slice("weights.".length))));
    for (const name of weights) {
      const average = name.replace("weights", "average");
      expect(before.get(average) !== after.get(average), average).toBe(moved.includes(name));
    }
  });

  it("keeps nothing of it in the optimiser's state, and needs less memory", async () => {
    const [all, some] = [make(), make(learns)];
    const kept = [...(await some.state()).keys()].filter((name) => name.startsWith("optimizer."));
    const names = ["optimizer.step"];
    for (const name of some.model.parameters(learns).keys()) names.push(`optimizer.${name}.m`, `optimizer.${name}.v`);
    expect(kept.sort()).toEqual(names.sort());
    expect(some.bytes.parameters).toBeLessThan(all.bytes.parameters);
    expect(some.bytes.arena).toBeLessThan(all.bytes.arena);
    for (const own of [all, some]) own.dispose();
  });

  it("takes the same steps as one that trains all, where nothing is frozen", async () => {
    const [all, told] = [make(), make(() => true)];
    for (const own of [all, told]) await own.next();
    expect(await read(told)).toEqual(await read(all));
    for (const own of [all, told]) own.dispose();
  });

  it("goes on from its saved state as if it had not stopped", async () => {
    const [straight, first, second] = [make(learns), make(learns), make(learns)];
    for (let i = 0; i < 4; i++) await straight.next();
    for (let i = 0; i < 2; i++) await first.next();
    second.restore(await first.state(), 2);
    for (let i = 0; i < 2; i++) await second.next();
    expect(await read(second)).toEqual(await read(straight));
    for (const own of [straight, first, second]) own.dispose();
  });

  it("refuses to train nothing", () => {
    expect(() => make(() => false)).toThrow(/"train" leaves none of \d+ parameters to learn/);
    expect(() => make("final" as never)).toThrow("train must be a function");
  });
});
