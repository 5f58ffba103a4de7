import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/backend/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { ConfigError } from "../../src/base/errors.js";
import { normalNumbers } from "../../src/base/random.js";
import { askedBy } from "../../src/data/askedCaptions.js";
import { everyCaption } from "../../src/data/captionTable.js";
import type { Dataset } from "../../src/data/dataset.js";
import { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { ptditConfig } from "../../src/ptdit/config.js";
import { retrieval } from "../../src/ptdit/evaluate.js";
import { flowConfig } from "../../src/ptdit/flow.js";
import { memoryStore } from "../../src/ptdit/session/memoryStore.js";
import type { SessionOptions } from "../../src/ptdit/session/options.js";
import { session } from "../../src/ptdit/session/session.js";
import { Trainer } from "../../src/ptdit/trainer.js";
import { defaultTraining } from "../../src/ptdit/trainingConfig.js";

const captions = ["apple", "tree", "car"];
const variants = [["apple, red", "apple on white", "fruit, red"], ["green tree"], []];
const heldOut = ["apple, red on white", undefined, undefined];
const pictures = Float32Array.from(normalNumbers(captions.length * 3 * 64, 3, 0));
const named = new PictureSet({ name: "noise", size: 8, captions, pictures });
const rich = new PictureSet({ name: "noise", size: 8, captions, variants, heldOut, pictures });
const tokenizer = Tokenizer.fromCaptions(everyCaption(rich));
const model = ptditConfig({ heads: 2, headDim: 16, depth: 1, patch: 2, sampleSize: 8, captionChannels: 16 });

let device: Device;
beforeAll(async () => {
  device = await wasm({ threads: 1, vectors: "simd" });
});
afterAll(() => device.close());
const trainer = (data: Dataset) =>
  new Trainer(device, data, tokenizer, {
    model,
    flow: flowConfig(),
    training: { ...defaultTraining, batch: 2, warmup: 3, captionDropout: 0 },
  });
async function go(data: Dataset, store = memoryStore(), options: SessionOptions = {}) {
  const own = trainer(data);
  const prompts: string[] = [];
  for await (const event of session(own, store, { steps: 9, sampleEvery: 100, ...options }))
    if (event.type === "sampled") prompts.push(...event.prompts);
  own.dispose();
  return { store, prompts };
}

describe("training with several captions a picture", () => {
  it("that stopped and went on equals one that never did, bit for bit", async () => {
    const { store: straight } = await go(rich);
    const { store: parts } = await go(rich, memoryStore(), { stopAt: 4 });
    await go(rich, parts);
    expect(Buffer.compare(parts.checkpoint!, straight.checkpoint!)).toBe(0);
  });

  it("learns of the others, and draws samples of the main ones", async () => {
    // What the optimiser has gathered for a word tells whether it was ever read.
    const [{ store, prompts }, { store: plain }] = [await go(rich), await go(named)];
    expect(prompts).toEqual(captions);
    const word = tokenizer.words.indexOf("white") + 2;
    const moments = [...((await store.last())?.state ?? [])].filter(([name]) => /^optimizer\..*text\.words\.weight/.test(name));
    expect(moments.length).toBeGreaterThan(0);
    for (const [name, { data }] of moments) {
      const own = Array.from(data.slice(16 * word, 16 * (word + 1)));
      expect(own.some((x) => x !== 0)).toBe(true);
      const other = (await plain.last())?.state.get(name)?.data.slice(16 * word, 16 * (word + 1));
      expect(Array.from(other ?? []).every((x) => x === 0)).toBe(true);
    }
  });

  it("keeps what captions are made of with the run", async () => {
    const { store } = await go(rich, memoryStore(), { stopAt: 1, source: { data: "noise", captions: "rich" } });
    expect((await store.last())?.run.captions).toBe("rich");
    expect((await (await go(named)).store.last())?.run).not.toHaveProperty("captions");
  });

  it.each<[string, object, string]>([
    ["too few lists", { variants: [["a"]] }, "3 samples with 1 lists of variants"],
    ["texts in place of lists", { variants: ["a", "b", "c"] }, "variants must be a list of lists of texts"],
    ["numbers", { variants: [[5], [], []] }, "caption 3 must be a text"],
  ])("refuses %s", (_, own, message) => {
    const { name, count, shape } = named;
    const data = { name, count, shape, captions, sample: (i: number) => named.sample(i), ...own };
    expect(() => trainer(data)).toThrow(ConfigError);
    expect(() => trainer(data)).toThrow(message);
  });
});

describe("captions to be judged by", () => {
  it("are the names, the fullest, or those held out with their pictures", async () => {
    expect(askedBy(rich, "name")).toBe(rich);
    expect(askedBy(rich, "rich")).toMatchObject({ captions: ["apple, red", "green tree", "car"], pictures, count: 3 });
    const held = askedBy(rich, "heldout");
    expect(held).toMatchObject({ captions: ["apple, red on white"], count: 1 });
    expect(held.pictures).toEqual(pictures.slice(0, 3 * 64));
    expect(await retrieval(held.pictures, held, tokenizer)).toMatchObject({ captions: 1, top1: 1 });
  });

  it("are refused where none is held out", () => {
    expect(() => askedBy(named, "heldout")).toThrow('none of the 3 pictures of "noise" has a caption held out');
  });
});
