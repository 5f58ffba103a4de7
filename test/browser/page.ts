/** What the browser test runs in a page: verifies a fixture on the WASM device, trains and keeps a run, posts what it found, and goes to the next page. */
import { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { type Device, wasm } from "../../src/index.js";
import { readSafetensors } from "../../src/io/safetensors.js";
import { decodePicture } from "../../src/pictures/decodePicture.js";
import {
  browserStore,
  defaultTraining,
  flowConfig,
  memoryStore,
  ptditConfig,
  type RunStore,
  type SessionOptions,
  session,
  Trainer,
  writeCheckpoint,
} from "../../src/ptdit/index.js";
import { verifyFixture } from "../../src/ptdit/verify/index.js";
import { gpuWork, verified } from "./gpuWork.js";

/** Kernels compiled by a worker that the server lets compile. */
function compiledElsewhere(): Promise<WebAssembly.Module> {
  return new Promise((resolve, reject) => {
    const worker = new Worker("/compile.js");
    worker.onmessage = ({ data }) => (data instanceof WebAssembly.Module ? resolve(data) : reject(new Error(data)));
    worker.onerror = () => reject(new Error("the compiling worker did not start"));
  });
}

function gpuWorker(): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const worker = new Worker("/gpuWorker.js", { type: "module" });
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = () => reject(new Error("the worker did not start"));
  });
}

async function run(): Promise<unknown> {
  if (location.search === "?webgpu") return { ...(await gpuWork()), ...(await verified()) };
  if (location.search === "?webgpu-in-a-worker") return gpuWorker();
  const given = location.search.includes("compiled") ? { kernels: await compiledElsewhere() } : {};
  const device = await wasm(given);
  const bytes = new Uint8Array(await (await fetch("/fixture")).arrayBuffer());
  const groups = await verifyFixture(readSafetensors(bytes, "fixture"), device);
  const { threads, details } = device.describe();
  const kept = location.search === "?isolated" ? await keptRun(device) : undefined;
  device.close();
  const failed = groups.filter(({ worst, tolerance }) => !(worst <= tolerance));
  return { threads, details, failed, checked: groups.length, pictures: await readBack(), kept };
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

/** What becomes of a run that is kept in the browser, beside one in memory. */
async function keptRun(device: Device): Promise<Record<string, unknown>> {
  const captions = ["red apple", "green tree"];
  const pictures = Float32Array.from({ length: 2 * 3 * 64 }, (_, i) => Math.sin(i));
  const data = new PictureSet({ name: "waves", size: 8, captions, pictures });
  const model = ptditConfig({ heads: 2, headDim: 16, depth: 1, patch: 2, sampleSize: 8, captionChannels: 16 });
  const training = { ...defaultTraining, batch: 2 };
  const train = async (store: RunStore, options: SessionOptions) => {
    const trainer = new Trainer(device, data, Tokenizer.fromCaptions(captions), { model, flow: flowConfig(), training });
    const said: string[] = [];
    for await (const event of session(trainer, store, options)) said.push(event.type);
    trainer.dispose();
    return said.join(" ");
  };
  const bytesOf = async (store: RunStore) => writeCheckpoint((await store.last()) ?? { run: {} as never, state: new Map() });
  const [memory, first] = [memoryStore(), await browserStore("a run")];
  await first.clear();
  await train(memory, { steps: 4, prompts: [] });
  const none = await first.last();
  const stopped = await train(first, { steps: 4, stopAt: 2, sampleEvery: 2 });
  const second = await browserStore("a run").catch((error: Error) => `${error.name}: ${error.message}`);
  await first.release();
  const again = await browserStore("a run");
  const done = await train(again, { prompts: [] });
  const [own, straight] = [await bytesOf(again), await bytesOf(memory)];
  const log = (await again.openLog(4)).map(({ step }) => step);
  const holds = [await again.holds(2), await again.holds(3)];
  // A write that fails leaves what was there.
  const broken = new Map([["weights.a", { shape: [2], data: () => Promise.reject(new Error("cut off")) }]]);
  const failed = await again.save({ run: {} as never, state: broken }).catch((error: Error) => error.name);
  const equal = own.length === straight.length && own.every((byte, i) => byte === straight[i]);
  const whole = (await bytesOf(again)).length === own.length;
  await again.clear();
  const cleared = await again.last();
  await again.release();
  return { none, stopped, second, done, equal, log, holds, failed, whole, cleared };
}

const result = await run().catch((error: Error) => ({ error: `${error.name}: ${error.message}` }));
const next = await fetch(`/result${location.search}`, { method: "POST", body: JSON.stringify(result) });
location.href = await next.text();
