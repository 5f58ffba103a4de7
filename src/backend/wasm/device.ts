import { runtime } from "#runtime";
import { copyOf, thisCopy } from "../../base/copy.js";
import type { DType } from "../../base/elements.js";
import { DeviceError, messageOf } from "../../base/errors.js";
import { checkOptions, oneOf, type Rules, whole } from "../../base/options.js";
import { type KernelCall, mapBuffers } from "../calls.js";
import type { Device, DeviceDescription, Executable, Slot, Storage } from "../device.js";
import { Heap } from "../heap.js";
import type { HostArray } from "../host.js";
import { Ledger, type OwnedStorage } from "../ledger.js";
import { isKernelSource, type KernelSource, type Kernels, loadKernels, setEngineFlags, type Vectors } from "./binary.js";
import { divisionOf } from "./division.js";
import { encodeCall } from "./encode.js";
import type { WasmGlobal, WasmMemory } from "./engine.js";
import { bestRate } from "./probe.js";
import { schedule } from "./schedule.js";
import { wasmTarget } from "./target.js";
import { type Helper, leaderPolls, startWorkers, WorkerFault } from "./threads.js";

export interface WasmOptions {
  /** Threads to run programs on, the calling one included; by default every core, at most 8. */
  readonly threads?: number;
  /** Which build of the kernels; by default the fastest that the engine has. */
  readonly vectors?: Vectors;
  /** Kernels to use instead of the embedded ones: bytes, a URL, or a compiled module, for which nothing is compiled. */
  readonly kernels?: KernelSource;
}

const rules: Rules<WasmOptions> = {
  threads: whole(1),
  vectors: oneOf("simd", "relaxed", "paired"),
  kernels: {
    text: "bytes, a URL, or a compiled module",
    holds: isKernelSource,
  },
};

/** What `assembly/program.ts` exports. */
interface ProgramExports {
  readonly scratchBytes: WasmGlobal;
  readonly crewBytes: WasmGlobal;
  setUp(index: number, count: number, scratch: number, crew: number, helpers: number, polls: number): void;
  run(from: number, to: number): void;
  stop(): void;
  peakFlops(repeats: number): number;
}

const buildNames: Readonly<Record<Vectors, string>> = {
  simd: "SIMD, tiles of 4x8",
  relaxed: "relaxed SIMD (fused multiply-add), tiles of 6x8",
  paired: "relaxed SIMD on paired vectors, tiles of 6x16",
};

interface WasmStorage extends OwnedStorage {
  readonly address: number;
  /** Kept, so that writing inputs makes no garbage; they stay valid when the memory grows. */
  readonly views: { f32?: Float32Array; i32?: Int32Array };
}

const pageBytes = 65536;
/** WASM addresses are 32 bits. */
const mostPages = 65536;
/** The first page holds the control block, the kernels' constants and their static data. */
const reservedBytes = pageBytes;
/** Memory grows by at least this much, so that small programs do not grow it often. */
const growthBytes = 16 << 20;
/** Kernels may read, never write, up to a vector beyond a buffer: the last bytes of the memory belong to none. */
const guardBytes = 64;

/**
 * Starts a WASM device: picks the build of the kernels that is fastest here, and starts the worker threads. Where a policy forbids
 * workers, programs run on the calling thread, and `describe` says why.
 * @throws ConfigError when an option is unknown or against its rule, the engine lacks the `vectors`, or `kernels` are something else
 * @throws DeviceError when the engine has no WASM SIMD, may compile nothing, or refuses the memory
 */
