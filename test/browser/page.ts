/** What the browser test runs in a page: verifies a fixture on the WASM device and posts what it found. */
import { wasm } from "../../src/index.js";
import { readSafetensors } from "../../src/io/safetensors.js";
import { verifyFixture } from "../../src/ptdit/verify/index.js";

async function run(): Promise<unknown> {
  const device = await wasm();
  const bytes = new Uint8Array(await (await fetch("/fixture")).arrayBuffer());
  const groups = await verifyFixture(readSafetensors(bytes, "fixture"), device);
  const { threads, details } = device.describe();
  device.close();
  return { threads, details, failed: groups.filter(({ worst, tolerance }) => !(worst <= tolerance)), checked: groups.length };
}

const result = await run().catch((error: Error) => ({ error: error.message }));
await fetch("/result", { method: "POST", body: JSON.stringify(result) });
