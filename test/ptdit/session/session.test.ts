import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../../src/backend/device.js";
import { wasm } from "../../../src/backend/wasm/device.js";
import { ConfigError, FileError, FormatError } from "../../../src/base/errors.js";
import { normalNumbers } from "../../../src/base/random.js";
import { PictureSet } from "../../../src/data/pictureSet.js";
import { Tokenizer } from "../../../src/data/tokenizer.js";
import { ptditConfig } from "../../../src/ptdit/config.js";
import { flowConfig } from "../../../src/ptdit/flow.js";
import { readCheckpoint } from "../../../src/ptdit/readCheckpoint.js";
import { type MemoryStore, memoryStore } from "../../../src/ptdit/session/memoryStore.js";
import type { SessionOptions } from "../../../src/ptdit/session/options.js";
import { session } from "../../../src/ptdit/session/session.js";
import { NonFiniteError } from "../../../src/ptdit/stepReport.js";
import { Trainer } from "../../../src/ptdit/trainer.js";
import { defaultTraining, type TrainingConfig } from "../../../src/ptdit/trainingConfig.js";

const captions = ["red apple", "green tree", "blue car", "yellow sun", "old cat"];
const pictures = Float32Array.from(normalNumbers(captions.length * 3 * 64, 3, 0));
const data = new PictureSet({ name: "noise", size: 8, captions, pictures });
const tokenizer = Tokenizer.fromCaptions(captions);
const model = ptditConfig({ heads: 2, headDim: 16, depth: 1, patch: 2, sampleSize: 8, captionChannels: 16 });

let device: Device;
beforeAll(async () => {
  device = await wasm({ threads: 1, vectors: "simd" });
});
afterAll(() => device.close());
function trainer(training: Partial<TrainingConfig> = {}, dataset = data): Trainer {
  const flow = flowConfig();
  return new Trainer(device, dataset, tokenizer, {
    model,
    flow,
    training: { ...defaultTraining, batch: 2, warmup: 3, ...training },
  });
}
/** What a session says by type, with the step it says it of. */
async function told(own: Trainer, store: MemoryStore, options: SessionOptions): Promise<string[]> {
  const said: string[] = [];
  for await (const event of session(own, store, { prompts: [], ...options }))
    said.push(`${event.type} ${event.type === "step" ? event.report.step : "step" in event ? event.step : event.what}`);
  return said;
}
/** Whether two stores hold the same checkpoint; told by the runtime, as matchers look at millions of bytes one by one. */
const sameBytes = (a: MemoryStore, b: MemoryStore) => Buffer.compare(a.checkpoint!, b.checkpoint!) === 0;
const steps = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `step ${from + i}`);
/** A signal that is given at a step. */
const at = (own: Trainer, step: number, reason: unknown = "enough") => ({
  get aborted() {
    return own.step >= step;
  },
  reason,
});

