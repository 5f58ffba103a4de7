import { copyOf, thisCopy } from "../../base/copy.js";
import type { DType } from "../../base/elements.js";
import { DeviceError, messageOf } from "../../base/errors.js";
import { type GpuAdapter, type GpuDevice, type GpuPass, usage } from "../../base/gpu.js";
import { type KernelCall, mapBuffers } from "../calls.js";
import type { Device, DeviceDescription, Executable, Slot, Storage } from "../device.js";
import type { HostArray } from "../host.js";
import { Ledger, type OwnedStorage } from "../ledger.js";
import type { Target } from "../target.js";
import { featuresOf, largestBuffer, limitsOf, nameOf } from "./adapters.js";
import { joinsOf } from "./joins.js";
import { type ProductTile, type TileOf, usualTile } from "./launches.js";
import { type Command, type LoadedProgram, Loader, longestSubmit } from "./loader.js";
import { GpuMemory, type Place } from "./memory.js";
import { Order } from "./order.js";
import { Pipelines } from "./pipelines.js";
import { ofSlots } from "./places.js";
import { whenDone } from "./polling.js";
import { Readback } from "./readback.js";
import type { Ridden } from "./shader.js";
import { webgpuTarget } from "./target.js";
import type { Tuner } from "./tuner.js";

interface GpuStorage extends OwnedStorage {
  readonly place: Place;
}

/** Calls whose times are asked for at once: a set of queries has at most 4,096. */
const callsAQuery = 2048;

/** A product is timed by as many runs as come to this. @units ms */
const timedSpan = 20;
/** Runs of a product at most, and how often they are timed: the shortest counts. */
const [mostRuns, timings] = [64, 3];

/** What a device is to do otherwise than usual. */
export interface Likings {
  /** Measures products, and says by which tiles they are computed. */
  readonly tuner?: Tuner | undefined;
  /** Whether weights that stay the same are kept in 16 bits. */
  readonly f16?: boolean | undefined;
  /** Whether what lanes have is put together by subgroups. */
  readonly subgroups?: boolean | undefined;
}

/** A program on the GPU. */
interface Held {
  loaded: LoadedProgram;
  /** What it waits for before it can run: its shaders, and measurements of its products. Undefined once there is nothing. */
  ready: Promise<void> | undefined;
  disposed: boolean;
}

/** Programs as dispatches on a GPU. Nothing waits but what reads. */
export class WebGpuDevice implements Device {
  readonly name = "webgpu";
  readonly bytesPerElement = 4;
  readonly target: Target;
  private readonly ledger = new Ledger(this.name);
  private readonly memory: GpuMemory;
  private readonly pipelines: Pipelines;
  private readonly loader: Loader;
  private readonly order = new Order((error) => this.note(messageOf(error)));
  private readonly readback: Readback;
  private readonly tuner: Tuner | undefined;
  private readonly subgroups: boolean;
  /** The first fault that the driver reported: it does so later, and throws nothing. */
  private fault: string | undefined;

  /** Made by `webgpu()`. */
  constructor(
    private readonly gpu: GpuDevice,
    private readonly adapter: GpuAdapter,
    private readonly reason: string,
    { tuner, f16, subgroups = false }: Likings = {},
  ) {
    this.tuner = tuner;
    this.subgroups = subgroups;
    const largest = largestBuffer(gpu.limits);
    this.target = webgpuTarget(largest, f16);
    this.memory = new GpuMemory(gpu, largest);
    this.pipelines = new Pipelines(gpu, (why) => this.note(why));
    this.loader = new Loader(gpu, this.pipelines, (storage) => this.placeOf(storage));
    this.readback = new Readback(gpu, this.order, largest);
    gpu.addEventListener("uncapturederror", ({ error }) => this.note(error.message));
    void gpu.lost.then(({ reason, message }) => {
      if (reason === "destroyed") this.ledger.close();
      else this.note(`the GPU was lost (${message || reason})`);
    });
  }

  get [copyOf](): object {
    return thisCopy;
  }

  describe(): DeviceDescription {
    return {
      device: this.name,
      threads: 1,
      details: [
        `adapter: ${nameOf(this.adapter)}: ${this.reason}`,
        `features: ${featuresOf(this.gpu)}`,
        `limits: ${limitsOf(this.gpu)}`,
        `sums of rows: ${this.subgroups ? "by subgroups" : "in workgroup memory"}`,
        ...(this.tuner ? [`tuning: ${this.tuner.summary}`] : []),
      ],
    };
  }

  allocate(elements: number, what: string, purpose?: "scratch"): GpuStorage {
    this.checkSound();
    const { largestStorageBytes } = this.target;
    if (4 * elements > largestStorageBytes) {
      const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
      throw new DeviceError(
        `webgpu: ${what} needs ${gibibytes(4 * elements)}, the adapter's largest storage has ${gibibytes(largestStorageBytes)}. ` +
          "Lower the batch size, or turn on checkpointing of blocks.",
      );
    }
    return { elements, what, released: false, place: this.memory.allocate(elements, purpose === "scratch") };
  }

