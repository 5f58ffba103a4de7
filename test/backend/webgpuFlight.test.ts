/** Runs in flight on a WebGPU device: what they compute, in what order, and what they hold. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { add } from "../../src/autograd/ops/elementwise.js";
import { input, parameter } from "../../src/autograd/tensor.js";
import type { WebGpuDevice } from "../../src/backend/webgpu/device.js";
import { DeviceError } from "../../src/base/errors.js";
import type { GpuDevice } from "../../src/base/gpu.js";
import { normalNumbers } from "../../src/base/random.js";
import { batchIndices } from "../../src/data/batches.js";
import type { Dataset } from "../../src/data/dataset.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { compile } from "../../src/program/program.js";
import { ptditConfig } from "../../src/ptdit/config.js";
import { flowConfig } from "../../src/ptdit/flow.js";
import { type MemoryStore, memoryStore } from "../../src/ptdit/session/memoryStore.js";
import type { SessionOptions } from "../../src/ptdit/session/options.js";
import { session } from "../../src/ptdit/session/session.js";
import type { NonFiniteError, StepReport } from "../../src/ptdit/stepReport.js";
import { Trainer } from "../../src/ptdit/trainer.js";
import { defaultTraining } from "../../src/ptdit/trainingConfig.js";
import { openWebGpu, watchMaking, withoutWebGpu } from "../webgpu.js";

const captions = ["red apple", "green tree", "blue car", "yellow sun", "old cat"];
const tokenizer = Tokenizer.fromCaptions(captions);
const model = ptditConfig({ heads: 1, headDim: 16, depth: 1, patch: 4, sampleSize: 8, captionChannels: 16 });

/** The step that sees a picture of NaN while this is set. */
let poisoned: number | undefined;
const data: Dataset = {
  name: "noise",
  count: captions.length,
  shape: [3, 1, 8, 8],
  captions,
  sample: async (i) => (i === 4 ? new Float32Array(192).fill(Number.NaN) : Float32Array.from(normalNumbers(192, 3, i))),
  draw: (batch, seed, step) => (step === poisoned ? Int32Array.of(4, 0) : batchIndices(4, batch, seed, step)),
};

