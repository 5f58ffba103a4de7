/** Calls made ready to be encoded: their pipelines, what they are bound to, and where its parts begin. */
import { DeviceError } from "../../base/errors.js";
import { type GpuBindGroup, type GpuBuffer, type GpuDevice, usage } from "../../base/gpu.js";
import { callCost } from "../calls.js";
import type { Storage } from "../device.js";
import type { Ways } from "./launches.js";
import type { Place } from "./memory.js";
import type { Pipelines, Prepared } from "./pipelines.js";
import { type Dispatch, dispatchOf, type Ridden } from "./shader.js";

/** A dispatch, ready to be encoded, and a guess of how long a slow GPU takes for it. */
export interface Command {
  readonly prepared: Prepared;
  readonly group: GpuBindGroup;
  /** Workgroups, folded. */
  readonly grid: readonly [x: number, y: number];
  /** @units ms */
  readonly guess: number;
}

/** The calls of a program, ready to be run. */
export interface LoadedProgram {
  /** The offsets of all dispatches. */
  readonly table: GpuBuffer;
  readonly commands: readonly Command[];
}

/** Calls of a dispatch, and what becomes of them. */
interface Planned extends Dispatch<GpuBuffer> {
  /** @units ms */
  readonly guess: number;
}

/** A submit is cut before a slow GPU would need longer: drivers reset what does not answer for a second or two. @units ms */
export const longestSubmit = 100;
/** Offsets of a uniform binding start at whole multiples of this. @units bytes */
const offsetAlignment = 256;
/** Of a slow GPU: multiply-adds and bytes a millisecond, and what a dispatch takes beside them. */
const slow = { multiplyAdds: 2e8, bytes: 2e7, dispatch: 0.01 } as const;

/** @units ms */
function guessOf(join: readonly Ridden[]): number {
  const costs = join.flatMap(({ call, rider }) => (rider ? [call, rider.call] : [call])).map(callCost);
  return costs.reduce<number>((sum, own) => sum + own.multiplyAdds / slow.multiplyAdds + own.bytes / slow.bytes, slow.dispatch);
}

/** Loads programs onto one GPU. */
export class Loader {
  constructor(
    private readonly gpu: GpuDevice,
    private readonly pipelines: Pipelines,
    private readonly placeOf: (storage: Storage) => Place,
  ) {}

  /** Lists of calls that run at once as dispatches, bound.
   *  @throws DeviceError when a call needs more buffers or workgroup memory than the adapter has */
  prepare(joins: readonly (readonly Ridden[])[], ways: Ways): LoadedProgram {
    return this.bind(joins.flatMap((join) => this.dispatchesOf(join, ways)));
  }

  /** One dispatch, or several where it would need more than the adapter has, or too long. */
  private dispatchesOf(join: readonly Ridden[], ways: Ways): readonly Planned[] {
    const whole = { ...dispatchOf(join, this.placeOf, ways), guess: guessOf(join) };
    const parts = partsOf(join);
    const isSmall = this.fits(whole) && (join.length === 1 || whole.guess <= longestSubmit);
    return isSmall || parts.length === 0 ? [whole] : parts.flatMap((part) => this.dispatchesOf(part, ways));
  }

  private fits({ bound, workgroupBytes }: Dispatch<GpuBuffer>): boolean {
    const { maxStorageBuffersPerShaderStage, maxComputeWorkgroupStorageSize } = this.gpu.limits;
    return bound.length <= maxStorageBuffersPerShaderStage && workgroupBytes <= maxComputeWorkgroupStorageSize;
  }

  /** Pipelines and bind groups of dispatches, and the buffer of their offsets. */
  private bind(dispatches: readonly Planned[]): LoadedProgram {
    for (const own of dispatches) if (!this.fits(own)) throw this.tooLarge(own);
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
    const commands = dispatches.map(({ code, bound, groups, guess }, i) => {
      const prepared = this.pipelines.of(
        code,
        bound.map(({ writes }) => writes),
      );
      const entries = [
        { binding: 0, resource: { buffer: table, offset: starts[i], size: sizes[i] } },
        ...bound.map(({ storage }, binding) => ({ binding: binding + 1, resource: { buffer: storage } })),
      ];
      const group = this.gpu.createBindGroup({ layout: prepared.layout, entries });
      return { prepared, group, grid: this.fold(groups), guess };
    });
    return { table, commands };
  }

  private tooLarge({ bound, workgroupBytes }: Dispatch<GpuBuffer>): DeviceError {
    const { maxStorageBuffersPerShaderStage: most, maxComputeWorkgroupStorageSize: mostBytes } = this.gpu.limits;
    return new DeviceError(
      bound.length > most
        ? `webgpu: a call of the program uses ${bound.length} buffers of the device, and the adapter binds ${most} at once. ` +
            "Give inputs as one tensor and slice it, or use wasm()."
        : `webgpu: a call of the program needs ${workgroupBytes} bytes of workgroup memory, and the adapter has ${mostBytes}. ` +
            "Use another adapter, or wasm().",
    );
  }

  private fold(groups: number): readonly [number, number] {
    const most = this.gpu.limits.maxComputeWorkgroupsPerDimension;
    const rows = Math.ceil(groups / most);
    return rows <= 1 ? [groups, 1] : [Math.ceil(groups / rows), rows];
  }
}

/** Halves of a join; of one call and what rides with it each by itself, which reads what it else would make again. None of less. */
function partsOf(join: readonly Ridden[]): readonly (readonly Ridden[])[] {
  const half = Math.ceil(join.length / 2);
  if (half < join.length) return [join.slice(0, half), join.slice(half)];
  const [{ call, rider, sources }] = join;
  if (rider) return [[{ call }], [{ call: rider.call }]];
  return sources?.size ? [[{ call }]] : [];
}
