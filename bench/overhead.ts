/** What a step costs beside its arithmetic, and what checkpointing trades. */
import { layerNorm } from "../src/autograd/ops/layerNorm.js";
import { parameter } from "../src/autograd/tensor.js";
import type { Executable } from "../src/backend/device.js";
import { type WasmDevice, wasm } from "../src/backend/wasm/device.js";
import { presetOf } from "../src/ptdit/presets.js";
import { buildWorkload, sampleWhole } from "../src/ptdit/workload.js";
import type { Overhead } from "./protocol.js";
import { median, quantile } from "./race.js";
import { programRunner } from "./runner.js";

/** The device, with the time that its programs run added up. */
function watched(device: WasmDevice): { device: WasmDevice; inside: () => number } {
  let inside = 0;
  const load = (...args: Parameters<WasmDevice["load"]>): Executable => {
    const own = device.load(...args);
    const run = (from?: number, to?: number): void => {
      const start = performance.now();
      own.run(from, to);
      inside += performance.now() - start;
    };
    return { ...own, run };
  };
  return { device: Object.create(device, { load: { value: load } }) as WasmDevice, inside: () => inside };
}

/** Part of a training step of `tiny` that is JavaScript. */
async function jsShareOf(device: WasmDevice): Promise<number> {
  const { device: own, inside } = watched(device);
  const workload = buildWorkload(own, presetOf("tiny"), { mode: "train" });
  for (let i = 0; i < 5; i++) await workload.run();
  const [before, from] = [inside(), performance.now()];
  for (let i = 0; i < 20; i++) await workload.run();
  const whole = performance.now() - from;
  workload.dispose();
  return 1 - (inside() - before) / whole;
}

/** What a training step leaves to the garbage collector, the caller's `await` included, once the engine has compiled all of it: the
 *  JavaScript of a step does not depend on the size of the model, so a minute model shows it soon.
 *  @units bytes */
async function garbagePerStep(device: WasmDevice): Promise<number> {
  const { config, ...tiny } = presetOf("tiny");
  const side = 8;
  const minute = { ...tiny, side, config: { ...config, depth: 1, heads: 1, sampleSize: side } };
  const workload = buildWorkload(device, minute, { mode: "train", batch: 1 });
  const steps = 500;
  const round = async () => {
    const { heapUsed } = process.memoryUsage();
    for (let i = 0; i < steps; i++) await workload.run();
    return (process.memoryUsage().heapUsed - heapUsed) / steps;
  };
  for (let i = 0; i < 5; i++) await round();
  const bytes: number[] = [];
  // Rounds in which the collector runs fall out of the median: they are few.
  for (let i = 0; i < 9; i++) bytes.push(await round());
  workload.dispose();
  return median(bytes);
}

/** Times of single runs, in turns.
 *  @units ms */
async function inTurns(runs: readonly (() => Promise<unknown>)[], rounds: number): Promise<number[]> {
  const times = runs.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, run] of runs.entries()) {
      const from = performance.now();
      await run();
      if (round > 0) times[i]?.push(performance.now() - from);
    }
  }
  return times.map(median);
}

/** What it costs that threads meet: ops that are too small to share, each in need of the one before, on the device and on one thread.
 *  @units ns */
async function barrierNs(device: WasmDevice): Promise<number> {
  const ops = 1000;
  const alone = await wasm({ threads: 1 });
  const [together, single] = [device, alone].map((own) => {
    let x = parameter([1, 8]);
    for (let i = 0; i < ops; i++) x = layerNorm(x, { eps: 1 });
    const runner = programRunner(own, [[parameter(x.shape), x]]);
    const times = Array.from({ length: 200 }, () => runner.run()).sort((a, b) => a - b);
    runner.dispose();
    return (1e6 * quantile(times, 0.1)) / ops;
  }) as [number, number];
  alone.close();
  return together - single;
}

export async function measureOverhead(device: WasmDevice): Promise<Overhead> {
  const jsShare = await jsShareOf(device);
  const heapBytesPerStep = await garbagePerStep(device);
  const barrier = await barrierNs(device);

  const steps = 30;
  const sampling = sampleWhole(device, presetOf("tiny"), steps);
  const [whole = Number.NaN, one = Number.NaN] = await inTurns([sampling.sample, sampling.step], 3);
  sampling.dispose();

  const build = (checkpointing: boolean) => buildWorkload(device, presetOf("s"), { mode: "train", checkpointing });
  const [plain, checkpointed] = [build(false), build(true)];
  const [plainMs = Number.NaN, checkpointedMs = Number.NaN] = await inTurns([plain.run, checkpointed.run], 3);
  const arena = checkpointed.program.bytes.arena / plain.program.bytes.arena;
  for (const workload of [plain, checkpointed]) workload.dispose();
  return {
    jsShare,
    heapBytesPerStep,
    barrierNs: barrier,
    sampleOverSteps: whole / (steps * one),
    checkpointing: { arena, time: checkpointedMs / plainMs },
  };
}
