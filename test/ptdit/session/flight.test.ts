/** Sessions whose steps are in flight, on a GPU that computes nothing and answers when the test lets it. */
import { afterEach, expect, it } from "vitest";
import { WebGpuDevice } from "../../../src/backend/webgpu/device.js";
import { DeviceError } from "../../../src/base/errors.js";
import { memoryStore } from "../../../src/ptdit/session/memoryStore.js";
import type { SessionOptions } from "../../../src/ptdit/session/options.js";
import { session } from "../../../src/ptdit/session/session.js";
import { speedrun } from "../../../src/ptdit/speedrun.js";
import type { Trainer } from "../../../src/ptdit/trainer.js";
import { fakeGpu } from "../../backend/fakeGpu.js";
import { smallestTrainer } from "../smallestTrainer.js";

const steps = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => `step ${from + i}`);

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A trainer on such a GPU. Reads are answered one at a time; `hold` says for which of them the answer is not given. */
function onFakeGpu(hold: (read: number) => boolean = () => false) {
  const { gpu, adapter, mapping, events, buffers } = fakeGpu();
  const quick = { ...gpu, createComputePipelineAsync: async () => ({ label: "a pipeline" }) };
  const device = new WebGpuDevice(quick, adapter, "a test's");
  const trainer = smallestTrainer(device);
  let [answered, most, running] = [0, 0, true];
  const answer = () => {
    most = Math.max(most, mapping.length - answered);
    if (answered < mapping.length && !hold(answered)) mapping[answered++].keep();
    if (running) setImmediate(answer);
  };
  answer();
  ends.push(() => {
    running = false;
  });
  return { trainer, mapping, events, buffers, mostWaiting: () => most };
}

async function told(trainer: Trainer, store = memoryStore(), options: SessionOptions = {}): Promise<string[]> {
  const said: string[] = [];
  for await (const event of session(trainer, store, { prompts: [], ...options }))
    said.push(`${event.type} ${event.type === "step" ? event.report.step : "step" in event ? event.step : event.what}`);
  return said;
}

it("says its steps in order, draws and saves when all in flight are done, and logs each once", async () => {
  const { trainer, mostWaiting } = onFakeGpu();
  const store = memoryStore();
  const options = { steps: 12, saveEvery: 5, sampleEvery: 6, prompts: ["red apple"] };
  expect(await told(trainer, store, options)).toEqual([
    ...["begun 0", ...steps(1, 5), "saved 5", "step 6", "sampled 6", ...steps(7, 10), "saved 10"],
    ...["step 11", "step 12", "sampled 12", "saved 12", "done 12"],
  ]);
  expect(mostWaiting()).toBe(trainer.device.target.runsInFlight);
  expect(store.log.map(({ step }) => step)).toEqual([10, 12]);
  expect((await store.last())?.run.step).toBe(12);
});

it("a small step is one submit, and one of the copy of what is read of it", async () => {
  const { trainer, events } = onFakeGpu();
  trainer.plan(2);
  await trainer.next();
  events.length = 0;
  await trainer.next();
  const submits = events.filter((event) => event.startsWith("submit"));
  expect(
    submits.map((event) => event.replaceAll(/( |\+)a pipeline/g, "$1dispatch").replaceAll(/(\+dispatch)+/g, "+…")),
  ).toEqual(["submit dispatch+…", expect.stringMatching(/^submit copy(\+copy)*$/)]);
});

it("2,000 steps with pictures and checkpoints between them hold as much as the first of them", async () => {
  const { trainer, buffers, events } = onFakeGpu();
  const memory = Reflect.get(trainer.device, "memory") as { readonly bytes: number };
  const held: (readonly [number, number])[] = [];
  const options = { steps: 2000, saveEvery: 250, sampleEvery: 250, prompts: ["red apple"] };
  for await (const event of session(trainer, memoryStore(), options)) {
    if (event.type !== "saved") continue;
    held.push([buffers.size, memory.bytes]);
    events.length = 0;
  }
  expect(held).toEqual(Array.from({ length: 8 }, () => held[0]));
});

