/** Worker threads that walk programs beside the calling thread, in Node and in browsers. */

/** A started worker: a handle to end it. */
export interface Helper {
  end(): void;
}

export interface WorkerJob {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly index: number;
  readonly threads: number;
  readonly scratch: number;
}

/**
 * A worker's whole life, as source text so that it needs no file of its own: instantiate, say so, then serve runs until
 * told to stop. `serve` returns after each run, so that the engine may replace its code by a better-optimised one.
 */
const workerSource = `
const begin = async ({ module, memory, index, threads, scratch }, report) => {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory, abort() {} } });
  exports.setUp(index, threads, scratch, 1);
  report();
  while (exports.serve());
};
`;
const nodeSource = `${workerSource}
const { parentPort, workerData } = require("node:worker_threads");
begin(workerData, () => parentPort.postMessage("ready")).then(() => parentPort.close());
`;
const browserSource = `${workerSource}
onmessage = ({ data }) => begin(data, () => postMessage("ready")).then(() => close());
`;

const isNode = typeof process !== "undefined" && Boolean(process.versions?.node);

/** Cores this engine may use. */
export async function coreCount(): Promise<number> {
  if (isNode) return (await import("node:os")).availableParallelism();
  return globalThis.navigator?.hardwareConcurrency ?? 1;
}

/** Why threads cannot run here, or undefined when they can. */
export function threadsForbidden(): string | undefined {
  if (isNode) return undefined;
  if (globalThis.crossOriginIsolated === false) {
    return "the page is not cross-origin isolated: serve it with COOP `same-origin` and COEP `require-corp` for more";
  }
  return typeof Worker === "undefined" ? "this runtime has no Worker" : undefined;
}

/** Starts one worker per job and waits until all are ready. */
export async function startWorkers(jobs: readonly WorkerJob[]): Promise<Helper[]> {
  return Promise.all(jobs.map((job) => (isNode ? startNodeWorker(job) : startBrowserWorker(job))));
}

async function startNodeWorker(job: WorkerJob): Promise<Helper> {
  const { Worker } = await import("node:worker_threads");
  const worker = new Worker(nodeSource, { eval: true, workerData: job });
  await new Promise<void>((resolve, reject) => {
    worker.once("message", () => resolve());
    worker.once("error", reject);
  });
  worker.unref();
  return { end: () => void worker.terminate() };
}

async function startBrowserWorker(job: WorkerJob): Promise<Helper> {
  const url = URL.createObjectURL(new Blob([browserSource], { type: "text/javascript" }));
  const worker = new Worker(url);
  await new Promise<void>((resolve, reject) => {
    worker.onmessage = () => resolve();
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(job);
  });
  URL.revokeObjectURL(url);
  return { end: () => worker.terminate() };
}

/** Whether this thread may sleep in `Atomics.wait`: everywhere but on a page's main thread. */
export const maySleep = (): boolean => isNode || typeof globalThis.document === "undefined";
