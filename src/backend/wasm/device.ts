import { ConfigError, DeviceError } from "../../base/errors.js";
import { mapBuffers } from "../calls.js";
import { callCost } from "../cost.js";
import type { After, Device, DeviceDescription, ElementType, Executable, Slot, Storage } from "../device.js";
import type { HostArray } from "../host.js";
import type { KernelCall } from "../kernels.js";
import { type KernelSource, type Kernels, loadKernels, setEngineFlags, type Vectors } from "./binary.js";
import { encodeCall } from "./encode.js";
import { Heap } from "./heap.js";
import { bestRate } from "./probe.js";
import { barrierPolls, coreCount, type Helper, maySleep, startWorkers, threadsForbidden, WorkerFault } from "./threads.js";

export interface WasmOptions {
  /** Threads to run programs on, the calling one included; by default every core, at most 8. */
  readonly threads?: number;
  /** Which build of the kernels; by default the fastest that the engine has. */
  readonly vectors?: Vectors;
  /** Kernels to use instead of the embedded ones: bytes, a URL, or a compiled module, for which nothing is compiled. */
  readonly kernels?: KernelSource;
}

/** What `assembly/program.ts` exports. */
interface ProgramExports {
  readonly scratchBytes: WebAssembly.Global;
  setUp(index: number, count: number, scratch: number, polls: number): void;
  run(from: number, to: number): void;
  stop(): void;
  peakFlops(repeats: number): number;
}

const buildNames: Readonly<Record<Vectors, string>> = {
  simd: "SIMD, tiles of 4x8",
  relaxed: "relaxed SIMD (fused multiply-add), tiles of 6x8",
  paired: "relaxed SIMD on paired vectors, tiles of 6x16",
};

interface WasmStorage extends Storage {
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
 * Starts a WASM device: picks the build of the kernels that is fastest here, and starts the worker threads.
 * @throws ConfigError when `threads` is not a positive whole number
 * @throws DeviceError when the engine has no WASM SIMD or refuses the memory
 */
export async function wasm(options: WasmOptions = {}): Promise<WasmDevice> {
  const { threads: wanted, vectors, kernels: source } = options;
  if (wanted !== undefined && !(Number.isInteger(wanted) && wanted >= 1)) {
    throw new ConfigError(`wasm: threads must be a whole number of at least 1, got ${wanted}.`);
  }
  const forbidden = threadsForbidden();
  const cores = await coreCount();
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
      `wasm: the engine refused a shared memory of up to 4 GiB (${(error as Error).message}). Close other tabs, or use a 64-bit engine.`,
    );
  }
}

/** Parts of a long call, a thread: small enough that nobody waits long for a slow core's last. */
const partsPerThread = 6;
/** What a call must cost to be worth dividing: some 100 µs. */
const [longMultiplyAdds, longBytes] = [2e6, 2e6];

function isLong(call: KernelCall<Slot>): boolean {
  const { multiplyAdds, bytes } = callCost(call);
  return multiplyAdds > longMultiplyAdds || bytes > longBytes;
}

/** Numbers that are read one by one. */
const smallRead = 16;

/** Programs as command lists in WASM memory, walked by all threads together. */
export class WasmDevice implements Device {
  readonly name = "wasm";
  readonly bytesPerElement = 4;
  private readonly heap: Heap;
  private closed = false;

  constructor(
    private readonly memory: WebAssembly.Memory,
    private readonly exports: ProgramExports,
    private readonly kernels: Kernels,
    private readonly helpers: readonly Helper[],
    readonly threads: number,
    private readonly threadsReason: string,
  ) {
    this.heap = new Heap(reservedBytes, (bytes) => this.grow(bytes));
  }

  /** Gives every thread its scratch memory, and the workers their jobs, on so many cores. */
  async start(cores: number): Promise<void> {
    const scratchBytes = this.exports.scratchBytes.value as number;
    const scratch = Array.from({ length: this.threads }, () => this.reserve(scratchBytes, "a thread's scratch memory").address);
    const { kernels, memory, threads } = this;
    const polls = barrierPolls(threads, cores);
    this.exports.setUp(0, threads, scratch[0] as number, maySleep() ? polls : 0);
    await Promise.all(
      this.helpers.map((helper, i) => {
        const index = i + 1;
        return helper.begin({ module: kernels.module, memory, index, threads, scratch: scratch[index] as number, polls });
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
    return { elements, address, views: {} };
  }

  release(storage: Storage): void {
    this.heap.release((storage as WasmStorage).address);
  }

  write({ storage, offset }: Slot, data: ArrayLike<number>, type: ElementType): void {
    this.view(storage as WasmStorage, type).set(data, offset);
  }

  read({ storage, offset }: Slot, elements: number, type: ElementType): HostArray {
    const view = this.view(storage as WasmStorage, type);
    // A slice of shared memory leaves several objects behind; for a loss, the copy is all there is.
    if (elements > smallRead) return view.slice(offset, offset + elements);
    const copy = type === "i32" ? new Int32Array(elements) : new Float32Array(elements);
    for (let i = 0; i < elements; i++) copy[i] = view[offset + i] as number;
    return copy;
  }

  load(calls: readonly KernelCall<Slot>[], order: readonly After[] = []): Executable {
    const division = { parts: partsPerThread, threads: this.threads };
    const commands = calls.map((call, i) =>
      encodeCall(
        mapBuffers(call, (slot) => addressOf(slot)),
        order[i],
        isLong(call) ? division : undefined,
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
    commands.forEach((words, i) => memory.set(words, (base + (starts[i] as number)) / 4));
    return {
      length: calls.length,
      run: (from = 0, to = calls.length) => {
        if (this.closed) throw new DeviceError("wasm: the device is closed. Start a new one.");
        if (from < to) this.run(base + (starts[from] as number), base + (starts[to] as number));
      },
      dispose: () => this.heap.release(base),
    };
  }

  /** The arithmetic one thread could do if memory were free, now: the innermost loop of matrix products without its loads,
   *  the best of `ms` milliseconds, of more where the clock is coarse.
   *  @units GFLOP/s; NaN where the clock is too coarse for any time */
  peakFlops(ms: number): number {
    return bestRate(this.exports.peakFlops, ms);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
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
        `wasm: a kernel trapped (${(error as Error).message}), which is a fault of the engine; the device is closed. Start a new one.`,
      );
    }
  }

  private view({ address, elements, views }: WasmStorage, type: ElementType): Float32Array | Int32Array {
    if (type === "i32") {
      views.i32 ??= new Int32Array(this.memory.buffer, address, elements);
      return views.i32;
    }
    views.f32 ??= new Float32Array(this.memory.buffer, address, elements);
    return views.f32;
  }

  private reserve(bytes: number, what: string): { readonly address: number; readonly stale: number } {
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
