/** Worker threads that walk programs beside the calling thread, in Node and in browsers. */

import type { WasmMemory, WasmModule } from "./engine.js";

/** A started worker. */
export interface Helper {
  /** Gives it its job. Resolves when it waits for runs. */
  begin(job: WorkerJob): Promise<void>;
  end(): void;
}

export interface WorkerJob {
  readonly module: WasmModule;
  readonly memory: WasmMemory;
  readonly index: number;
  readonly threads: number;
  readonly scratch: number;
  /** Where the threads tell each other what to do. */
  readonly crew: number;
}

/**
 * A worker's whole life, as source text so that it needs no file of its own: say that it is up, take the job, instantiate, say so, then
 * serve runs until told to stop. `serve` returns after each run, so that the engine may replace its code by a better-optimised one. A
 * worker that traps tells the others, who would wait for it at the next barrier.
 */
const workerSource = `
const work = async ({ module, memory, index, threads, scratch, crew }, say) => {
  let exports;
  try {
    ({ exports } = await WebAssembly.instantiate(module, { env: { memory, abort() {} } }));
    exports.setUp(index, threads, scratch, crew, 0, 0);
  } catch (error) {
    return say({ fault: String(error?.message ?? error) });
  }
  say({});
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
const say = (answer) => parentPort.postMessage(answer);
parentPort.once("message", (job) => work(job, say).then(() => parentPort.close()));
say({});
`;
const browserSource = `${workerSource}
const say = (answer) => postMessage(answer);
onmessage = ({ data }) => work(data, say).then(() => close());
say({});
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

/** A worker did not come up, or could not take its job. */
export class WorkerFault extends Error {
  override name = "WorkerFault";
}

/** The workers that came up, and why others did not. */
export interface Started {
  readonly helpers: readonly Helper[];
  readonly fault?: string;
}

/** A worker that says nothing for so long will never come up. @units ms */
const longestStart = 20_000;

/** Starts workers. Where a policy or a limit forbids some, the others do without. */
export async function startWorkers(count: number): Promise<Started> {
  const started = await Promise.allSettled(Array.from({ length: count }, () => startWorker()));
  const helpers = started.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failed = started.find((result) => result.status === "rejected");
  return { helpers, ...(failed && { fault: (failed.reason as Error).message }) };
}

/** What a worker says: that it is up or waits for runs, or why not. */
interface Answer {
  readonly fault?: string;
}

/** A worker of either kind. */
interface Port {
  post(job: WorkerJob): void;
  onAnswer(take: (answer: Answer) => void): void;
  onFault(take: (why: string) => void): void;
  /** Lets the process end although the worker lives. */
  release(): void;
  end(): void;
}

async function startWorker(): Promise<Helper> {
  const port = isNode ? nodePort() : browserPort();
  let settle: { resolve(): void; reject(error: Error): void } | undefined;
  const answer = () =>
    new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
  port.onAnswer(({ fault }) => (fault === undefined ? settle?.resolve() : settle?.reject(new WorkerFault(fault))));
  port.onFault((why) => settle?.reject(new WorkerFault(why)));
  const late = new WorkerFault(`a worker did not start within ${longestStart / 1000} s`);
  const timer = setTimeout(() => settle?.reject(late), longestStart);
  try {
    await answer();
  } catch (error) {
    port.end();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return {
    begin: async (job) => {
      const ready = answer();
      try {
        port.post(job);
      } catch (error) {
        throw new WorkerFault(`a worker cannot be given its memory (${(error as Error).message})`);
      }
      await ready;
      port.release();
    },
    end: () => port.end(),
  };
}

function nodePort(): Port {
  const { Worker } = process.getBuiltinModule("node:worker_threads");
  const worker = new Worker(nodeSource, { eval: true });
  return {
    post: (job) => worker.postMessage(job),
    onAnswer: (take) => void worker.on("message", take),
    onFault: (take) => {
      worker.on("error", ({ message }) => take(message));
      worker.on("exit", () => take("a worker ended before its time"));
    },
    release: () => worker.unref(),
    end: () => void worker.terminate(),
  };
}

function browserPort(): Port {
  const url = URL.createObjectURL(new Blob([browserSource], { type: "text/javascript" }));
  const worker = new Worker(url);
  return {
    post: (job) => worker.postMessage(job),
    onAnswer: (take) => {
      worker.onmessage = ({ data }: MessageEvent<Answer>) => take(data);
    },
    onFault: (take) => {
      // Where a policy forbids the script, there is an event without a message.
      worker.onerror = ({ message }) =>
        take(
          message ||
            "the page lets no worker start from its blob: URL; for more, its Content-Security-Policy needs `worker-src blob:`",
        );
      worker.onmessageerror = () => take("a worker cannot take the page's shared memory");
    },
    release: () => URL.revokeObjectURL(url),
    end: () => {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}

/** Whether this thread may sleep in `Atomics.wait`: everywhere but on a page's main thread. */
const maySleep = (): boolean => isNode || typeof globalThis.document === "undefined";

/** How often the leader looks whether a helper is done, before it goes to sleep: for about half a millisecond, since waking costs more
 *  than most waits. Where it may not sleep, for ever: 0. */
export const leaderPolls = (): number => (maySleep() ? 200_000 : 0);
