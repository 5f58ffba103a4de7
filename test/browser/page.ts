/** What the browser test runs in a page: verifies a fixture on the WASM device, posts what it found, and goes to the next page. */
import { wasm } from "../../src/index.js";
import { readSafetensors } from "../../src/io/safetensors.js";
import { decodePicture } from "../../src/pictures/decodePicture.js";
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
  const failed = groups.filter(({ worst, tolerance }) => !(worst <= tolerance));
  return { threads, details, failed, checked: groups.length, pictures: await readBack() };
}

/** What comes back of a picture of one colour that the browser itself wrote, and of one that is cut short. */
async function readBack(): Promise<Record<string, unknown>> {
  const canvas = new OffscreenCanvas(20, 10);
  const context = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
  context.fillStyle = "rgb(200 100 50)";
  context.fillRect(0, 0, 20, 10);
  const found: Record<string, unknown> = {};
  for (const type of ["image/png", "image/jpeg", "image/webp"]) {
    const bytes = new Uint8Array(await (await canvas.convertToBlob({ type, quality: 1 })).arrayBuffer());
    const { width, height, data } = await decodePicture(bytes, type);
    found[type] = { width, height, near: [200, 100, 50, 255].every((value, i) => Math.abs(data[i] - value) <= 3) };
    found[`${type}, cut`] = await decodePicture(bytes.subarray(0, bytes.length / 2), "a").catch((error: Error) => error.name);
  }
  return found;
}

const result = await run().catch((error: Error) => ({ error: `${error.name}: ${error.message}` }));
const next = await fetch(`/result${location.search}`, { method: "POST", body: JSON.stringify(result) });
location.href = await next.text();
