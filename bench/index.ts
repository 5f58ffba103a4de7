import { availableParallelism, cpus } from "node:os";
import type { Vectors } from "../src/backend/wasm/binary.js";
import { DeviceError } from "../src/base/errors.js";
import { measureBusy } from "./busy.js";
import { matmulCases, opCases } from "./cases.js";
import type { Contender } from "./contender.js";
import { pairOf, peaksOf, startEngine, startEngines, threadCounts, withEngines } from "./engines.js";
import { gainNames } from "./gain.js";
import { racePeers } from "./peerRace.js";
import { geometryOf, isPeerCase, peerOps, processPeers } from "./peers.js";
import { type Case, type Limits, models, modes, type PeerCase, type Prepared, type WorkloadCase } from "./protocol.js";
import { median, quantile, type Racer, race, type Timing } from "./race.js";
import { busyLine, gainLine, limitsLine, matmulLine, opLine, overheadLines, workloadLine } from "./report.js";
import type { BenchResults, GainRow, MatmulRow, OpRow, WorkloadRow } from "./results.js";
import { benchWebGpu } from "./webgpu.js";

/** Parts of the bench, for `--only`. */
export const benchParts = ["matmul", "ops", "tiny", "small", "s", "long", "nano", "gain", "overhead", "busy"] as const;
type Part = (typeof benchParts)[number];

const nano = { kind: "workload", name: "nano", model: "ptdit", recipe: "clean" } as const;
/** What people train and draw with: a step of the quick start, and of pictures that come while somebody types. */
const nanoCases: readonly WorkloadCase[] = [
  { ...nano, mode: "train" },
  { ...nano, mode: "sample", batch: 1 },
];

export const benchDevices = ["wasm", "webgpu"] as const;

export interface BenchOptions {
  readonly only?: readonly Part[];
  readonly seconds: number;
  readonly json?: true;
  readonly peers?: true;
  readonly vectors?: Vectors;
  /** `wasm` if not given. */
  readonly device?: (typeof benchDevices)[number];
}

/** `ptdit bench`: the limits of the machine, products, ops and workloads, on one thread and on two, and other engines beside;
 *  or products and workloads on WebGPU, beside the adapter's limits.
 *  @throws ConfigError when the device cannot do what is asked for */
export async function bench(options: BenchOptions): Promise<void> {
  const { only, json, device = "wasm" } = options;
  // The results go to stdout; what happens meanwhile beside them.
  const say = (line: string) => (json ? console.error(line) : console.log(line));
  if (device === "webgpu") {
    const results = await benchWebGpu(options, say);
    if (json) console.log(JSON.stringify(results));
    return;
  }
  const wanted = (part: Part) => only === undefined || only.includes(part);
  const results = await start(options.vectors, say);
  const run = new Bench(options, results, say);
  if (wanted("matmul")) await run.products();
  if (wanted("ops")) await run.ops();
  for (const name of ["tiny", "small", "s", "long"] as const) if (wanted(name)) await run.workload(name);
  if (wanted("nano")) await run.timeAll(nanoCases);
  if (wanted("gain")) await run.gains();
  if (wanted("overhead")) await run.overhead();
  if (wanted("busy")) await run.busy();
  if (json) console.log(JSON.stringify(results));
}

/** What machine this is, and its limits with one thread and with two. */
async function start(vectors: Vectors | undefined, say: (line: string) => void): Promise<BenchResults> {
  const cores = availableParallelism();
  const machine = {
    cpu: cpus()[0]?.model ?? "unknown",
    cores,
    node: process.versions.node,
    v8: process.versions.v8,
    vectors: vectors ?? "fastest",
    date: new Date().toISOString().slice(0, 10),
  };
  say(`${machine.cpu}, ${cores} cores, Node ${machine.node}, vectors: ${machine.vectors}`);
  say("Rates of products and ops are those of the fastest tenth of their runs; times of workloads are medians.");
  const limits: Limits[] = [];
  await withEngines(vectors, async (engines) => {
    for (const engine of engines) {
      const answer = await engine.ask({ limits: true });
      if (!("limits" in answer)) throw new DeviceError(`bench: the limits could not be measured: ${JSON.stringify(answer)}.`);
      limits.push(answer.limits);
    }
    const peaks = await peaksOf(engines);
    for (const [i, gflops] of peaks.entries()) {
      limits[i] = { ...limits[i], gflops };
      say(limitsLine(threadCounts[i], limits[i]));
    }
  });
  const [one, two] = limits as [Limits, Limits];
  return { machine, peaks: { ...one, twoThreads: two }, matmul: [], ops: [], workloads: [], gain: [], peers: [] };
}