export async function wasm(options: WasmOptions = {}): Promise<WasmDevice> {
  checkOptions("wasm", options, rules);
  const { threads: wanted, vectors, kernels: source } = options;
  const forbidden = runtime.threadsForbidden();
  const cores = runtime.cores();
  const threads = forbidden ? 1 : (wanted ?? Math.min(cores, 8));
  const reason = forbidden ?? (wanted ? "asked for" : `${cores} cores`);
  setEngineFlags(vectors); // before the engine starts other threads
  // Workers take as long to come up as the kernels to be compiled and timed.
  const starting = startWorkers(threads - 1);
  const end = async () => {
    for (const helper of (await starting).helpers) helper.end();
  };
  try {
    const kernels = await loadKernels({ ...(vectors ? { vectors } : {}), ...(source !== undefined ? { source } : {}) });
    const { helpers, fault } = await starting;
    try {
      return await openDevice(kernels, helpers, fault ?? reason, cores);
    } catch (error) {
      if (!(error instanceof WorkerFault)) throw error;
      await end();
      return await openDevice(kernels, [], error.message, cores);
    }
  } catch (error) {
    await end();
    throw error;
  }
}

async function openDevice(kernels: Kernels, helpers: readonly Helper[], reason: string, cores: number): Promise<WasmDevice> {
  const memory = newMemory();
  const instance = await WebAssembly.instantiate(kernels.module, { env: { memory, abort: () => undefined } });
  const exports = instance.exports as unknown as ProgramExports;
  const device = new WasmDevice(memory, exports, kernels, helpers, 1 + helpers.length, reason);
  await device.start(cores);
  return device;
}

function newMemory(): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: mostPages, shared: true });
  } catch (error) {
    throw new DeviceError(
      `wasm: the engine refused a shared memory of up to 4 GiB (${messageOf(error)}). Close other tabs, or use a 64-bit engine.`,
    );
  }
}

/** Numbers that are read one by one. */
const smallRead = 16;

/** Programs as command lists in WASM memory, walked by all threads together. */
export class WasmDevice implements Device {
  readonly name = "wasm";
  readonly bytesPerElement = 4;
  readonly target = wasmTarget;
  private readonly heap: Heap;
  private readonly ledger = new Ledger(this.name);

  constructor(
    private readonly memory: WasmMemory,
    private readonly exports: ProgramExports,
    private readonly kernels: Kernels,
    private readonly helpers: readonly Helper[],
    readonly threads: number,
    private readonly threadsReason: string,
  ) {
    this.heap = new Heap(reservedBytes, (bytes) => this.grow(bytes));
  }

  get [copyOf](): object {
    return thisCopy;
  }

  /** Gives every thread its scratch memory, and the workers their jobs, on so many cores. */
  async start(cores: number): Promise<void> {
    const scratchBytes = this.exports.scratchBytes.value as number;
    const scratch = Array.from({ length: this.threads }, () => this.reserve(scratchBytes, "a thread's scratch memory").address);
    const { kernels, memory, threads } = this;
    const crew = this.reserve(threads * (this.exports.crewBytes.value as number), "what threads tell each other").address;
    // More threads than cores would only wait for each other.
    this.exports.setUp(0, threads, scratch[0], crew, Math.min(threads, cores) - 1, leaderPolls());
    await Promise.all(
      this.helpers.map((helper, i) => {
        const index = i + 1;
        return helper.begin({ module: kernels.module, memory, index, threads, scratch: scratch[index], crew });
      }),
    );
  }

  describe(): DeviceDescription {
    return {
      device: this.name,
      threads: this.threads,
      details: [
        `kernels: ${this.kernels.vectors ? `${buildNames[this.kernels.vectors]}: ` : ""}${this.kernels.reason}`,
        `threads: ${this.threads}: ${this.threadsReason}`,
        "memory: up to 4 GiB, shared",
      ],
    };
  }

  allocate(elements: number, what: string, purpose?: "scratch"): WasmStorage {
    const bytes = elements * this.bytesPerElement;
    const { address, stale } = this.reserve(bytes, what);
    if (purpose !== "scratch") new Uint8Array(this.memory.buffer, address, stale).fill(0);
    return { elements, what, released: false, address, views: {} };
  }

  release(storage: Storage): void {
    const own = storage as WasmStorage;
    if (this.ledger.release(own)) this.heap.release(own.address);
  }

  write({ storage, offset }: Slot, data: ArrayLike<number>, type: DType): void {
    this.view(storage as WasmStorage, type).set(data, offset);
  }

