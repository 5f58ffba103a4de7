import { isForeign } from "../base/copy.js";
import type { DType } from "../base/elements.js";
import { ConfigError } from "../base/errors.js";
import { show } from "../base/options.js";
import type { KernelCall } from "./calls.js";
import type { HostArray } from "./host.js";
import type { Target } from "./target.js";

/** Memory on a device, in elements of 4 bytes (8 on the reference device). */
export interface Storage {
  readonly elements: number;
}

/** A place in a storage. */
export interface Slot {
  readonly storage: Storage;
  readonly offset: number;
}

/** What a device is and why it is so, for `ptdit info`. */
export interface DeviceDescription {
  readonly device: string;
  readonly threads: number;
  readonly details: readonly string[];
}

/** A list of kernel calls, ready to run. */
export interface Executable {
  readonly length: number;
  /** Groups of calls that may run at once: the device orders one group after the other. */
  readonly intervals: number;
  /** Runs calls from..to-1 (all by default). */
  run(from?: number, to?: number): void;
  /** Resolves when what was run is done. */
  settled(): Promise<void>;
  /** Runs all calls, each by itself. @units ms, one number a call */
  profile(): Promise<readonly number[]>;
  dispose(): void;
}

/** The contract every backend keeps. Nothing here waits except `read`. */
export interface Device {
  readonly name: string;
  readonly bytesPerElement: number;
  readonly target: Target;
  /** Whether programs for it are only planned: what would be written need not be made. */
  readonly plansOnly?: boolean;
  describe(): DeviceDescription;
  /** Memory, filled with zeros unless it is for `scratch`. @throws DeviceError when it does not fit, before anything is taken */
  allocate(elements: number, what: string, purpose?: "scratch"): Storage;
  release(storage: Storage): void;
  write(slot: Slot, data: ArrayLike<number>, type: DType): void;
  /** A copy of numbers; a promise of it where the device must be waited for. */
  read(slot: Slot, elements: number, type: DType): HostArray | Promise<HostArray>;
  /** Takes up calls to run: what they leave is as if they ran one after the other. */
  load(calls: readonly KernelCall<Slot>[]): Executable;
  /** Resolves when all that was loaded is ready and all that was run is done; left out where calls are done when they return. */
  settled?(): Promise<void>;
  /** Ends threads and lets go of all memory. */
  close(): void;
}

/** Refuses what is no device, and devices of another copy of the library, whose kernels may be others.
 *  @throws ConfigError */
export function checkDevice(where: string, device: unknown): asserts device is Device {
  const { load, allocate } = Object(device) as Partial<Device>;
  if (typeof load === "function" && typeof allocate === "function" && !isForeign(device)) return;
  throw new ConfigError(`${where}: expected a device, got ${show(device)}. Make one with await wasm(), or reference().`);
}
