/** What the browser test does on WebGPU, in a page or in a worker of its own: verifies a fixture. */
import { webgpu } from "../../src/index.js";
import { readSafetensors } from "../../src/io/safetensors.js";
import { verifyFixture } from "../../src/ptdit/verify/index.js";

export async function gpuWork(): Promise<Record<string, unknown>> {
  const named = await webgpu({ adapter: "some GPU" }).catch(({ name, message }: Error) => `${name}: ${message}`);
  const device = await webgpu({ powerPreference: "high-performance" });
  const bytes = new Uint8Array(await (await fetch("/small-fixture")).arrayBuffer());
  const groups = await verifyFixture(readSafetensors(bytes, "fixture"), device);
  const { details } = device.describe();
  device.close();
  return { named, details, failed: groups.filter(({ worst, tolerance }) => !(worst <= tolerance)), checked: groups.length };
}
