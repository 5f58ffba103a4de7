/** What the browser test does on WebGPU: measures a product, in a page and in a worker of its own, and verifies a fixture in the page. */
import { openGpu } from "../../src/backend/webgpu/adapters.js";
import { openAdapter } from "../../src/backend/webgpu/device.js";
import { Tuner } from "../../src/backend/webgpu/tuner.js";
import { compile, input, matmul, webgpu } from "../../src/index.js";
import { readSafetensors } from "../../src/io/safetensors.js";
import { verifyFixture } from "../../src/ptdit/verify/index.js";

/** What a device that measures its products says of them, also on a software adapter, where `webgpu` refuses to. */
async function tuned(): Promise<string | undefined> {
  const adapter = await (await openGpu()).requestAdapter();
  if (!adapter) return undefined;
  const device = await openAdapter(adapter, "for a test", { tuner: await Tuner.open("an adapter") });
  const [a, b] = [input([8, 64]), input([64, 16])];
  const product = compile(device, { inputs: { a, b }, outputs: { c: matmul(a, b) } });
  await product.run({ a: new Float32Array(512).fill(1), b: new Float32Array(1024).fill(1) });
  const { details } = device.describe();
  device.close();
  return details.find((line) => line.startsWith("tuning: "));
}

export async function gpuWork(): Promise<Record<string, unknown>> {
  const named = await webgpu({ adapter: "some GPU" }).catch(({ name, message }: Error) => `${name}: ${message}`);
  const device = await webgpu({ powerPreference: "high-performance" });
  const { details } = device.describe();
  device.close();
  return { named, details, tuned: [await tuned(), await tuned()] };
}

/** With shaders as users' browsers compile them, which takes a software adapter long: the other fixtures are in `gpuCases.ts`. */
export async function verified(): Promise<Record<string, unknown>> {
  const device = await webgpu();
  const bytes = new Uint8Array(await (await fetch("/small-fixture")).arrayBuffer());
  const groups = await verifyFixture(readSafetensors(bytes, "fixture"), device);
  device.close();
  return { failed: groups.filter(({ worst, tolerance }) => !(worst <= tolerance)), checked: groups.length };
}
