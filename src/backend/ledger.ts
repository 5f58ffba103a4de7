import { DeviceError } from "../base/errors.js";
import { callBuffers, type KernelCall } from "./calls.js";
import type { Executable, Slot, Storage } from "./device.js";
import { millisecondsOf } from "./host.js";

/** Memory that a device has handed out. */
export interface OwnedStorage extends Storage {
  /** What it is for. */
  readonly what: string;
  released: boolean;
}

/** What a device has handed out and taken back: who uses memory after its release would write into somebody else's. */
export class Ledger {
  private closed = false;
  private releases = 0;

  constructor(private readonly device: string) {}

  /** @throws DeviceError when the device is closed */
  checkOpen(): void {
    if (this.closed) throw new DeviceError(`${this.device}: the device is closed. Start a new one.`);
  }

  /** @throws DeviceError when the device is closed or the memory released */
  checkHeld({ what, released }: OwnedStorage): void {
    this.checkOpen();
    if (released) {
      throw new DeviceError(
        `${this.device}: ${what} was released and is used again. Release memory after its last use; compile again what uses it.`,
      );
    }
  }

  /** Closes the device; whether it was open. */
  close(): boolean {
    const was = !this.closed;
    this.closed = true;
    return was;
  }

  /** Takes memory back; whether it was held. */
  release(storage: OwnedStorage): boolean {
    if (storage.released) return false;
    storage.released = true;
    this.releases++;
    return true;
  }

  /** The memory that calls use.
   *  @throws DeviceError when some of it is released */
  usedBy(calls: readonly KernelCall<Slot>[]): ReadonlySet<OwnedStorage> {
    const used = new Set(calls.flatMap((call) => callBuffers(call).map(({ buffer }) => buffer.storage as OwnedStorage)));
    for (const storage of used) this.checkHeld(storage);
    return used;
  }

  /** Calls that are done when `run` returns, which run only while all they use is held, and are disposed of once. */
  executable(
    { length, intervals }: Pick<Executable, "length" | "intervals">,
    used: ReadonlySet<OwnedStorage>,
    { run, dispose }: { readonly run: (from: number, to: number) => void; readonly dispose: () => void },
  ): Executable {
    let disposed = false;
    // Nothing is looked through again as long as nothing is released: programs run often.
    let seen = this.releases;
    const checkedRun = (from = 0, to = length): void => {
      this.checkOpen();
      if (disposed) throw new DeviceError(`${this.device}: these calls were disposed of. Load them again.`);
      if (seen !== this.releases) for (const storage of used) this.checkHeld(storage);
      seen = this.releases;
      run(from, to);
    };
    return {
      length,
      intervals,
      run: checkedRun,
      settled: () => Promise.resolve(),
      profile: async () => Array.from({ length }, (_, i) => millisecondsOf(() => checkedRun(i, i + 1))),
      dispose: () => {
        if (disposed) return;
        disposed = true;
        dispose();
      },
    };
  }
}