describe("a session", () => {
  it("says its steps, samples and checkpoints, and logs them", async () => {
    const store = memoryStore();
    const options = { steps: 12, saveEvery: 5, sampleEvery: 6, prompts: ["red apple", "old car"] };
    const said = await told(trainer(), store, options);
    expect(said).toEqual([
      ...["begun 0", ...steps(1, 5), "saved 5", "step 6", "sampled 6", ...steps(7, 10), "saved 10"],
      ...["step 11", "step 12", "sampled 12", "saved 12", "done 12"],
    ]);
    expect(store.log.map(({ step }) => step)).toEqual([10, 12]);
    expect([...store.samples.keys()]).toEqual([6, 12]);
    expect(store.samples.get(12)?.pictures).toHaveLength(2 * 3 * 64);
    expect((await store.last())?.run).toMatchObject({ data: "noise", size: 8, step: 12, steps: 12 });
  });

  it.each<[string, SessionOptions]>([
    ["a step", { stopAt: 4 }],
    ["a step that is saved anyway", { stopAt: 4, saveEvery: 2 }],
  ])("that stopped at %s is gone on with, bit for bit", async (_, options) => {
    const [straight, parts] = [memoryStore(), memoryStore()];
    await told(trainer(), straight, { steps: 9 });
    expect((await told(trainer(), parts, { steps: 9, ...options })).at(-1)).toBe("stopped 4");
    expect(await told(trainer(), parts, {})).toEqual(["begun 4", ...steps(5, 9), "saved 9", "done 9"]);
    expect(sameBytes(parts, straight)).toBe(true);
    expect(parts.log[0]).toMatchObject({ step: 4, smoothedLoss: expect.any(Number) });
    expect(parts.log[1]).toMatchObject({ step: 4, resumed: {}, settings: { steps: 9, device: "wasm", threads: 1 } });
  });

  it("that was asked to stop, or left in the middle, is saved and gone on with, bit for bit", async () => {
    const [straight, asked, left] = [memoryStore(), memoryStore(), memoryStore()];
    await told(trainer(), straight, { steps: 6 });
    const own = trainer();
    const said = [];
    for await (const event of session(own, asked, { steps: 6, prompts: [], signal: at(own, 2) })) said.push(event);
    expect(said.at(-1)).toEqual({ type: "stopped", step: 2, reason: "enough" });
    for await (const event of session(trainer(), left, { steps: 6, prompts: [] }))
      if (event.type === "step" && event.report.step === 3) break;
    expect((await left.last())?.run.step).toBe(3);
    for (const store of [asked, left]) {
      await told(trainer(), store, {});
      expect(sameBytes(store, straight)).toBe(true);
    }
  });

  it("that was killed after a checkpoint forgets what came after it", async () => {
    const [straight, killed] = [memoryStore(), memoryStore()];
    await told(trainer(), straight, { steps: 14 });
    await told(trainer(), killed, { steps: 14, stopAt: 10 });
    const { checkpoint } = killed;
    await told(trainer(), killed, { stopAt: 12 });
    killed.checkpoint = checkpoint;
    await told(trainer(), killed, {});
    expect(sameBytes(killed, straight)).toBe(true);
    expect(killed.log.map(({ step }) => step)).toEqual([10, 10, 10, 14]);
  });

  it("keeps the name of its recipe, however often it is gone on with", async () => {
    const store = memoryStore();
    const recipe = async () => (await store.last())?.run.recipe;
    await told(trainer(), store, { steps: 3, stopAt: 1, recipe: "long" });
    expect(await recipe()).toBe("long");
    await told(trainer(), store, { stopAt: 2 });
    expect(await recipe()).toBe("long");
    const nameless = memoryStore();
    await told(trainer(), nameless, { steps: 1 });
    expect((await nameless.last())?.run).not.toHaveProperty("recipe");
    expect(() => session(trainer(), store, { recipe: "" })).toThrow("recipe must be a name");
  });

  it("may take up the same trainer again, and finds nothing to do once all is done", async () => {
    const [store, own] = [memoryStore(), trainer()];
    await told(own, store, { steps: 5, stopAt: 2 });
    await told(own, store, {});
    const { checkpoint } = store;
    expect(await told(own, store, { prompts: ["red apple"] })).toEqual(["begun 5", "sampled 5", "done 5"]);
    expect(await told(own, store, { prompts: ["red apple"] })).toEqual(["begun 5", "done 5"]);
    expect(store.checkpoint).toBe(checkpoint);
  });

  it("trains for a given time, and keeps what is left of it", async () => {
    const store = memoryStore();
    await told(trainer(), store, { minutes: 5, stopAt: 1 });
    const { run } = readCheckpoint(store.checkpoint!);
    expect(run).toMatchObject({ step: 1, steps: 0 });
    expect(run.secondsLeft).toBeGreaterThan(200);
    await told(trainer(), store, { stopAt: 32 });
    expect((await store.last())?.run.steps).toBeGreaterThan(32);
  });

  it("saves the last good state when a number is not finite", async () => {
    const nan = new Float32Array(pictures.length).fill(Number.NaN);
    const poisoned = new PictureSet({ name: "poisoned", size: 8, captions, pictures: nan });
    const store = memoryStore();
    await expect(told(trainer({}, poisoned), store, { steps: 3 })).rejects.toThrow(NonFiniteError);
    expect((await store.last())?.run.step).toBe(0);
  });

  it("goes on where a log line or samples cannot be kept, and ends where a checkpoint cannot", async () => {
    const store = memoryStore();
    const full = async () => Promise.reject(new FileError("full"));
    Object.assign(store, { append: full, keep: full });
    const said = await told(trainer(), store, { steps: 3, prompts: ["red"] });
    expect(said.slice(-6)).toEqual(["step 3", "unkept log", "saved 3", "sampled 3", "unkept samples", "done 3"]);
    store.save = full;
    await expect(told(trainer(), store, { steps: 4 })).rejects.toThrow("full");
  });

  it("refuses a stored run that is another", async () => {
    const store = memoryStore();
    await told(trainer(), store, { steps: 2 });
    await expect(told(trainer({ batch: 4, seed: 1 }), store, {})).rejects.toThrow(
      "session: the stored run is not this trainer's: batch is 2 there and 4 here, seed is 0 there and 1 here.",
    );
    const ahead = trainer();
    ahead.plan(4);
    await ahead.next();
    await expect(told(ahead, store, {})).rejects.toThrow("step is 2 there and 1 here");
    store.checkpoint = store.checkpoint?.subarray(0, 100);
    await expect(told(trainer(), store, {})).rejects.toThrow(FormatError);
  });

  it.each<[string, unknown, string]>([
    ["an unknown option", { every: 3 }, 'session: unknown option "every"'],
    ["half a step", { steps: 0.5 }, "steps must be a whole number of at least 1, got 0.5"],
    ["two ends", { steps: 5, minutes: 1 }, "steps and minutes both say when to end"],
    ["a prompt without brackets", { prompts: "red" }, 'prompts must be a list of texts, got "red"'],
    ["a signal that is none", { signal: () => true }, "signal must be an AbortSignal"],
  ])("refuses %s before it begins", async (_, options, message) => {
    const own = trainer();
    expect(() => session(own, memoryStore(), options as SessionOptions)).toThrow(ConfigError);
    expect(() => session(own, memoryStore(), options as SessionOptions)).toThrow(message);
  });
});