const numbers = async (own: Trainer) => [...(await own.state())].map(([name, entry]) => [name, [...entry.data]]);
/** Takes a session's steps. */
async function reports(own: Trainer, store: MemoryStore, options: SessionOptions): Promise<StepReport[]> {
  const list: StepReport[] = [];
  for await (const event of session(own, store, { prompts: [], ...options }))
    if (event.type === "step") list.push(event.report);
  return list;
}
/** Counts the runs of a trainer's program that are under way at once. */
function mostUnderWay(own: Trainer): () => number {
  const program = own.stepProgram;
  const run = program.run.bind(program);
  let [now, most] = [0, 0];
  vi.spyOn(program, "run").mockImplementation(async (inputs) => {
    most = Math.max(most, ++now);
    return run(inputs).finally(() => now--);
  });
  return () => most;
}
/** What is held when all that nobody needs is gone. @units bytes */
function heldBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe.skipIf(withoutWebGpu !== undefined)("runs in flight", () => {
  let device: WebGpuDevice;
  let inFlight: number;
  beforeAll(async () => {
    device = await openWebGpu();
    inFlight = device.target.runsInFlight;
  });
  afterAll(() => device.close());

  function trainer(): Trainer {
    const own = new Trainer(device, data, tokenizer, {
      model,
      flow: flowConfig(),
      training: { ...defaultTraining, batch: 2, warmup: 3 },
    });
    own.plan(7);
    return own;
  }

  it("take the steps of a training that waits for each, bit for bit, also from a checkpoint between them", async () => {
    poisoned = undefined;
    const [alone, straight, resumed] = [trainer(), trainer(), trainer()];
    const want: StepReport[] = [];
    for (let i = 0; i < 7; i++) want.push(await alone.next());
    const most = mostUnderWay(straight);
    const [store, killed] = [memoryStore(), memoryStore()];
    const save = store.save.bind(store);
    store.save = async (source) => {
      await save(source);
      killed.checkpoint ??= store.checkpoint;
    };
    expect(await reports(straight, store, { steps: 7, saveEvery: 5 })).toEqual(want);
    expect(most()).toBe(inFlight);
    expect(await numbers(straight)).toEqual(await numbers(alone));
    expect(await reports(resumed, killed, {})).toEqual(want.slice(5));
    expect(Buffer.compare(killed.checkpoint!, store.checkpoint!)).toBe(0);
    for (const own of [alone, straight, resumed]) own.dispose();
  });

  it("leave the weights of the last good step where one is not finite, name it, and go on from there", async () => {
    poisoned = 3;
    const [alone, own] = [trainer(), trainer()];
    for (let i = 0; i < 3; i++) await alone.next();
    const good = await numbers(alone);
    const makerOf = (steps: Promise<unknown>): Promise<string> =>
      steps.then(
        () => expect.fail("a picture of NaN"),
        ({ message }: NonFiniteError) => message.replace(/#\d+/g, ""),
      );
    const maker = await makerOf(alone.next());
    expect(maker).toMatch(/^train: step 4 made a number that is not finite, first NaN by call \d+: .* <- /);
    const store = memoryStore();
    const most = mostUnderWay(own);
    expect(await makerOf(reports(own, store, { steps: 7 }))).toBe(maker);
    expect(most()).toBe(inFlight);
    expect(own.step).toBe(3);
    expect(await numbers(own)).toEqual(good);
    expect((await store.last())?.run.step).toBe(3);

    poisoned = undefined;
    for (let i = 0; i < 2; i++) expect(await own.next()).toEqual(await alone.next());
    expect(await numbers(own)).toEqual(await numbers(alone));
    for (const each of [alone, own]) each.dispose();
  });

  it("2,000 of them keep their order, and hold as much as the first few", async () => {
    const [w, x] = [parameter([64]), input([64])];
    const program = compile(device, { inputs: { x }, outputs: { y: add(w, x) }, updates: [[w, add(w, x)]] });
    const memory = Reflect.get(device, "memory") as { readonly bytes: number };
    const readback = Reflect.get(device, "readback") as { readonly idle: readonly unknown[] };
    const given = new Float32Array(64);
    let sum = 0;
    const steps = async (count: number) => {
      const flight: { readonly want: number; readonly got: Promise<number> }[] = [];
      const next = async () => {
        const { want, got } = flight.shift() as (typeof flight)[number];
        expect(await got).toBe(want);
      };
      for (let i = 0; i < count; i++) {
        if (flight.length === inFlight) await next();
        given.fill(1 + (i % 7)); // the numbers of the run before are no longer there
        sum += 1 + (i % 7);
        flight.push({ want: sum, got: program.run({ x: given }).then(({ y }) => y.data[63]) });
      }
      while (flight.length > 0) await next();
    };
    await steps(20);
    const nothingWasMade = watchMaking(device);
    const { bytes } = memory;
    const staging = readback.idle.length;
    await steps(480);
    const held = heldBytes();
    await steps(1500);
    expect(heldBytes() - held).toBeLessThan(2 ** 18);
    nothingWasMade();
    expect(memory.bytes).toBe(bytes);
    expect(readback.idle.length).toBe(staging);
    program.dispose();
  });

  it("of a training make nothing anew once the first are heard of, though four of them are under way", async () => {
    poisoned = undefined;
    const own = trainer();
    const most = mostUnderWay(own);
    let nothingWasMade: () => void = () => expect.fail("no step 5");
    for await (const event of session(own, memoryStore(), { steps: 20, prompts: [] })) {
      if (event.type !== "step") continue;
      if (event.report.step === 5) nothingWasMade = watchMaking(device);
      if (event.report.step === 20) nothingWasMade();
    }
    expect(most()).toBe(inFlight);
    own.dispose();
  });

  it("end together when the GPU goes, and so does what is asked for later", async () => {
    const own = await openWebGpu();
    const [w, x] = [parameter([64]), input([64])];
    const program = compile(own, { inputs: { x }, outputs: { y: add(w, x) }, updates: [[w, add(w, x)]] });
    const run = () => program.run({ x: new Float32Array(64) });
    await run();
    const flight = Array.from({ length: 2 * inFlight }, run);
    (Reflect.get(own, "gpu") as GpuDevice).destroy();
    const ends = await Promise.allSettled(flight);
    expect(ends.at(-1)?.status).toBe("rejected");
    for (const end of ends) if (end.status === "rejected") expect(end.reason).toBeInstanceOf(DeviceError);
    await expect(run()).rejects.toThrow(DeviceError);
    own.close();
  });
});