/** One case in a race: what ours cost, the peaks meanwhile, and everyone's times. */
interface Outcome {
  readonly costs: readonly Prepared[];
  /** Of our engines, then of the others in the race. */
  readonly timings: readonly (Timing | undefined)[];
  /** As of `peaksOf`, in the order of `threadCounts`: the median, and what one round in ten exceeds. */
  readonly peaks: readonly { readonly median: number; readonly fast: number }[];
}

class Bench {
  constructor(
    private readonly options: BenchOptions,
    private readonly results: BenchResults,
    private readonly say: (line: string) => void,
  ) {}

  async products(): Promise<void> {
    await withEngines(this.options.vectors, async (engines) => {
      for (const what of matmulCases) {
        const { costs, timings, peaks } = await this.time(engines, what, this.options.seconds / 10);
        for (const [i, threads] of threadCounts.entries()) {
          const gflops = (1000 * (costs[i]?.gflop ?? 0)) / (timings[i]?.fastMs ?? Number.NaN);
          const { m, n, k, layout = "NN", batch = 1 } = what;
          const row: MatmulRow = { m, n, k, layout, batch, threads, gflops, ofPeak: gflops / (peaks[i]?.fast ?? Number.NaN) };
          this.results.matmul.push(row);
          this.say(matmulLine(row));
        }
      }
    });
    if (this.options.peers) for (const what of peerOps) await this.peers(what, Math.min(2, this.options.seconds));
  }

  async ops(): Promise<void> {
    await withEngines(this.options.vectors, async (engines) => {
      for (const [name, { shape, bound }] of Object.entries(opCases)) {
        const { costs, timings, peaks } = await this.time(engines, { kind: "op", name }, this.options.seconds / 10);
        for (const [i, threads] of threadCounts.entries()) {
          const [cost, timing, peak] = [costs[i], timings[i], peaks[i]];
          if (!cost || !timing || !peak) continue;
          const limits = threads === 1 ? this.results.peaks : this.results.peaks.twoThreads;
          const { fastMs: ms } = timing;
          const gflops = (1000 * (cost.gflop ?? 0)) / ms;
          const gbs = (cost.bytes ?? 0) / ms / 1e6;
          const perNs = (cost.elements ?? 0) / ms / 1e6;
          const leastMs = (cost.gflop ?? 0) / (peak.fast * 1e-3) + (cost.exponentials ?? 0) / limits.expPerNs / 1e6;
          const ofPeak = { attention: leastMs / ms, exp: perNs / limits.expPerNs, bandwidth: gbs / limits.bandwidthGBs }[bound];
          const row: OpRow = { name, shape, threads, ms, gflops, gbs, elementsPerNs: perNs, bound, ofPeak };
          this.results.ops.push(row);
          this.say(opLine(row));
        }
      }
    });
  }

  async workload(name: string): Promise<void> {
    for (const model of models) {
      for (const mode of modes) {
        const what: WorkloadCase = { kind: "workload", name, model, mode };
        await this.timeAll([what]);
        if (this.options.peers && isPeerCase(what))
          await this.peers({ ...what, geometry: geometryOf(name) }, this.options.seconds);
      }
    }
  }

  /** Workloads of ours alone. */
  async timeAll(cases: readonly WorkloadCase[]): Promise<void> {
    for (const what of cases) {
      for (const row of await this.timeWorkload(what)) {
        this.results.workloads.push(row);
        this.say(workloadLine(row));
      }
    }
  }

