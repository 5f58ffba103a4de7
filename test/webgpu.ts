/** A WebGPU device for tests: where there is no adapter, they are reported as skipped, or fail if `PTDIT_REQUIRE_WEBGPU` is set. */
import { existsSync } from "node:fs";
import { openGpu } from "../src/backend/webgpu/adapters.js";
import { type Likings, openAdapter, type WebGpuDevice } from "../src/backend/webgpu/device.js";
import { webgpu } from "../src/backend/webgpu/open.js";

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

/** A device that does what it is told, and nothing of its adapter's own. */
export async function openPlainly(likings: Likings): Promise<WebGpuDevice> {
  const adapter = await (await openGpu()).requestAdapter();
  if (!adapter) throw new Error("no adapter");
  return openAdapter(adapter, "for a test", likings);
}
