/** A WebGPU device for tests: where there is no adapter, they are reported as skipped, or fail if `PTDIT_REQUIRE_WEBGPU` is set. */
import { existsSync } from "node:fs";
import { expect, vi } from "vitest";
import { openGpu } from "../src/backend/webgpu/adapters.js";
import { type Likings, openAdapter, type WebGpuDevice } from "../src/backend/webgpu/device.js";
import { webgpu } from "../src/backend/webgpu/open.js";
import type { GpuAdapter, GpuDevice, GpuLimits } from "../src/base/gpu.js";

// Chromium's package brings a driver that needs no GPU.
const software = "/usr/lib/chromium/vk_swiftshader_icd.json";
if (existsSync(software)) process.env.VK_DRIVER_FILES ??= software;
// Where the driver looks for a window system, it must find a folder.
process.env.XDG_RUNTIME_DIR ??= "/tmp";

/** Why there is no device here, or undefined where there is one. */
export const withoutWebGpu: string | undefined = await webgpu().then(
  (device) => {
    device.close();
    return undefined;
  },
  ({ message }: Error) => message,
);
if (withoutWebGpu !== undefined && process.env.PTDIT_REQUIRE_WEBGPU) throw new Error(withoutWebGpu);

export const openWebGpu = (): Promise<WebGpuDevice> => webgpu();

async function anAdapter(): Promise<GpuAdapter> {
  const adapter = await (await openGpu()).requestAdapter();
  if (!adapter) throw new Error("no adapter");
  return adapter;
}

/** A device that does what it is told, and nothing of its adapter's own. */
export const openPlainly = async (likings: Likings): Promise<WebGpuDevice> =>
  openAdapter(await anAdapter(), "for a test", likings);

/** Limits are properties of their object's kind, which a spread does not see. */
const limitsOf = (limits: GpuLimits): GpuLimits => ({
  maxBufferSize: limits.maxBufferSize,
  maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
  maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
  maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
  maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
  maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
});

/** A device that is told of other limits than its adapter has: those that are smaller than any adapter's are kept by nobody but us. */
export async function openLimited(forced: Partial<GpuLimits>): Promise<WebGpuDevice> {
  const adapter = await anAdapter();
  const { info, features } = adapter;
  const { limits } = adapter;
  const requestDevice: GpuAdapter["requestDevice"] = async (options) => {
    const gpu = await adapter.requestDevice(options);
    const own = { ...limitsOf(gpu.limits), ...forced };
    return new Proxy(gpu, {
      get(target, name) {
        if (name === "limits") return own;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
  return openAdapter({ info, features, limits, requestDevice }, "for a test");
}

/** Looks from now on for what is made on a GPU; what it gives back says that nothing was, and looks no longer. */
export function watchMaking(device: WebGpuDevice): () => void {
  const gpu = Reflect.get(device, "gpu") as GpuDevice;
  const names = ["createBuffer", "createBindGroup", "createShaderModule", "createComputePipelineAsync"] as const;
  const made = names.map((name) => vi.spyOn(gpu, name as "createBuffer"));
  return () => {
    expect(made.map((spy) => spy.mock.calls.length)).toEqual(names.map(() => 0));
    for (const spy of made) spy.mockRestore();
  };
}
