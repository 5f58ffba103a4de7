import type { Device } from "../src/backend/device.js";
import { reference } from "../src/backend/reference/device.js";
import type { Vectors } from "../src/backend/wasm/binary.js";
import { wasm } from "../src/backend/wasm/device.js";

export interface DeviceOptions {
  readonly device?: "wasm" | "reference";
  readonly threads?: number;
  readonly vectors?: Vectors;
}

/** Opens the device the command line asks for. */
export async function openDevice({ device = "wasm", threads, vectors }: DeviceOptions): Promise<Device> {
  return device === "reference" ? reference() : wasm({ ...(threads ? { threads } : {}), ...(vectors ? { vectors } : {}) });
}

/** Runs `body` with a device and closes it whatever happens. */
export async function withDevice<T>(options: DeviceOptions, body: (device: Device) => Promise<T>): Promise<T> {
  const device = await openDevice(options);
  try {
    return await body(device);
  } finally {
    device.close();
  }
}
