/** `ptdit bench --device webgpu`: products and workloads in headless Chromium, beside the adapter's limits; with `--peers` other engines
 *  beside ours, in one browser and on one adapter. */
import { availableParallelism, cpus } from "node:os";
import { ConfigError, DeviceError } from "../src/base/errors.js";
import { Browser } from "./browser.js";
import { ownScript } from "./bundle.js";
import type { Contender } from "./contender.js";
import type { BenchOptions } from "./index.js";
import { placeOf, racePeers } from "./peerRace.js";
import { browserFiles, browserPeers, geometryOf } from "./peers.js";
import { reducedName, reduction } from "./presets.js";
import { models, modes, type PeerCase, type Rates, type WorkloadCase } from "./protocol.js";
import { gpuLine, ratesLine } from "./report.js";
import type { GpuRow, PeerRow, WebGpuResults } from "./results.js";

const workloads = ["tiny", "small", "s", "long"] as const;
const parts = ["matmul", ...workloads] as const;
type Part = (typeof parts)[number];
const isPart = (name: string): name is Part => parts.some((part) => part === name);

/** Sides of square matrices: a software adapter takes seconds for what a GPU does in a millisecond. */
const sides = { gpu: [1024, 2048, 4096], software: [128, 256] } as const;

/** The parts that are asked for, undefined for the usual ones.
 *  @throws ConfigError when they cannot be had on WebGPU */
export function checkWebGpu({ only, vectors }: Pick<BenchOptions, "only" | "vectors">): Part[] | undefined {
  if (vectors) throw new ConfigError(`bench: --vectors ${vectors} is a build of the wasm device's kernels. Leave it out.`);
  const odd = only?.find((part) => !isPart(part));
  if (odd)
    throw new ConfigError(
      `bench: --device webgpu has no part "${odd}", got --only ${only?.join(" ")}. It has ${parts.join(", ")}.`,
    );
  return only?.filter(isPart);
}

/** Times what the adapter is up to; `seconds` each.
 *  @throws ConfigError as `checkWebGpu`, and where the peers are not
 *  @throws DeviceError when there is no Chromium, or no adapter in it */
export async function benchWebGpu(options: BenchOptions, say: (line: string) => void): Promise<WebGpuResults> {
  const only = checkWebGpu(options);
  const browser = await Browser.open(options.peers ? browserFiles() : {});
  try {
    const probe = await startEngine(browser);
    const { adapter = { name: "unnamed", software: false }, version } = probe;
    const rates = await ratesOf(probe);
    probe.end();
    const machine = {
      cpu: cpus()[0]?.model ?? "unknown",
      cores: availableParallelism(),
      browser: version,
      adapter: adapter.name,
      software: adapter.software,
      date: new Date().toISOString().slice(0, 10),
    };
    say(`${machine.cpu}, ${machine.cores} cores, ${machine.browser}, adapter: ${machine.adapter}`);
    if (machine.software) {
      say("software adapter: these times and ratios say nothing of a GPU");
      say(`workloads are reduced: ${reduction}`);
    }
    say(ratesLine(rates));
    const [own, peers]: [GpuRow[], PeerRow[]] = [[], []];
    for (const what of casesOf(machine.software, only)) {
      const seconds = what.kind === "workload" ? options.seconds : Math.min(2, options.seconds);
      const startOurs = async () => [await startEngine(browser)];
      const roster = options.peers && isForPeers(what) ? browserPeers(browser) : [];
      const raced = await racePeers(what, seconds, startOurs, roster, say);
      peers.push(...raced.peers);
      for (const { timing, cost } of raced.ours) {
        const { gflop = Number.NaN } = cost;
        const row: GpuRow = { ...placeOf(what), ...timing, gflop, ofPeak: (1000 * gflop) / timing.ms / rates.gflops };
        own.push(row);
        say(gpuLine(row));
      }
    }
    return { machine, rates, own, peers };
  } finally {
    await browser.close();
  }
}

/** Ours, as a worker of the browser. */
async function startEngine(browser: Browser): Promise<Contender> {
  const engine = await browser.start(ownScript("webgpuEngine"));
  if ("missing" in engine) throw new DeviceError(`bench: the engine did not start in the browser: ${engine.missing}`);
  return engine;
}

async function ratesOf(engine: Contender): Promise<Rates> {
  const answer = await engine.ask({ rates: true });
  if (!("rates" in answer))
    throw new DeviceError(`bench: the adapter's limits could not be measured: ${JSON.stringify(answer)}.`);
  return answer.rates;
}

/** Others are timed on PT-DiT, and have no sampler of their own. */
const isForPeers = (what: PeerCase): boolean => what.kind !== "workload" || (what.model === "ptdit" && what.mode !== "sample");

/** On a software adapter `tiny` alone, if nothing is asked for, and workloads in their reduced form. */
function casesOf(software: boolean, only: readonly Part[] = software ? ["matmul", "tiny"] : parts): PeerCase[] {
  return only.flatMap((part): PeerCase[] => {
    if (part === "matmul") return sides[software ? "software" : "gpu"].map((n) => ({ kind: "matmul", m: n, n, k: n }));
    const name = software ? reducedName(part) : part;
    const cases = models.flatMap((model) => modes.map((mode) => ({ kind: "workload", name, model, mode }) as const));
    return cases.map((what): WorkloadCase => (isForPeers(what) ? { ...what, geometry: geometryOf(name) } : what));
  });
}
