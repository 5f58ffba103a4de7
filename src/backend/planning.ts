import { copyOf, thisCopy } from "../base/copy.js";
import { DeviceError } from "../base/errors.js";
import type { KernelCall } from "./calls.js";
import type { Device, DeviceDescription, Executable, Slot, Storage } from "./device.js";
import type { Target } from "./target.js";

/** What of a device decides how programs for it are made. */
export interface Planned {
  readonly name: string;
  readonly bytesPerElement: number;
  readonly target: Target;
  /** Groups of these calls that may run at once. */
  readonly intervals: (calls: readonly KernelCall<Slot>[]) => number;
}

/** Stands in for a device while programs are looked at and not run: they are the same as for it, and take no memory, however large.
 *  What would be written need not be made; what is read or run is refused. */
export class PlanningDevice implements Device {
  readonly plansOnly = true;
  readonly name: string;
  readonly bytesPerElement: number;
  readonly target: Target;

  constructor(private readonly planned: Planned) {
    const { name, bytesPerElement, target } = planned;
    [this.name, this.bytesPerElement, this.target] = [name, bytesPerElement, target];
  }

  get [copyOf](): object {
    return thisCopy;
  }

  describe(): DeviceDescription {
    return { device: this.name, threads: 1, details: ["plans only: nothing is allocated, nothing runs"] };
  }

  allocate(elements: number): Storage {
    return { elements };
  }

  release(): void {}
  write(): void {}
  close(): void {}

  read(): never {
    throw new DeviceError(`${this.name}: nothing can be read, programs are only planned here. Compile for a device that runs.`);
  }

  load(calls: readonly KernelCall<Slot>[]): Executable {
    const refuse = (): never => {
      throw new DeviceError(`${this.name}: nothing runs, programs are only planned here. Compile for a device that runs.`);
    };
    const intervals = this.planned.intervals(calls);
    return { length: calls.length, intervals, run: refuse, settled: refuse, profile: refuse, dispose: () => undefined };
  }
}