it("that is asked to stop, or left, hears of the steps in flight and is saved with them", async () => {
  const [asked, left] = [memoryStore(), memoryStore()];
  const { trainer } = onFakeGpu();
  const signal = {
    get aborted() {
      return trainer.step >= 2;
    },
    reason: "enough",
  };
  const said = await told(trainer, asked, { steps: 20, signal });
  const { step } = trainer;
  expect(step).toBeGreaterThanOrEqual(2);
  expect(step).toBeLessThanOrEqual(2 + trainer.device.target.runsInFlight);
  expect(said).toEqual(["begun 0", ...steps(1, step), `saved ${step}`, `stopped ${step}`]);
  expect((await asked.last())?.run.step).toBe(step);

  const other = onFakeGpu().trainer;
  for await (const event of session(other, left, { steps: 20, prompts: [] }))
    if (event.type === "step" && event.report.step === 3) break;
  expect(other.step).toBeGreaterThan(3);
  expect((await left.last())?.run.step).toBe(other.step);
  expect(left.log.map((line) => line.step)).toEqual([other.step]);
});

it("whose time is over takes those in flight, and no more", async () => {
  const { trainer } = onFakeGpu();
  const store = memoryStore();
  const said = await told(trainer, store, { minutes: 0.01 });
  const { step } = trainer;
  expect(said.slice(-2)).toEqual([`saved ${step}`, `done ${step}`]);
  expect((await store.last())?.run).toMatchObject({ step, steps: step });
});

it("a state that is asked for while steps are in flight is of the step that the trainer says", async () => {
  const { trainer } = onFakeGpu();
  let asked = false;
  for await (const event of session(trainer, memoryStore(), { steps: 8, prompts: [] })) {
    if (event.type !== "step" || event.report.step !== 2) continue;
    const state = trainer.state();
    expect(() => trainer.restore(new Map(), 0)).toThrow("another call of this trainer is under way");
    await state;
    expect(trainer.step).toBeGreaterThan(2);
    asked = true;
  }
  expect([asked, trainer.step]).toEqual([true, 8]);
});

it("a GPU that is lost with steps in flight ends the run with one error, and leaves what is kept alone", async () => {
  let [saved, lost] = [false, false];
  // After the checkpoint of step 4 nothing is answered.
  const { trainer, mapping } = onFakeGpu(() => saved);
  const store = memoryStore();
  const said: string[] = [];
  const run = async () => {
    for await (const event of session(trainer, store, { steps: 20, saveEvery: 4, prompts: [] })) {
      said.push(event.type);
      saved ||= event.type === "saved";
    }
  };
  const end = run();
  void (async () => {
    const { runsInFlight } = trainer.device.target;
    for (let reads = 0; !lost; reads = mapping.length) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (!saved || reads < runsInFlight || reads !== mapping.length) continue;
      for (const own of mapping) own.breakWith(new Error("the mapping was aborted"));
      lost = true;
    }
  })();
  await expect(end).rejects.toThrow(
    new DeviceError(
      "webgpu: memory cannot be read (the mapping was aborted). Start a new device, or one of another kind; a run goes on from its checkpoint.",
    ),
  );
  expect(said).toEqual(["begun", "step", "step", "step", "step", "saved"]);
  const last = await store.last();
  expect([last?.run.step, store.log]).toEqual([4, []]);
  await expect(trainer.next()).rejects.toThrow(DeviceError);
});

it("a speedrun has steps in flight too, none past an evaluation, and counts from the first to the last of them", async () => {
  const { trainer, mostWaiting } = onFakeGpu();
  let time = 0;
  const options = { steps: 6, from: 4, every: 4, goal: { top1: 1, psnr: 100 }, now: () => (time += 50) };
  const said: string[] = [];
  for await (const event of speedrun(trainer, options)) {
    if (event.type === "ended") expect(event.result).toMatchObject({ steps: 6, seconds: 0.1, reached: false });
    said.push(event.type === "step" ? `step ${event.report.step}` : event.type);
  }
  expect(said).toEqual([...steps(1, 4), "judged", "step 5", "step 6", "judged", "ended"]);
  expect(mostWaiting()).toBe(trainer.device.target.runsInFlight);
});
