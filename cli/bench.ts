import { availableParallelism, cpus } from "node:os";
import { matmul, matmulNT, matmulTN } from "../src/autograd/ops/matmul.js";
import { compile } from "../src/autograd/program.js";
import { input } from "../src/autograd/tensor.js";
import type { Device } from "../src/backend/device.js";
import { wasm } from "../src/backend/wasm/device.js";
import { presetOf } from "../src/ptdit/presets.js";
import { buildWorkload } from "../src/ptdit/workload.js";

export interface BenchOptions {
  readonly only?: string;
  readonly seconds: number;
  readonly json?: true;
}

interface Timing {
  readonly ms: number;
  /** Half the distance between the quartiles, as a part of the median. */
  readonly spread: number;
  readonly runs: number;
}

const workloads = ["tiny", "small", "s", "long"] as const;
const products = [
  [256, 256, 256, "NN"],
  [512, 512, 512, "NN"],
  [1024, 1024, 1024, "NN"],
  [2048, 256, 256, "NT"],
  [2048, 1024, 256, "NT"],
  [2048, 256, 1024, "NN"],
  [256, 256, 2048, "TN"],
] as const;
const layouts = { NN: matmul, NT: matmulNT, TN: matmulTN };

/** Median and spread of a run, repeated for so many seconds, at least three times. */
async function time(run: () => unknown, seconds: number): Promise<Timing> {
  await run();
  await run();
  const times: number[] = [];
  const end = performance.now() + 1000 * seconds;
  while (times.length < 3 || performance.now() < end) {
    const from = performance.now();
    await run();
    times.push(performance.now() - from);
  }
  times.sort((a, b) => a - b);
  const quantile = (part: number) => times[Math.floor(part * (times.length - 1))] as number;
  return { ms: quantile(0.5), spread: (quantile(0.75) - quantile(0.25)) / 2 / quantile(0.5), runs: times.length };
}

/** `ptdit bench`: matrix products and the four workloads, PT-DiT and full attention, on one thread and on two. */
export async function bench({ only, seconds, json }: BenchOptions): Promise<void> {
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    node: process.versions.node,
    v8: process.versions.v8,
  };
  const say = (line: string) => {
    if (!json) console.log(line);
  };
  say(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`);
  const results = { machine, matmul: [] as object[], workloads: [] as object[] };
  for (const threads of [1, 2]) {
    const device = await wasm({ threads });
    try {
      if (!only || only === "matmul") {
        for (const product of products) {
          const row = await benchProduct(device, threads, product, seconds / 10);
          results.matmul.push(row);
          say(`matmul ${row.layout} ${row.m}x${row.n}x${row.k}, ${threads} threads: ${row.gflops.toFixed(1)} GFLOP/s`);
        }
      }
      for (const name of workloads) {
        if (only && only !== name) continue;
        for (const model of ["ptdit", "dit"] as const) {
          for (const mode of ["forward", "train"] as const) {
            const row = await benchWorkload(device, threads, name, model, mode, seconds);
            results.workloads.push(row);
            say(
              `${name} ${model} ${mode}, ${threads} threads: ${row.ms.toFixed(1)} ms ± ${(100 * row.spread).toFixed(0)} %, ${row.imagesPerSecond.toFixed(1)} images/s, ` +
                `${row.gflops.toFixed(1)} GFLOP/s, arena ${(row.arenaBytes / 2 ** 20).toFixed(0)} MiB, compiled in ${row.compileMs.toFixed(0)} ms`,
            );
          }
        }
      }
    } finally {
      device.close();
    }
  }
  if (json) console.log(JSON.stringify(results));
}

async function benchProduct(device: Device, threads: number, [m, n, k, layout]: (typeof products)[number], seconds: number) {
  const [a, b] = [input(layout === "TN" ? [k, m] : [m, k]), input(layout === "NT" ? [n, k] : [k, n])];
  const c = layouts[layout](a, b);
  const program = compile(device, { inputs: { a, b }, updates: [], outputs: { c } });
  await program.run({ a: new Float32Array(m * k).fill(0.5), b: new Float32Array(n * k).fill(0.5) });
  const { ms } = await time(() => program.repeat(), seconds);
  program.dispose();
  return { m, n, k, layout, threads, gflops: (2 * m * n * k) / ms / 1e6 };
}

async function benchWorkload(
  device: Device,
  threads: number,
  name: (typeof workloads)[number],
  model: "ptdit" | "dit",
  mode: "forward" | "train",
  seconds: number,
) {
  const from = performance.now();
  const workload = buildWorkload(device, presetOf(name), { model, mode });
  const compileMs = performance.now() - from;
  const { program, feed, batch } = workload;
  const { ms, spread, runs } = await time(() => program.run(feed), seconds);
  const gflop = program.steps.reduce((sum, { multiplyAdds }) => sum + 2 * multiplyAdds, 0) / 1e9;
  const arenaBytes = program.bytes.arena;
  workload.dispose();
  return {
    name,
    model,
    threads,
    mode,
    ms,
    spread,
    runs,
    imagesPerSecond: (1000 * batch) / ms,
    gflop,
    gflops: (1000 * gflop) / ms,
    arenaBytes,
    rssBytes: process.memoryUsage.rss(),
    compileMs,
  };
}
