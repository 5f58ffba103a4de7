/** Our own engine as contenders: processes of `engine.ts` with one thread and with two. */
import { fileURLToPath } from "node:url";
import type { Vectors } from "../src/backend/wasm/binary.js";
import { DeviceError } from "../src/base/errors.js";
import { Contender } from "./contender.js";
import type { Racer } from "./race.js";

export const threadCounts = [1, 2] as const;
/** Built or from the sources, as this file is. */
const enginePath = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./engine.ts" : "./engine.js", import.meta.url));

/** Ours with each count of threads, each in a process of its own. */
export const startEngines = (vectors: Vectors | undefined): Promise<readonly Contender[]> =>
  Promise.all(threadCounts.map((threads) => startEngine(threads, vectors)));

/** Ours while `body` needs them. */
export async function withEngines<T>(
  vectors: Vectors | undefined,
  body: (engines: readonly Contender[]) => Promise<T>,
): Promise<T> {
  const engines = await startEngines(vectors);
  try {
    return await body(engines);
  } finally {
    for (const engine of engines) engine.end();
  }
}

/** Ours with so many threads. */
export async function startEngine(threads: number, vectors: Vectors | undefined): Promise<Contender> {
  const engine = await Contender.start(process.execPath, [
    ...process.execArgv,
    enginePath,
    String(threads),
    ...(vectors ? [vectors] : []),
  ]);
  if ("missing" in engine) throw new DeviceError(`bench: the engine did not start: ${engine.missing}`);
  return engine;
}

/** GFLOP/s in registers of one thread alone, and of two at once: what a core shares with others may leave two less than twice that. */
export async function peaksOf(engines: readonly Contender[]): Promise<readonly [one: number, two: number]> {
  const peakOf = async (together: readonly Contender[]) => {
    const answers = await Promise.all(together.map((engine) => engine.ask({ peak: true })));
    return answers.reduce((sum, answer) => sum + ("peak" in answer ? answer.peak : Number.NaN), 0);
  };
  return [await peakOf(engines.slice(0, 1)), await peakOf(engines)];
}

/** Two processes of one thread each, at once: what the machine has left for a second thread. A run takes what theirs take on average. */
export const pairOf = (one: Racer, other: Racer): Racer => ({
  async run(count) {
    const [own, others] = await Promise.all([one.run(count), other.run(count)]);
    return own.map((ms, i) => (ms + (others[i] ?? Number.NaN)) / 2);
  },
});