  read({ storage, offset }: Slot, elements: number, type: DType): HostArray {
    const view = this.view(storage as WasmStorage, type);
    // A slice of shared memory leaves several objects behind; for a loss, the copy is all there is.
    if (elements > smallRead) return view.slice(offset, offset + elements);
    const copy = type === "i32" ? new Int32Array(elements) : new Float32Array(elements);
    for (let i = 0; i < elements; i++) copy[i] = view[offset + i];
    return copy;
  }

  load(calls: readonly KernelCall<Slot>[]): Executable {
    const used = this.ledger.usedBy(calls);
    const order = schedule(calls);
    const commands = calls.map((call, i) =>
      encodeCall(
        mapBuffers(call, (slot) => addressOf(slot)),
        order[i],
        divisionOf(call, this.threads),
      ),
    );
    const starts: number[] = [];
    let bytes = 0;
    for (const words of commands) {
      starts.push(bytes);
      bytes += words.byteLength;
    }
    starts.push(bytes);
    const base = this.reserve(bytes, "a program's commands").address;
    const memory = new Int32Array(this.memory.buffer);
    commands.forEach((words, i) => memory.set(words, (base + starts[i]) / 4));
    const size = { length: calls.length, intervals: order.filter((after) => after === "meet").length };
    return this.ledger.executable(size, used, {
      run: (from, to) => {
        if (from < to) this.run(base + starts[from], base + starts[to]);
      },
      dispose: () => this.heap.release(base),
    });
  }

  /** The arithmetic one thread could do if memory were free, now: the innermost loop of matrix products without its loads,
   *  the best of `ms` milliseconds, of more where the clock is coarse.
   *  @units GFLOP/s; NaN where the clock is too coarse for any time */
  peakFlops(ms: number): number {
    return bestRate(this.exports.peakFlops, ms);
  }

  close(): void {
    if (!this.ledger.close()) return;
    if (this.threads > 1) this.exports.stop();
    for (const helper of this.helpers) helper.end();
  }

  /** Runs commands. After a trap the threads have lost each other. */
  private run(from: number, to: number): void {
    try {
      this.exports.run(from, to);
    } catch (error) {
      this.close();
      throw new DeviceError(
        `wasm: a kernel trapped (${messageOf(error)}), which is a fault of the engine; the device is closed. Start a new one.`,
      );
    }
  }

  private view(storage: WasmStorage, type: DType): Float32Array | Int32Array {
    this.ledger.checkHeld(storage);
    const { address, elements, views } = storage;
    if (type === "i32") {
      views.i32 ??= new Int32Array(this.memory.buffer, address, elements);
      return views.i32;
    }
    views.f32 ??= new Float32Array(this.memory.buffer, address, elements);
    return views.f32;
  }

  private reserve(bytes: number, what: string): { readonly address: number; readonly stale: number } {
    this.ledger.checkOpen();
    const block = this.heap.allocate(bytes);
    if (block) return block;
    const gibibytes = (n: number) => `${(n / 2 ** 30).toFixed(1)} GiB`;
    throw new DeviceError(
      `wasm: ${what} needs ${gibibytes(bytes)}, the device holds ${gibibytes(this.memory.buffer.byteLength)} and its limit is 4 GiB. ` +
        "Lower the batch size, or turn on checkpointing of blocks.",
    );
  }

  private grow(bytes: number): number | undefined {
    const pages = this.memory.buffer.byteLength / pageBytes;
    const wanted = Math.ceil((Math.max(bytes, growthBytes) + guardBytes) / pageBytes);
    for (const extra of [wanted, Math.ceil((bytes + guardBytes) / pageBytes)]) {
      if (pages + extra > mostPages) continue;
      try {
        this.memory.grow(extra);
        return this.memory.buffer.byteLength - guardBytes;
      } catch {
        // The host has less than the limit: try the smaller step, then give up.
      }
    }
    return undefined;
  }
}

const addressOf = ({ storage, offset }: Slot): number => (storage as WasmStorage).address + offset * 4;
