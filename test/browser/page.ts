/** What the browser test runs in a page: verifies a fixture on the WASM device, posts what it found, and goes to the next page. */
import { wasm } from "../../src/index.js";
import { readSafetensors } from "../../src/io/safetensors.js";
import { verifyFixture } from "../../src/ptdit/verify/index.js";

/** Kernels compiled by a worker that the server lets compile. */
function compiledElsewhere(): Promise<WebAssembly.Module> {
  return new Promise((resolve, reject) => {
    const worker = new Worker("/compile.js");
    worker.onmessage = ({ data }) => (data instanceof WebAssembly.Module ? resolve(data) : reject(new Error(data)));
    worker.onerror = () => reject(new Error("the compiling worker did not start"));
  });
}

async function run(): Promise<unknown> {
  const given = location.search.includes("compiled") ? { kernels: await compiledElsewhere() } : {};
  const device = await wasm(given);
  const bytes = new Uint8Array(await (await fetch("/fixture")).arrayBuffer());
  const groups = await verifyFixture(readSafetensors(bytes, "fixture"), device);
  const { threads, details } = device.describe();
  device.close();
  return { threads, details, failed: groups.filter(({ worst, tolerance }) => !(worst <= tolerance)), checked: groups.length };
}

const result = await run().catch((error: Error) => ({ error: `${error.name}: ${error.message}` }));
const next = await fetch(`/result${location.search}`, { method: "POST", body: JSON.stringify(result) });
location.href = await next.text();
