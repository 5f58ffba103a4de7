/** Calls made ready to be encoded: their pipelines, what they are bound to, and where its parts begin. */
import { DeviceError } from "../../base/errors.js";
import { type GpuBindGroup, type GpuBuffer, type GpuDevice, usage } from "../../base/gpu.js";
import { callCost, type KernelCall } from "../calls.js";
import type { Slot, Storage } from "../device.js";
import type { Ways } from "./launches.js";
import type { Place } from "./memory.js";
import type { Pipelines, Prepared } from "./pipelines.js";
import { type Dispatch, dispatchOf, type Ridden } from "./shader.js";

/** A dispatch, ready to be encoded. */
interface Command {
  readonly prepared: Prepared;
  readonly group: GpuBindGroup;
  /** Workgroups, folded. */
  readonly grid: readonly [x: number, y: number];
}

/** The commands of calls that run at once, and a guess of how long a slow GPU takes for them. */
export interface LoadedJoin {
  readonly commands: readonly Command[];
  /** @units ms */
  readonly guess: number;
}

/** The calls of a program, ready to be run. */
export interface LoadedProgram {
  /** The offsets of all dispatches. */
  readonly table: GpuBuffer;
  readonly joins: readonly LoadedJoin[];
  readonly dispatches: number;
  readonly all: readonly Prepared[];
}

/** Offsets of a uniform binding start at whole multiples of this. @units bytes */
const offsetAlignment = 256;
/** Of a slow GPU: multiply-adds and bytes a millisecond, and what a dispatch takes beside them. */
const slow = { multiplyAdds: 2e8, bytes: 2e7, dispatch: 0.01 } as const;

/** Calls of a list, one after the other. */
const callsOf = (join: readonly Ridden[]): KernelCall<Slot>[] =>
  join.flatMap(({ call, rider }) => (rider ? [call, rider.call] : [call]));

/** Loads programs onto one GPU. */
export class Loader {
  constructor(
    private readonly gpu: GpuDevice,
    private readonly pipelines: Pipelines,
    private readonly placeOf: (storage: Storage) => Place,
  ) {}

  /** Lists of calls that run at once as dispatches, bound.
   *  @throws DeviceError when a call needs more buffers than the adapter binds */
  prepare(joins: readonly (readonly Ridden[])[], ways: Ways): LoadedProgram {
    const dispatches = joins.map((join) => this.dispatchesOf(join, ways));
    const { table, groups } = this.bind(dispatches.flat());
    let next = 0;
    const loaded = joins.map((join, i): LoadedJoin => {
      const commands = dispatches[i].map((own) => ({ ...groups[next++], grid: this.fold(own.groups) }));
      const costs = callsOf(join).map(callCost);
      const work = costs.map(({ multiplyAdds, bytes }) => multiplyAdds / slow.multiplyAdds + bytes / slow.bytes);
      return { commands, guess: work.reduce((sum, ms) => sum + ms, slow.dispatch * commands.length) };
    });
    const all = groups.map(({ prepared }) => prepared);
    return { table, joins: loaded, dispatches: next, all };
  }

  /** One dispatch, or several where it would bind more buffers than the adapter does. */
  private dispatchesOf(join: readonly Ridden[], ways: Ways): readonly Dispatch<GpuBuffer>[] {
    const most = this.gpu.limits.maxStorageBuffersPerShaderStage;
    let dispatches: readonly Dispatch<GpuBuffer>[] = [];
    for (const way of [[join], join.map((own) => [own]), callsOf(join).map((call) => [{ call }])]) {
      dispatches = way.map((own) => dispatchOf(own, this.placeOf, ways));
      if (dispatches.every(({ bound }) => bound.length <= most)) break;
    }
    return dispatches;
  }

  /** Pipelines and bind groups of dispatches, and the buffer of their offsets. */
  private bind(dispatches: readonly Dispatch<GpuBuffer>[]): {
    readonly table: GpuBuffer;
    readonly groups: readonly Omit<Command, "grid">[];
  } {
    const most = this.gpu.limits.maxStorageBuffersPerShaderStage;
    const widest = Math.max(0, ...dispatches.map(({ bound }) => bound.length));
    if (widest > most) {
      throw new DeviceError(
        `webgpu: a call of the program uses ${widest} buffers of the device, and the adapter binds ${most} at once. ` +
          "Give inputs as one tensor and slice it, or use wasm().",
      );
    }
    const sizes = dispatches.map(({ offsets }) => 4 * offsets.length);
    const starts: number[] = [];
    let bytes = 0;
    for (const size of sizes) {
      starts.push(bytes);
      bytes += Math.ceil(size / offsetAlignment) * offsetAlignment;
    }
    const table = this.gpu.createBuffer({ size: Math.max(bytes, 16), usage: usage.uniform | usage.copyTarget });
    const words = new Int32Array(table.size / 4);
    dispatches.forEach(({ offsets }, i) => words.set(offsets, starts[i] / 4));
    this.gpu.queue.writeBuffer(table, 0, words);
    const groups = dispatches.map(({ code, bound }, i) => {
      const prepared = this.pipelines.of(
        code,
        bound.map(({ writes }) => writes),
      );
      const entries = [
        { binding: 0, resource: { buffer: table, offset: starts[i], size: sizes[i] } },
        ...bound.map(({ storage }, binding) => ({ binding: binding + 1, resource: { buffer: storage } })),
      ];
      return { prepared, group: this.gpu.createBindGroup({ layout: prepared.layout, entries }) };
    });
    return { table, groups };
  }

  private fold(groups: number): readonly [number, number] {
    const most = this.gpu.limits.maxComputeWorkgroupsPerDimension;
    const rows = Math.ceil(groups / most);
    return rows <= 1 ? [groups, 1] : [Math.ceil(groups / rows), rows];
  }
}