  release(storage: Storage): void {
    const own = storage as GpuStorage;
    if (this.ledger.release(own)) this.tell(() => this.memory.release(own.place));
  }

  write({ storage, offset }: Slot, data: ArrayLike<number>, type: DType): void {
    const { buffer, first } = this.placeOf(storage);
    const kind = type === "i32" ? Int32Array : Float32Array;
    const numbers = data instanceof kind ? data : kind.from(data);
    // What waits is written later, whatever becomes of the caller's numbers.
    const kept = this.order.waiting ? numbers.slice() : numbers;
    this.tell(() => this.gpu.queue.writeBuffer(buffer, 4 * (first + offset), kept));
  }

  async read({ storage, offset }: Slot, elements: number, type: DType): Promise<HostArray> {
    const { buffer, first } = this.placeOf(storage);
    try {
      const data = await this.readback.read(buffer, first + offset, elements, type);
      this.checkSound();
      return data;
    } catch (error) {
      // What was lost may be said later than this, and what else is waited for ends for the same reason.
      this.checkSound();
      this.note(`memory cannot be read (${messageOf(error)})`);
      throw this.unsound();
    }
  }

  load(calls: readonly KernelCall<Slot>[]): Executable {
    const used = this.ledger.usedBy(calls);
    const tuned = this.tuner?.measure(calls, (product, tile) => this.timeOf(product, tile));
    const whole = this.hold(joinsOf(calls, ofSlots), tuned);
    // Who runs or times a part wants to see what each call does: nothing rides or is joined then.
    const parts: Held[] = [];
    const partly = (): Held => {
      if (parts.length === 0)
        parts.push(
          this.hold(
            calls.map((call) => [{ call }]),
            whole.ready && tuned,
          ),
        );
      return parts[0];
    };
    const executable = this.ledger.executable({ length: calls.length, intervals: whole.loaded.commands.length }, used, {
      run: (from, to) => (from === 0 && to === calls.length ? this.submit(whole) : this.submit(partly(), from, to)),
      dispose: () => {
        for (const own of [whole, ...parts]) {
          own.disposed = true;
          this.tell(() => own.loaded.table.destroy(), own.ready);
        }
      },
    });
    const profile = async () => {
      const own = partly();
      await own.ready;
      await this.order.waiting;
      return this.gpu.features.has("timestamp-query") ? this.timed(own.loaded.commands) : this.awaited(executable);
    };
    return { ...executable, settled: () => this.settled(), profile };
  }

  async settled(): Promise<void> {
    await this.pipelines.ready();
    await this.order.waiting;
    await whenDone(this.gpu, this.gpu.queue.onSubmittedWorkDone());
    this.checkSound();
  }

  close(): void {
    if (this.ledger.close()) this.gpu.destroy();
  }

  /** Makes calls ready to run; those whose products are being measured once more when that is done. */
  private hold(
    joins: readonly (readonly Ridden[])[],
    tuned?: Promise<void>,
    tileOf: TileOf = this.tuner?.tileOf ?? usualTile,
  ): Held {
    const prepare = () => this.loader.prepare(joins, { tileOf, subgroups: this.subgroups });
    const held: Held = { loaded: prepare(), ready: undefined, disposed: false };
    const again = tuned?.then(() => {
      if (held.disposed) return;
      held.loaded.table.destroy();
      held.loaded = prepare();
    });
    const wait = async () => {
      await again;
      await this.pipelines.ready(shadersOf(held));
      // A step that waits for nothing leaves next to nothing to the garbage collector.
      held.ready = undefined;
    };
    if (again || this.pipelines.ready(shadersOf(held))) held.ready = wait().catch((error) => this.note(messageOf(error)));
    return held;
  }

  /** Submits dispatches, when they are ready. */
  private submit(own: Held, from?: number, to?: number): void {
    this.checkSound();
    this.tell(() => {
      // A fault ends the next read.
      if (this.fault === undefined) this.encodeAll(own.loaded.commands.slice(from, to));
    }, own.ready);
  }

  /** What a product takes by a tile, in memory of its own. @units ms */
  private async timeOf(product: KernelCall<Slot>, tile: ProductTile): Promise<number> {
    const storages: GpuStorage[] = [];
    try {
      const call = mapBuffers(product, (_, elements): Slot => {
        const storage = this.allocate(elements, "the measurement of a product", "scratch");
        storages.push(storage);
        return { storage, offset: 0 };
      });
      const { loaded, ready } = this.hold([[{ call }]], undefined, () => tile);
      await ready;
      const timed = async (runs: number) => {
        const from = performance.now();
        this.encodeAll(Array.from({ length: runs }, () => loaded.commands[0]));
        await whenDone(this.gpu, this.gpu.queue.onSubmittedWorkDone());
        return (performance.now() - from) / runs;
      };
      await timed(1);
      const runs = Math.min(mostRuns, Math.ceil(timedSpan / (await timed(1))));
      const times: number[] = [];
      for (let i = 0; i < timings; i++) times.push(await timed(runs));
      loaded.table.destroy();
      this.checkSound();
      return Math.min(...times);
    } finally {
      for (const storage of storages) this.release(storage);
    }
  }

