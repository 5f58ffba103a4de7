import { runtime } from "#runtime";
import { DeviceError, messageOf } from "../../base/errors.js";
import { checkOptions, oneOf, type Rules, text } from "../../base/options.js";
import { openAdapter, type WebGpuDevice } from "./device.js";

export interface WebGpuOptions {
  /** A part of the name of the adapter to use, where there are several; in Node only. */
  readonly adapter?: string;
  /** Which GPU to take where there are two; by default the system's choice. */
  readonly powerPreference?: "low-power" | "high-performance";
}

const rules: Rules<WebGpuOptions> = {
  adapter: text,
  powerPreference: oneOf("low-power", "high-performance"),
};

/**
 * Starts a WebGPU device: in browsers and their workers on what the browser gives, in Node by the package `webgpu`.
 * @source https://www.w3.org/TR/webgpu/
 * @throws ConfigError when an option is unknown or against its rule
 * @throws DeviceError when there is no WebGPU here, or no adapter, or it refuses a device
 */
export async function webgpu(options: WebGpuOptions = {}): Promise<WebGpuDevice> {
  checkOptions("webgpu", options, rules);
  const { adapter: name, powerPreference } = options;
  const none = (why = "") =>
    new DeviceError(
      `webgpu: no adapter${name === undefined ? "" : ` named "${name}"`} was found${why}. ` +
        "Install a Vulkan, Metal or D3D12 driver, or use wasm().",
    );
  const gpu = await runtime.gpu(name);
  if (!gpu)
    throw new DeviceError(
      "webgpu: this engine has no WebGPU, or hides it from pages that are not secure. Use HTTPS, or wasm().",
    );
  const adapter = await gpu.requestAdapter(powerPreference ? { powerPreference } : {}).catch((error: unknown) => {
    throw none(` (${messageOf(error).trim().replaceAll(/\s+/g, " ")})`);
  });
  if (!adapter) throw none();
  return openAdapter(adapter, name ? "asked for" : powerPreference ? `${powerPreference} asked for` : "the default");
}
