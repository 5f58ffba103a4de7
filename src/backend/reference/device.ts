import { DeviceError } from "../../base/errors.js";
import { mapBuffers } from "../calls.js";
import type { Device, DeviceDescription, ElementType, Executable, Slot, Storage } from "../device.js";
import type { HostArray } from "../host.js";
import type { KernelCall } from "../kernels.js";
import { runReference } from "./kernels/index.js";

interface ArrayStorage extends Storage {
  readonly array: Float64Array;
}

const arrayOf = (storage: Storage): Float64Array => (storage as ArrayStorage).array;

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
    const bound = calls.map((call) => mapBuffers(call, ({ storage, offset }) => arrayOf(storage).subarray(offset)));
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