  /** Tells the GPU something, after all that it was told and asked before. */
  private tell(action: () => void, ready?: Promise<unknown>): void {
    this.readback.flush();
    this.order.tell(action, ready);
  }

  private encodeAll(commands: readonly Command[]): void {
    for (let from = 0; from < commands.length; ) {
      const encoder = this.gpu.createCommandEncoder();
      const pass = encoder.beginComputePass();
      let [to, guess] = [from, 0];
      for (; to < commands.length && (to === from || guess + commands[to].guess <= longestSubmit); to++) {
        guess += commands[to].guess;
        encode(pass, commands[to]);
      }
      pass.end();
      this.gpu.queue.submit([encoder.finish()]);
      from = to;
    }
  }

  /** What every call takes by the GPU's own clock. @units ms */
  private async timed(calls: readonly Command[]): Promise<number[]> {
    const times: number[] = [];
    for (let from = 0; from < calls.length; from += callsAQuery) {
      this.checkSound();
      const part = calls.slice(from, from + callsAQuery);
      const querySet = this.gpu.createQuerySet({ type: "timestamp", count: 2 * part.length });
      const stamps = this.gpu.createBuffer({ size: 16 * part.length, usage: usage.queryResolve | usage.copySource });
      const encoder = this.gpu.createCommandEncoder();
      part.forEach((call, i) => {
        const timestampWrites = { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
        const pass = encoder.beginComputePass({ timestampWrites });
        encode(pass, call);
        pass.end();
      });
      encoder.resolveQuerySet(querySet, 0, 2 * part.length, stamps, 0);
      this.gpu.queue.submit([encoder.finish()]);
      const words = await this.readback.read(stamps, 0, 4 * part.length, "i32");
      const nanoseconds = new BigUint64Array(words.buffer);
      part.forEach((_, i) => times.push(Number(nanoseconds[2 * i + 1] - nanoseconds[2 * i]) / 1e6));
      querySet.destroy();
      stamps.destroy();
    }
    this.checkSound();
    return times;
  }

  /** What every call takes when each is waited for: where the GPU has no clock. @units ms */
  private async awaited({ length, run }: Executable): Promise<number[]> {
    const times: number[] = [];
    for (let i = 0; i < length; i++) {
      await this.settled();
      const from = performance.now();
      run(i, i + 1);
      await this.settled();
      times.push(performance.now() - from);
    }
    return times;
  }

  /** Keeps the first fault: others follow from it. */
  private note(why: string): void {
    this.fault ??= why;
  }

  private placeOf(storage: Storage): Place {
    const own = storage as GpuStorage;
    this.ledger.checkHeld(own);
    return own.place;
  }

  /** @throws DeviceError when the driver reported a fault, or the device is closed */
  private checkSound(): void {
    if (this.fault !== undefined) throw this.unsound();
    this.ledger.checkOpen();
  }

  private unsound(): DeviceError {
    return new DeviceError(
      `webgpu: ${this.fault}. Start a new device, or one of another kind; a run goes on from its checkpoint.`,
    );
  }
}

const shadersOf = ({ loaded }: Held) => loaded.commands.map(({ prepared }) => prepared);

function encode(pass: GpuPass, { prepared: { pipeline }, group, grid }: Command): void {
  if (grid[0] === 0) return;
  if (!pipeline) throw new DeviceError("webgpu: a shader is run before it has compiled, which is a fault of the engine.");
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(...grid);
}

/** A device of an adapter, with the limits that it has.
 *  @throws DeviceError when the adapter refuses it */
export async function openAdapter(adapter: GpuAdapter, reason: string, likings?: Likings): Promise<WebGpuDevice> {
  const { limits } = adapter;
  const requiredLimits = {
    maxBufferSize: limits.maxBufferSize,
    maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
    maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
    maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
  };
  const requiredFeatures = ["timestamp-query", ...(likings?.subgroups ? ["subgroups"] : [])].filter((feature) =>
    adapter.features.has(feature),
  );
  try {
    return new WebGpuDevice(await adapter.requestDevice({ requiredFeatures, requiredLimits }), adapter, reason, likings);
  } catch (error) {
    throw new DeviceError(
      `webgpu: ${nameOf(adapter)} refused a device (${messageOf(error)}). Close other programs that use it, or use wasm().`,
    );
  }
}