  /** PT-DiT against full attention by the count of tokens: how much less arithmetic, and how much less time. */
  async gains(): Promise<void> {
    for (const name of gainNames) {
      for (const mode of ["forward", "train"] as const) {
        const [proxy, full] = [
          await this.timeWorkload({ kind: "workload", name, model: "ptdit", mode }),
          await this.timeWorkload({ kind: "workload", name, model: "dit", mode }),
        ];
        for (const [i, threads] of threadCounts.entries()) {
          const [own, other] = [proxy[i], full[i]];
          if (!own || !other) continue;
          const [counted, measured] = [other.gflop / own.gflop, other.ms / own.ms];
          const row: GainRow = { tokens: Number(name.split("-")[1]), mode, threads, counted, measured };
          this.results.gain.push(row);
          this.say(gainLine(row));
        }
      }
    }
  }

  /** What steps cost beside their arithmetic, on two threads. */
  async overhead(): Promise<void> {
    const starts: number[] = [];
    for (let i = 0; i < 5; i++) {
      const started = await startEngine(2, this.options.vectors);
      starts.push(started.startMs);
      started.end();
    }
    const engine = await startEngine(2, this.options.vectors);
    const answer = await engine.ask({ overhead: true });
    engine.end();
    if (!("overhead" in answer)) throw new DeviceError(`bench: the overhead could not be measured: ${JSON.stringify(answer)}.`);
    this.results.overhead = { ...answer.overhead, startMs: median(starts) };
    for (const line of overheadLines(this.results.overhead)) this.say(line);
  }

  /** Small programs while another process keeps a core busy. */
  async busy(): Promise<void> {
    this.results.busy = await measureBusy(this.options.vectors, this.options.seconds);
    for (const row of this.results.busy) this.say(busyLine(row));
  }

  /** A workload on one thread and on two, each in a process of its own so that its peak memory is its own. */
  private async timeWorkload(what: WorkloadCase): Promise<WorkloadRow[]> {
    return withEngines(this.options.vectors, async (engines) => {
      const twin = await startEngine(1, this.options.vectors);
      const pair = pairOf(engines[0], twin);
      await twin.prepare(what);
      const { costs, timings, peaks } = await this.time(engines, what, this.options.seconds, pair).finally(() => twin.end());
      const twoProcesses = (2 * (timings[0]?.ms ?? Number.NaN)) / (timings[engines.length]?.ms ?? Number.NaN);
      const rows: WorkloadRow[] = [];
      for (const [i, threads] of threadCounts.entries()) {
        const [cost, timing, peak] = [costs[i], timings[i], peaks[i]];
        if (!cost || !timing || !peak) continue;
        const { gflop = 0, batch = 0, arenaBytes = 0, compileMs = 0 } = cost;
        const rss = await engines[i].ask({ rss: true });
        const rates = {
          imagesPerSecond: (1000 * batch) / timing.ms,
          gflop,
          ofPeak: (1000 * gflop) / timing.ms / peak.median,
        };
        const bytes = { arenaBytes, rssBytes: "rss" in rss ? rss.rss : 0 };
        const { kind: _, ...which } = what;
        rows.push({ ...which, threads, ...timing, ...rates, ...bytes, compileMs, twoProcesses });
      }
      return rows;
    });
  }

  /** Times ours, and who else is given. */
  private async time(
    engines: readonly Contender[],
    what: Case,
    seconds: number,
    ...others: readonly Racer[]
  ): Promise<Outcome> {
    const costs: Prepared[] = [];
    for (const engine of engines) {
      const cost = await engine.prepare(what);
      if ("unsupported" in cost) throw new DeviceError(`bench: ${JSON.stringify(what)}: ${cost.unsupported}`);
      costs.push(cost);
    }
    const measured: (readonly number[])[] = [];
    const timings = await race([...engines, ...others], seconds, async () => {
      measured.push(await peaksOf(engines));
    });
    const peaks = threadCounts.map((_, i) => {
      const own = measured.map((rates) => rates[i] ?? Number.NaN).sort((a, b) => a - b);
      return { median: quantile(own, 0.5), fast: quantile(own, 0.9) };
    });
    return { costs, timings, peaks };
  }

  private async peers(what: PeerCase, seconds: number): Promise<void> {
    const ours = () => startEngines(this.options.vectors);
    this.results.peers.push(...(await racePeers(what, seconds, ours, processPeers, this.say)).peers);
  }
}
