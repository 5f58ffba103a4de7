import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import * as workerThreads from "node:worker_threads";
import { afterEach, describe, expect, it, vi } from "vitest";
import { square } from "../../src/autograd/ops/elementwise.js";
import { constant } from "../../src/autograd/tensor.js";
import { type WasmOptions, wasm } from "../../src/backend/wasm/device.js";
import { DeviceError } from "../../src/base/errors.js";
import { read } from "../../src/program/program.js";

/** The class of workers that a test wants in place of Node's. */
const made = vi.hoisted((): { Worker?: unknown } => ({}));
vi.mock("node:worker_threads", async (importReal) => {
  const real = await importReal<typeof import("node:worker_threads")>();
  return {
    ...real,
    get Worker() {
      return made.Worker ?? real.Worker;
    },
  };
});

describe("kernels that the caller gives", () => {
  const file = new URL("../../dist/kernels/simd.wasm", import.meta.url);
  const bytes = new Uint8Array(readFileSync(file));
  const sources: [string, NonNullable<WasmOptions["kernels"]>][] = [
    ["bytes", bytes],
    ["the URL of a file", file],
    ["that URL as text", file.href],
    ["a compiled module", new WebAssembly.Module(bytes)],
  ];
  it.each(sources)("%s", async (_, kernels) => {
    const device = await wasm({ threads: 2, kernels });
    expect((await read(device, square(constant([1, 2, 3])))).data).toEqual(Float32Array.of(1, 4, 9));
    device.close();
  });
});

describe("workers that cannot be had", () => {
  afterEach(() => {
    made.Worker = undefined;
  });

  /** A worker as Node shows one; `start` is what happens to it first, `job` what when it gets its job. */
  const workers = (start: (worker: EventEmitter) => void, job: (worker: EventEmitter) => void) => {
    let alive = 0;
    class Worker extends EventEmitter {
      constructor() {
        super();
        alive++;
        start(this);
      }
      postMessage(): void {
        job(this);
      }
      terminate(): void {
        alive--;
      }
      unref(): void {}
    }
    made.Worker = Worker;
    return () => alive;
  };
  const soon = (event: string, what: unknown) => (worker: EventEmitter) => void setTimeout(() => worker.emit(event, what));
  const up = soon("message", {});
  const forbids = () => {
    throw new Error("access has been restricted");
  };

  it.each<[string, () => () => number, string]>([
    ["are forbidden", () => workers(forbids, up), "access has been restricted"],
    ["fail", () => workers(soon("error", new Error("no memory for a thread")), up), "no memory for a thread"],
    ["end at once", () => workers(soon("exit", 1), up), "a worker ended before its time"],
    ["cannot instantiate", () => workers(up, soon("message", { fault: "forbidden here too" })), "forbidden here too"],
    ["cannot be sent memory", () => workers(up, forbids), "a worker cannot be given its memory (access has been restricted)"],
  ])("because they %s leave one thread, and the reason", async (_, prepare, reason) => {
    const alive = prepare();
    const device = await wasm({ threads: 3 });
    expect(device.threads).toBe(1);
    expect(device.describe().details).toContain(`threads: 1: ${reason}`);
    expect((await read(device, square(constant([1, 2, 3])))).data).toEqual(Float32Array.of(1, 4, 9));
    device.close();
    if (reason !== "access has been restricted") expect(alive()).toBe(0);
  });

  it("do without those that are missing", async () => {
    let count = 0;
    const { Worker } = workerThreads;
    class Scarce extends Worker {
      constructor(...args: ConstructorParameters<typeof Worker>) {
        if (++count > 1) forbids();
        super(...args);
      }
    }
    made.Worker = Scarce;
    const device = await wasm({ threads: 4 });
    expect(device.describe().details).toContain("threads: 2: access has been restricted");
    expect((await read(device, square(constant([1, 2, 3])))).data).toEqual(Float32Array.of(1, 4, 9));
    device.close();
  });
});

describe("a kernel that traps", () => {
  it.each([1, 2, 3])("ends the run and the device on %i threads, and nobody waits for it", async (threads) => {
    const device = await wasm({ threads });
    const storage = device.allocate(1 << 20, "a buffer");
    // Of so many numbers the first thread's share lies in the memory, and the last one's beyond its end.
    const run = (n: number) => device.load([{ kernel: "fill", args: { y: { storage, offset: 0 }, n, value: 1 } }]).run();
    run(1 << 20);
    expect(() => run(1 << 24)).toThrow(DeviceError);
    expect(() => run(1)).toThrow(/closed/);
  });
});
