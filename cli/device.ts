import type { Device } from "../src/backend/device.js";
import { fastestDevice, type StepOf } from "../src/backend/fastest.js";
import type { PlanningDevice } from "../src/backend/planning.js";
import { reference } from "../src/backend/reference/device.js";
import { referencePlanning } from "../src/backend/reference/planning.js";
import type { Vectors } from "../src/backend/wasm/binary.js";
import { type WasmOptions, wasm } from "../src/backend/wasm/device.js";
import { wasmPlanning } from "../src/backend/wasm/planning.js";
import { webgpu } from "../src/backend/webgpu/open.js";
import { webgpuPlanning } from "../src/backend/webgpu/planning.js";

/** Devices by name, and `auto`: the faster of the first two for what is to be done. */
export const deviceNames = ["wasm", "webgpu", "reference", "auto"] as const;
export type DeviceName = (typeof deviceNames)[number];

export interface DeviceOptions {
  readonly device?: DeviceName | undefined;
  /** Threads and build of the WASM device. */
  readonly threads?: number | undefined;
  readonly vectors?: Vectors | undefined;
  /** What the WASM device has of them where nothing else is said. */
  readonly usual?: WasmOptions | undefined;
  /** Whether the WebGPU device measures its products. */
  readonly tune?: boolean | undefined;
  /** Whether it keeps weights that stay the same in 16 bits. */
  readonly f16?: boolean | undefined;
}

/** What of the options was said of the WASM device. */
const saidOfWasm = ({ threads, vectors }: DeviceOptions) => ({ ...(threads && { threads }), ...(vectors && { vectors }) });

/** How the WASM device is to be opened. */
export const wasmOptions = (options: DeviceOptions): WasmOptions => ({ ...options.usual, ...saidOfWasm(options) });

const webgpuOptions = ({ tune, f16 }: DeviceOptions) => ({ ...(tune && { tune }), ...(f16 && { f16 }) });

/** Opens a device by its name. */
export async function deviceOf(name: Exclude<DeviceName, "auto">, options: DeviceOptions): Promise<Device> {
  noteUnused(name, options);
  if (name === "wasm") return wasm(wasmOptions(options));
  return name === "reference" ? reference() : webgpu(webgpuOptions(options));
}

/** Opens the device the command line asks for; `step` is what must be fast on it. */
async function openDevice(options: DeviceOptions, step: StepOf): Promise<Device> {
  const { device: name = "wasm" } = options;
  if (name !== "auto") return deviceOf(name, options);
  const chosen = await fastestDevice(step, { wasm: wasmOptions(options), webgpu: webgpuOptions(options) });
  // Beside what the command prints, which may be JSON.
  process.stderr.write(`device: ${chosen.name} (${chosen.why})\n`);
  noteUnused(chosen.name, options);
  return chosen.device;
}

/** Says what of the options the device has no use for. */
export function noteUnused(device: string, options: DeviceOptions): void {
  const note = (what: string, why: string) => process.stderr.write(`note: --${what}: ${why}, not the ${device} device's.\n`);
  if (device !== "wasm")
    for (const [flag, value] of Object.entries(saidOfWasm(options)))
      note(`${flag} ${value}`, "threads and vectors are the wasm device's");
  if (device === "webgpu") return;
  if (options.tune) note("tune", "measured products are the webgpu device's");
  if (options.f16) note("f16", "weights kept in 16 bits are the webgpu device's");
}

/** What stands in for a device of this name while programs are only planned. */
export const planningOf = (name: string): PlanningDevice =>
  name === "reference" ? referencePlanning() : name === "webgpu" ? webgpuPlanning() : wasmPlanning();

/** Runs `body` with a device and closes it whatever happens. `step` is what `--device auto` holds devices against each other by. */
export async function withDevice<T>(options: DeviceOptions, step: StepOf, body: (device: Device) => Promise<T>): Promise<T> {
  const device = await openDevice(options, step);
  try {
    return await body(device);
  } finally {
    device.close();
  }
}
