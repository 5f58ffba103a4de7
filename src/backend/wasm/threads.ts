/** Worker threads that walk programs beside the calling thread, in Node and in browsers. */

/** A started worker. */
export interface Helper {
  /** Gives it its job. Resolves when it waits for runs. */
  begin(job: WorkerJob): Promise<void>;
  end(): void;
}

export interface WorkerJob {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly index: number;
  readonly threads: number;
  readonly scratch: number;
  /** See `barrierPolls`. */
  readonly polls: number;
}

/**
 * A worker's whole life, as source text so that it needs no file of its own: take the job, instantiate, say so, then serve runs
 * until told to stop. `serve` returns after each run, so that the engine may replace its code by a better-optimised one. A worker
 * that traps tells the others, who would wait for it at the next barrier.
 */
const workerSource = `
const begin = async ({ module, memory, index, threads, scratch, polls }, report) => {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory, abort() {} } });
  exports.setUp(index, threads, scratch, polls);
  report();
  try {
    while (exports.serve());
  } catch {
    exports.fail();
  }
};
`;
// Neither `require` nor `import`: flags of the process decide which of the two evaluated source may use.
const nodeSource = `${workerSource}
const { parentPort } = process.getBuiltinModule("node:worker_threads");
parentPort.once("message", (job) => begin(job, () => parentPort.postMessage("ready")).then(() => parentPort.close()));
`;
const browserSource = `${workerSource}
onmessage = ({ data }) => begin(data, () => postMessage("ready")).then(() => close());
`;

const isNode = typeof process !== "undefined" && Boolean(process.versions?.node);

/** Cores this engine may use. */
export async function coreCount(): Promise<number> {
  if (isNode) return process.getBuiltinModule("node:os").availableParallelism();
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

/** Starts workers, which come up while the caller gets their jobs ready. */
export async function startWorkers(count: number): Promise<Helper[]> {
  return Promise.all(Array.from({ length: count }, () => (isNode ? startNodeWorker() : startBrowserWorker())));
}

async function startNodeWorker(): Promise<Helper> {
  const { Worker } = process.getBuiltinModule("node:worker_threads");
  const worker = new Worker(nodeSource, { eval: true });
  const failed = new Promise<never>((_, reject) => worker.once("error", reject));
  failed.catch(() => undefined); // until somebody asks
  return {
    begin: async (job) => {
      const ready = new Promise<void>((resolve) => worker.once("message", () => resolve()));
      worker.postMessage(job);
      await Promise.race([ready, failed]);
      worker.unref();
    },
    end: () => void worker.terminate(),
  };
}

async function startBrowserWorker(): Promise<Helper> {
  const url = URL.createObjectURL(new Blob([browserSource], { type: "text/javascript" }));
  const worker = new Worker(url);
  const failed = new Promise<never>((_, reject) => {
    worker.onerror = (event) => reject(new Error(event.message));
  });
  failed.catch(() => undefined);
  return {
    begin: async (job) => {
      const ready = new Promise<void>((resolve) => {
        worker.onmessage = () => resolve();
      });
      worker.postMessage(job);
      await Promise.race([ready, failed]);
      URL.revokeObjectURL(url);
    },
    end: () => worker.terminate(),
  };
}

/** Whether this thread may sleep in `Atomics.wait`: everywhere but on a page's main thread. */
export const maySleep = (): boolean => isNode || typeof globalThis.document === "undefined";

/** How often a thread looks whether the others have come to a barrier, before it goes to sleep: for about half a millisecond,
 *  since waking costs more than most waits; where threads share cores, for a tenth of that, since they wait for each other. */
export const barrierPolls = (threads: number, cores: number): number => (threads > cores ? 20_000 : 200_000);
