import { copyOf, thisCopy } from "../../base/copy.js";
import type { DType } from "../../base/elements.js";
import { DeviceError } from "../../base/errors.js";
import { type KernelCall, mapBuffers, runReference } from "../calls.js";
import type { Device, DeviceDescription, Executable, Slot, Storage } from "../device.js";
import type { HostArray } from "../host.js";
import { Ledger, type OwnedStorage } from "../ledger.js";
import type { Target } from "../target.js";

interface ArrayStorage extends OwnedStorage {
  readonly array: Float64Array;
}

/** The reference asks for nothing: sums are whole, products as they stand. */
export const referenceTarget: Target = {
  alignmentBytes: 8,
  largestStorageBytes: Number.POSITIVE_INFINITY,
  group: { reads: 14, nodes: 40 },
  chunkRows: (_outer, rows) => rows,
  chunkOfAll: Number.POSITIVE_INFINITY,
  productForm: () => ({ parts: 1, heldB: "plain" }),
  keepsOperands: () => false,
  runsInFlight: 1,
  // Fixtures are float32: their own rounding is 6e-8.
  tolerances: { outputs: 2e-7, gradients: 2e-6 },
};

/** The reference device: every kernel in plain TypeScript and float64, one thread. The truth that the others must equal. */
export class ReferenceDevice implements Device {
  readonly name = "reference";
  readonly bytesPerElement = 8;
  readonly target = referenceTarget;
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

  read({ storage, offset }: Slot, elements: number, type: DType): HostArray {
    const part = this.arrayOf(storage).slice(offset, offset + elements);
    return type === "i32" ? Int32Array.from(part) : part;
  }

  load(calls: readonly KernelCall<Slot>[]): Executable {
    const bound = calls.map((call) => mapBuffers(call, (slot, elements) => this.within(call.kernel, slot, elements)));
    const run = (from: number, to: number) => {
      for (const call of bound.slice(from, to)) runReference(call);
    };
    const size = { length: calls.length, intervals: calls.length };
    return this.ledger.executable(size, this.ledger.usedBy(calls), { run, dispose: () => undefined });
  }

  close(): void {
    this.ledger.close();
  }

  /** What a call may touch from a slot on, and nothing else: beyond it the reference reads nothing and writes nothing.
   *  @throws DeviceError when that is more than the storage holds, which is a fault of the engine */
  private within(kernel: string, { storage, offset }: Slot, elements: number): Float64Array {
    if (offset + elements > storage.elements) {
      throw new DeviceError(
        `reference: ${kernel} would touch elements up to ${offset + elements} of a storage of ${storage.elements}. This is a fault of the engine.`,
      );
    }
    return this.arrayOf(storage).subarray(offset, offset + elements);
  }

  private arrayOf(storage: Storage): Float64Array {
    this.ledger.checkHeld(storage as ArrayStorage);
    return (storage as ArrayStorage).array;
  }
}

/** A reference device. */
export const reference = (): ReferenceDevice => new ReferenceDevice();
