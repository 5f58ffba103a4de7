import { copyOf, thisCopy } from "../../base/copy.js";
import { DeviceError } from "../../base/errors.js";
import { mapBuffers } from "../calls.js";
import type { Device, DeviceDescription, ElementType, Executable, Slot, Storage } from "../device.js";
import type { HostArray } from "../host.js";
import type { KernelCall } from "../kernels.js";
import { Ledger, type OwnedStorage } from "../ledger.js";
import { runReference } from "./kernels/index.js";

interface ArrayStorage extends OwnedStorage {
  readonly array: Float64Array;
}

/** The reference device: every kernel in plain TypeScript and float64, one thread. The truth that the others must equal. */
export class ReferenceDevice implements Device {
  readonly name = "reference";
  readonly bytesPerElement = 8;
  private readonly ledger = new Ledger(this.name);

  get [copyOf](): object {
    return thisCopy;
  }

  describe(): DeviceDescription {
    return { device: this.name, threads: 1, details: ["plain TypeScript, float64: exact to read and to check by, slow"] };
  }

  allocate(elements: number, what: string): ArrayStorage {
    this.ledger.checkOpen();
    try {
      return { elements, what, released: false, array: new Float64Array(elements) };
    } catch {
      const gibibytes = ((elements * this.bytesPerElement) / 2 ** 30).toFixed(1);
      throw new DeviceError(`reference: ${what} needs ${gibibytes} GiB, which JavaScript refused. Lower the batch size.`);
    }
  }

  /** The garbage collector takes what nothing refers to. */
  release(storage: Storage): void {
    this.ledger.release(storage as ArrayStorage);
  }

  write({ storage, offset }: Slot, data: ArrayLike<number>): void {
    this.arrayOf(storage).set(data, offset);
  }

  read({ storage, offset }: Slot, elements: number, type: ElementType): HostArray {
    const part = this.arrayOf(storage).slice(offset, offset + elements);
    return type === "i32" ? Int32Array.from(part) : part;
  }

  load(calls: readonly KernelCall<Slot>[]): Executable {
    const bound = calls.map((call) => mapBuffers(call, ({ storage, offset }) => this.arrayOf(storage).subarray(offset)));
    const run = (from: number, to: number) => {
      for (const call of bound.slice(from, to)) runReference(call);
    };
    return this.ledger.executable(calls.length, this.ledger.usedBy(calls), { run, dispose: () => undefined });
  }

  close(): void {
    this.ledger.close();
  }

  private arrayOf(storage: Storage): Float64Array {
    this.ledger.checkHeld(storage as ArrayStorage);
    return (storage as ArrayStorage).array;
  }
}

/** A reference device. */
export const reference = (): ReferenceDevice => new ReferenceDevice();
