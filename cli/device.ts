import type { Device } from "../src/backend/device.js";
import type { PlanningDevice } from "../src/backend/planning.js";
import { reference } from "../src/backend/reference/device.js";
import { referencePlanning } from "../src/backend/reference/planning.js";
import type { Vectors } from "../src/backend/wasm/binary.js";
import { wasm } from "../src/backend/wasm/device.js";
import { wasmPlanning } from "../src/backend/wasm/planning.js";
import { webgpu } from "../src/backend/webgpu/open.js";
import { webgpuPlanning } from "../src/backend/webgpu/planning.js";

export const deviceNames = ["wasm", "webgpu", "reference"] as const;
export type DeviceName = (typeof deviceNames)[number];

export interface DeviceOptions {
  readonly device?: DeviceName | undefined;
  /** Threads and build of the WASM device. */
  readonly threads?: number | undefined;
  readonly vectors?: Vectors | undefined;
}

/** Opens the device the command line asks for. */
export async function openDevice({ device = "wasm", threads, vectors }: DeviceOptions): Promise<Device> {
  if (device !== "wasm") {
    const unused = Object.entries({ threads, vectors }).filter(([, value]) => value !== undefined);
    for (const [flag, value] of unused)
      process.stderr.write(
        `note: --${flag} ${value}: threads and vectors are the wasm device's, not the ${device} device's.\n`,
      );
    return device === "reference" ? reference() : webgpu();
  }
  return wasm({ ...(threads && { threads }), ...(vectors && { vectors }) });
}

/** What stands in for a device of this name while programs are only planned. */
export const planningOf = (name: string): PlanningDevice =>
  name === "reference" ? referencePlanning() : name === "webgpu" ? webgpuPlanning() : wasmPlanning();

/** Runs `body` with a device and closes it whatever happens. */
export async function withDevice<T>(options: DeviceOptions, body: (device: Device) => Promise<T>): Promise<T> {
  const device = await openDevice(options);
  try {
    return await body(device);
  } finally {
    device.close();
  }
}
