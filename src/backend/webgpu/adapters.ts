/** What WebGPU finds in a machine. */
import { runtime } from "#runtime";
import { ConfigError, DeviceError, messageOf } from "../../base/errors.js";
import type { Gpu, GpuAdapter, GpuLimits } from "../../base/gpu.js";
import { show } from "../../base/options.js";

/** What an adapter calls itself. */
export const nameOf = ({ info: { description, device, architecture, vendor } }: GpuAdapter): string =>
  description || device || `${vendor} ${architecture}`.trim() || "unnamed";

/** What tells an adapter from others, of all that it says of itself. */
export const keyOf = ({ info: { vendor, architecture, device, description } }: GpuAdapter): string =>
  [vendor, architecture, device, description].filter(Boolean).join(", ") || "unnamed";

/** Names of drivers that compute on the processor: not all of them say so otherwise. */
const softwareNames = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i;

/** Whether an adapter is no GPU but a program: right, and slower than WASM. */
export function isSoftware(adapter: GpuAdapter): boolean {
  const { vendor, architecture, device, description, isFallbackAdapter, type } = adapter.info;
  if (isFallbackAdapter || adapter.isFallbackAdapter || type === "CPU") return true;
  return softwareNames.test([vendor, architecture, device, description].join(" "));
}

/** Whether lanes are put together by subgroups: where these are always of one size, so that sums come in one order whatever is dispatched
 *  with them, and have numbers. */
export function sumsBySubgroups({ wgslLanguageFeatures }: Gpu, { features, info }: GpuAdapter): boolean {
  const { subgroupMinSize, subgroupMaxSize } = info;
  const numbered = features.has("subgroups") && wgslLanguageFeatures?.has("subgroup_id") === true;
  return numbered && subgroupMinSize !== undefined && subgroupMinSize === subgroupMaxSize;
}

/** What programs may use of an adapter, or of a device that was asked of it. */
export const featuresOf = ({ features }: Pick<GpuAdapter, "features">): string => [...features].sort().join(", ") || "none";
/** A buffer that kernels can be given as a whole. @units bytes */
export const largestBuffer = ({ maxBufferSize, maxStorageBufferBindingSize }: GpuLimits): number =>
  16 * Math.floor(Math.min(maxBufferSize, maxStorageBufferBindingSize) / 16);
export function limitsOf({ limits }: { readonly limits: GpuLimits }): string {
  return (
    `storages of ${Math.floor(largestBuffer(limits) / 2 ** 20)} MiB, ${limits.maxStorageBuffersPerShaderStage} a dispatch, ` +
    `${limits.maxComputeWorkgroupStorageSize / 1024} KiB a workgroup, ` +
    `${limits.maxComputeWorkgroupsPerDimension} workgroups a dimension`
  );
}

/** An adapter as people read it. */
export interface AdapterDescription {
  readonly adapter: string;
  readonly software: boolean;
  readonly features: string;
  readonly limits: string;
}

/** The ways to ask for an adapter: where there are two GPUs, each is the answer to one of them. */
const ways = [{}, { powerPreference: "high-performance" }, { powerPreference: "low-power" }] as const;

/**
 * The adapters that WebGPU finds here, the default one first.
 * @throws DeviceError when there is no WebGPU here, or no adapter
 */
export async function adapters(): Promise<AdapterDescription[]> {
  const gpu = await openGpu();
  const found = new Map<string, AdapterDescription>();
  for (const way of ways) {
    const adapter = await gpu.requestAdapter(way).catch((error: unknown) => {
      throw noAdapter("", ` (${oneLine(error)})`);
    });
    if (!adapter) continue;
    const own = {
      adapter: nameOf(adapter),
      software: isSoftware(adapter),
      features: featuresOf(adapter),
      limits: limitsOf(adapter),
    };
    found.set(JSON.stringify(own), own);
  }
  if (found.size === 0) throw noAdapter();
  return [...found.values()];
}

/** @throws ConfigError when an adapter is named where that chooses none
 *  @throws DeviceError when there is no WebGPU here */
export async function openGpu(name?: string): Promise<Gpu> {
  if (name !== undefined && !runtime.namesAdapters) {
    throw new ConfigError(
      `webgpu: browsers do not choose an adapter by its name, got adapter ${show(name)}. ` +
        'Leave it out, or give powerPreference: "high-performance" or "low-power".',
    );
  }
  const gpu = await runtime.gpu(name);
  if (gpu) return gpu;
  throw new DeviceError("webgpu: this engine has no WebGPU, or hides it from pages that are not secure. Use HTTPS, or wasm().");
}

export const noAdapter = (which = "", why = ""): DeviceError =>
  new DeviceError(`webgpu: no adapter${which} was found${why}. Install a Vulkan, Metal or D3D12 driver, or use wasm().`);

/** What a driver says, which may be a list. */
export const oneLine = (error: unknown): string => messageOf(error).trim().replaceAll(/\s+/g, " ");
