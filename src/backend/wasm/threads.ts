/** Worker threads that walk programs beside the calling thread. */

import { runtime } from "#runtime";
import { messageOf } from "../../base/errors.js";
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
 * A worker's whole life, as source text so that it needs no file of its own: it takes the job, instantiates, says so, then serves
 * runs until told to stop. `serve` returns after each run, so that the engine may replace its code by a better-optimised one. A worker
 * that traps tells the others, who would wait for it at the next barrier.
 */
const work = `async ({ module, memory, index, threads, scratch, crew }, say) => {
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
}`;

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
  return { helpers, ...(failed && { fault: messageOf(failed.reason) }) };
}

/** What a worker says: that it is up or waits for runs, or why not. */
interface Answer {
  readonly fault?: string;
}

async function startWorker(): Promise<Helper> {
  const port = runtime.startWorker<WorkerJob, Answer>(work);
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
        throw new WorkerFault(`a worker cannot be given its memory (${messageOf(error)})`);
      }
      await ready;
      port.release();
    },
    end: () => port.end(),
  };
}

/** How often the leader looks whether a helper is done, before it goes to sleep: for about half a millisecond, since waking costs more
 *  than most waits. Where it may not sleep, for ever: 0. */
export const leaderPolls = (): number => (runtime.maySleep() ? 200_000 : 0);
