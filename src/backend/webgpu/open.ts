import { DeviceError } from "../../base/errors.js";
import type { Gpu, GpuAdapter } from "../../base/gpu.js";
import { checkOptions, flag, oneOf, type Rules, text } from "../../base/options.js";
import { isSoftware, keyOf, nameOf, noAdapter, oneLine, openGpu, sumsBySubgroups } from "./adapters.js";
import { openAdapter, type WebGpuDevice } from "./device.js";
import { Tuner } from "./tuner.js";

export interface WebGpuOptions {
  /** A part of the name of the adapter to use, where there are several; in Node only: browsers choose by `powerPreference`. */
  readonly adapter?: string;
  /** Which GPU to take where there are two; by default the system's choice. */
  readonly powerPreference?: "low-power" | "high-performance";
  /** Measure by which tiles this adapter computes the products of a program fastest, when it is loaded: once, the choice is kept on this
   *  machine. Sums over k come in another order then, so results differ in their last bits from those without. Refused on software
   *  adapters, whose times say nothing of a GPU. Default: fixed tiles. */
  readonly tune?: boolean;
  /** Keep weights that stay the same, those of sampling, in 16 bits: half of the memory traffic of small batches. A weight is off by up to
   *  5e-4 of its size; whatever is computed stays float32. Default: as they are. */
  readonly f16?: boolean;
}

const rules: Rules<WebGpuOptions> = {
  adapter: text,
  powerPreference: oneOf("low-power", "high-performance"),
  tune: flag,
  f16: flag,
};

/**
 * Starts a WebGPU device: in browsers and their workers on what the browser gives, in Node by the package `webgpu`.
 * @source https://www.w3.org/TR/webgpu/
 * @throws ConfigError when an option is unknown or against its rule, or `adapter` is given in a browser
 * @throws DeviceError when there is no WebGPU here, or no adapter, or it refuses a device, or is a software one and `tune` is asked for
 */
export async function webgpu(options: WebGpuOptions = {}): Promise<WebGpuDevice> {
  return open(await findAdapter(options), options);
}

/** As `webgpu`, on a GPU alone.
 *  @throws DeviceError as `webgpu`, and when the adapter is a software one, before it is opened */
export async function hardware(options: WebGpuOptions = {}): Promise<WebGpuDevice> {
  const found = await findAdapter(options);
  const { adapter } = found;
  if (isSoftware(adapter)) {
    throw new DeviceError(
      `webgpu: ${nameOf(adapter)} is a software adapter, slower than wasm. Install the driver of a GPU, or name the device to use.`,
    );
  }
  return open(found, options);
}

async function open({ gpu, adapter }: Found, options: WebGpuOptions): Promise<WebGpuDevice> {
  const { adapter: name, powerPreference, tune, f16 } = options;
  const reason = name ? "asked for" : powerPreference ? `${powerPreference} asked for` : "the default";
  if (tune && isSoftware(adapter)) {
    throw new DeviceError(
      `webgpu: ${nameOf(adapter)} is a software adapter, on which products are not measured. ` +
        "Leave tune out, or install the driver of a GPU.",
    );
  }
  const tuner = tune ? await Tuner.open(keyOf(adapter)) : undefined;
  return openAdapter(adapter, reason, { f16, tuner, subgroups: sumsBySubgroups(gpu, adapter) });
}

interface Found {
  readonly gpu: Gpu;
  readonly adapter: GpuAdapter;
}

async function findAdapter(options: WebGpuOptions): Promise<Found> {
  checkOptions("webgpu", options, rules);
  const { adapter: name, powerPreference } = options;
  const which = name === undefined ? "" : ` named "${name}"`;
  const gpu = await openGpu(name);
  const adapter = await gpu.requestAdapter(powerPreference ? { powerPreference } : {}).catch((error: unknown) => {
    throw noAdapter(which, ` (${oneLine(error)})`);
  });
  if (!adapter) throw noAdapter(which);
  return { gpu, adapter };
}
