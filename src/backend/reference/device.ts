import { DeviceError } from "../../base/errors.js";
import { type KernelCall, mapBuffers, runReference } from "../calls.js";
import type { Device, DeviceDescription, ElementType, Executable, Slot, Storage } from "../device.js";
import type { HostArray } from "../host.js";

interface ArrayStorage extends Storage {
  readonly array: Float64Array;
}

const arrayOf = (storage: Storage): Float64Array => (storage as ArrayStorage).array;

/** What a call may touch from a slot on, and nothing else: beyond it the reference reads nothing and writes nothing.
 *  @throws DeviceError when that is more than the storage holds, which is a fault of the engine */
function within(kernel: string, { storage, offset }: Slot, elements: number): Float64Array {
  if (offset + elements > storage.elements) {
    throw new DeviceError(
      `reference: ${kernel} would touch elements up to ${offset + elements} of a storage of ${storage.elements}. This is a fault of the engine.`,
    );
  }
  return arrayOf(storage).subarray(offset, offset + elements);
}

/** The reference device: every kernel in plain TypeScript and float64, one thread. The truth that the others must equal. */
export class ReferenceDevice implements Device {
  readonly name = "reference";
  readonly bytesPerElement = 8;

  describe(): DeviceDescription {
    return { device: this.name, threads: 1, details: ["plain TypeScript, float64: exact to read and to check by, slow"] };
  }

  allocate(elements: number, what: string): ArrayStorage {
    try {
      return { elements, array: new Float64Array(elements) };
    } catch {
      const gibibytes = ((elements * this.bytesPerElement) / 2 ** 30).toFixed(1);
      throw new DeviceError(`reference: ${what} needs ${gibibytes} GiB, which JavaScript refused. Lower the batch size.`);
    }
  }

  release(): void {
    // The garbage collector takes what nothing refers to.
  }

  write({ storage, offset }: Slot, data: ArrayLike<number>): void {
    arrayOf(storage).set(data, offset);
  }

  read({ storage, offset }: Slot, elements: number, type: ElementType): HostArray {
    const part = arrayOf(storage).slice(offset, offset + elements);
    return type === "i32" ? Int32Array.from(part) : part;
  }

  load(calls: readonly KernelCall<Slot>[]): Executable {
    const bound = calls.map((call) => mapBuffers(call, (slot, elements) => within(call.kernel, slot, elements)));
    return {
      length: bound.length,
      run: (from = 0, to = bound.length) => {
        for (const call of bound.slice(from, to)) runReference(call);
      },
      dispose: () => undefined,
    };
  }

  close(): void {
    // Holds nothing but arrays.
  }
}

/** A reference device. */
export const reference = (): ReferenceDevice => new ReferenceDevice();
