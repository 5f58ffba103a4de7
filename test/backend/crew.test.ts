import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import type { KernelCall } from "../../src/backend/calls.js";
import { loadKernels } from "../../src/backend/wasm/binary.js";
import { divisionOf } from "../../src/backend/wasm/division.js";
import { encodeCall } from "../../src/backend/wasm/encode.js";

interface Exports {
  readonly scratchBytes: WebAssembly.Global;
  readonly crewBytes: WebAssembly.Global;
  setUp(index: number, count: number, scratch: number, crew: number, helpers: number, polls: number): void;
  run(from: number, to: number): void;
}

const threads = 2;
const elements = 1 << 16;

/** The leader of two threads, and a program of so many fills, each an interval worth sharing. The helper is whoever plays it. */
async function leader(calls: number) {
  const { module } = await loadKernels({ vectors: "simd" });
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
  const exports = (await WebAssembly.instantiate(module, { env: { memory, abort: () => undefined } }))
    .exports as unknown as Exports;
  const scratch = 65536;
  const crew = scratch + (exports.scratchBytes.value as number);
  const target = crew + threads * (exports.crewBytes.value as number);
  const program = target + 4 * elements;
  memory.grow(Math.ceil((program + 64 * calls) / 65536));
  const words = new Int32Array(memory.buffer);
  let end = program;
  for (let i = 0; i < calls; i++) {
    const call: KernelCall<number> = { kernel: "fill", args: { y: target, n: elements, value: i } };
    const command = encodeCall(call, "meet", divisionOf(call, threads));
    words.set(command, end / 4);
    end += command.byteLength;
  }
  exports.setUp(0, threads, scratch, crew, 1, 200_000);
  const filled = () => new Set(new Float32Array(memory.buffer, target, elements));
  return { memory, ticket: (crew + (exports.crewBytes.value as number)) / 4, run: () => exports.run(program, end), filled };
}

/** A helper that comes in whenever it is asked, counts that, does nothing, and goes after so many milliseconds. */
const heldUp = `
const { parentPort, workerData: { memory, ticket, ms, came } } = require("node:worker_threads");
const words = new Int32Array(memory.buffer);
const pause = new Int32Array(new SharedArrayBuffer(4));
const look = () => {
  for (let i = 0; i < 2000; i++) {
    const seen = Atomics.load(words, ticket);
    if ((seen & 3) !== 0 || Atomics.compareExchange(words, ticket, seen, seen + 1) !== seen) continue;
    Atomics.add(came, 0, 1);
    if (ms > 0) Atomics.wait(pause, 0, 0, ms);
    Atomics.store(words, ticket, seen + 2);
    Atomics.notify(words, ticket);
  }
  setImmediate(look);
};
parentPort.postMessage("here");
look();
`;

/** How often a helper that takes so many milliseconds each time came in. A busy machine may give it no core for a whole run: run again. */
async function visits(memory: WebAssembly.Memory, ticket: number, ms: number, run: () => void): Promise<number> {
  const came = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(heldUp, { eval: true, workerData: { memory, ticket, ms, came } });
  await once(worker, "message");
  for (let runs = 0; runs < 1000 && Atomics.load(came, 0) === 0; runs++) run();
  await worker.terminate();
  return Atomics.load(came, 0);
}

describe("threads that share a program", () => {
  it("a helper that never comes is not waited for", async () => {
    const { run, filled } = await leader(1000);
    run();
    expect(filled()).toEqual(new Set([999]));
  });

  it("a helper that comes and does nothing leaves nothing undone", async () => {
    const { memory, ticket, run, filled } = await leader(1000);
    const asked = await visits(memory, ticket, 0, run);
    expect(asked).toBeGreaterThan(0);
    expect(filled()).toEqual(new Set([999]));
  });

  it("a helper that is held up for a time slice whenever it comes is soon left out", async () => {
    // The credit of the start pays for some waits; then each costs the helper many times its length.
    const { memory, ticket, run, filled } = await leader(4000);
    const asked = await visits(memory, ticket, 4, run);
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(60);
    expect(filled()).toEqual(new Set([3999]));
  });
});

describe("the division of a call", () => {
  const fill = (n: number): KernelCall<number> => ({ kernel: "fill", args: { y: 0, n, value: 0 } });

  it("a long call has several parts a thread, a short one a part each", () => {
    expect(divisionOf(fill(1e7), 2).parts).toBeGreaterThan(1);
    expect(divisionOf(fill(100), 2).parts).toBe(1);
  });

  it("twice the work is estimated at twice the time", () => {
    expect(divisionOf(fill(2e6), 2).ns / divisionOf(fill(1e6), 2).ns).toBeCloseTo(2, 2);
  });
});
