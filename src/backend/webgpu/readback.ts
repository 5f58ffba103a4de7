import type { DType } from "../../base/elements.js";
import { type GpuBuffer, type GpuDevice, mapForReading, usage } from "../../base/gpu.js";
import type { HostArray } from "../host.js";
import type { Order } from "./order.js";
import { whenDone } from "./polling.js";

interface Wanted {
  readonly buffer: GpuBuffer;
  /** @units elements */
  readonly first: number;
  readonly elements: number;
  readonly type: DType;
  readonly take: (data: HostArray) => void;
  readonly fail: (error: unknown) => void;
}

const smallestStaging = 4096;

/** Reads memory back. What is asked for in one turn of the event loop is copied, submitted and waited for together, unless the device is
 *  told something else meanwhile: a read sees what was told before it, and nothing that was told after. */
export class Readback {
  private wanted: Wanted[] = [];
  /** Buffers that nothing is copied to now, by their size. */
  private readonly idle: GpuBuffer[] = [];

  constructor(
    private readonly device: GpuDevice,
    private readonly order: Order,
    /** Bytes that may be copied into one buffer. */
    private readonly most: number,
  ) {}

  read(buffer: GpuBuffer, first: number, elements: number, type: DType): Promise<HostArray> {
    return new Promise((take, fail) => {
      if (this.wanted.push({ buffer, first, elements, type, take, fail }) === 1) queueMicrotask(() => this.flush());
    });
  }

  /** Has all that was asked for copied, before anything else is told. */
  flush(): void {
    if (this.wanted.length === 0) return;
    const list = this.wanted;
    this.wanted = [];
    for (let from = 0; from < list.length; ) {
      let to = from + 1;
      for (let elements = list[from].elements; to < list.length; to++) {
        elements += list[to].elements;
        if (4 * elements > this.most) break;
      }
      void this.answer(list.slice(from, to));
      from = to;
    }
  }

  private async answer(list: readonly Wanted[]): Promise<void> {
    try {
      const bytes = list.reduce((sum, { elements }) => sum + 4 * elements, 0);
      const staging = this.staging(bytes);
      await this.order.tell(() => this.copy(list, staging));
      await whenDone(this.device, staging.mapAsync(mapForReading));
      const mapped = staging.getMappedRange();
      let at = 0;
      for (const { elements, type, take } of list) {
        const part = mapped.slice(at, at + 4 * elements);
        take(type === "i32" ? new Int32Array(part) : new Float32Array(part));
        at += 4 * elements;
      }
      staging.unmap();
      this.idle.push(staging);
    } catch (error) {
      for (const { fail } of list) fail(error);
    }
  }

  private copy(list: readonly Wanted[], staging: GpuBuffer): void {
    const encoder = this.device.createCommandEncoder();
    let at = 0;
    for (const { buffer, first, elements } of list) {
      if (elements > 0) encoder.copyBufferToBuffer(buffer, 4 * first, staging, at, 4 * elements);
      at += 4 * elements;
    }
    this.device.queue.submit([encoder.finish()]);
  }

  private staging(bytes: number): GpuBuffer {
    const at = this.idle.findIndex(({ size }) => size >= bytes);
    if (at >= 0) return this.idle.splice(at, 1)[0];
    const size = Math.max(bytes, Math.min(this.most, Math.max(smallestStaging, 2 ** Math.ceil(Math.log2(bytes)))));
    return this.device.createBuffer({ size, usage: usage.mapRead | usage.copyTarget });
  }
}
