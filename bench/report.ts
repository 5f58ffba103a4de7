/** Rows of the bench as lines to read. */
import type { Limits, Rates } from "./protocol.js";
import type { BenchResults, BusyRow, GainRow, GpuRow, MatmulRow, OpRow, PeerRow, WorkloadRow } from "./results.js";

const percent = (part: number): string => `${(100 * part).toFixed(0)} %`;
const milliseconds = (ms: number): string => ms.toPrecision(3);
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
export const on = (threads: number): string => `${threads} thread${threads === 1 ? "" : "s"}`;

const ratesOf = ({ gflops, bandwidthGBs }: Rates): string =>
  `${gflops.toFixed(0)} GFLOP/s in registers, ${bandwidthGBs.toFixed(0)} GB/s`;

export const limitsLine = (threads: number, limits: Limits): string =>
  `limits, ${on(threads)}: ${ratesOf(limits)}, ${limits.expPerNs.toFixed(2)} exp/ns`;

export const ratesLine = (rates: Rates): string => `limits: ${ratesOf(rates)}`;

/** What was timed; a product is of no model. */
export function timed(what: Pick<GpuRow, "name" | "model" | "mode"> & Pick<WorkloadRow, "recipe" | "batch">): string {
  const { name, model, mode, recipe, batch } = what;
  if (model === "-") return name;
  const pictures = batch ? `, ${batch} picture${batch === 1 ? "" : "s"}` : "";
  return `${[name, model, recipe, mode].filter(Boolean).join(" ")}${pictures}`;
}

export function gpuLine(row: GpuRow): string {
  const { ms, spread, runs, gflop, ofPeak } = row;
  const rate = `${((1000 * gflop) / ms).toFixed(1)} GFLOP/s = ${percent(ofPeak)} of peak`;
  return `${timed(row)}: ${milliseconds(ms)} ms ± ${percent(spread)} (${runs} runs), ${rate}`;
}

export const matmulLine = ({ m, n, k, layout, batch, threads, gflops, ofPeak }: MatmulRow): string =>
  `matmul ${layout} ${batch > 1 ? `${batch} of ` : ""}${m}x${n}x${k}, ${on(threads)}: ${gflops.toFixed(1)} GFLOP/s, ${percent(ofPeak)} of peak`;

export function opLine({ name, shape, threads, ms, gflops, gbs, elementsPerNs, bound, ofPeak }: OpRow): string {
  const rate = {
    attention: `${gflops.toFixed(1)} GFLOP/s`,
    bandwidth: `${gbs.toFixed(1)} GB/s`,
    exp: `${elementsPerNs.toFixed(2)} numbers/ns`,
  };
  return `${name} ${shape}, ${on(threads)}: ${ms.toFixed(3)} ms, ${rate[bound]}, ${percent(ofPeak)} of ${bound === "attention" ? "products and exp" : bound}`;
}

export const workloadLine = (row: WorkloadRow): string =>
  `${timed(row)}, ${on(row.threads)}: ${row.ms.toFixed(1)} ms ± ${percent(row.spread)} (${row.runs} runs), ` +
  `${row.imagesPerSecond.toFixed(1)} images/s, ${((row.gflop / row.ms) * 1000).toFixed(1)} GFLOP/s = ${percent(row.ofPeak)} of peak, ` +
  `arena ${mebibytes(row.arenaBytes)}, process ${mebibytes(row.rssBytes)}, compiled in ${row.compileMs.toFixed(0)} ms` +
  (row.threads === 1 ? `; two processes do ${row.twoProcesses.toFixed(2)}x the work of one` : "");

export const busyLine = ({ name, threads, idleMs, busyMs }: BusyRow): string =>
  `${name}, ${on(threads)}: ${milliseconds(idleMs)} ms on idle cores, ${milliseconds(busyMs)} ms while another process keeps one busy`;

export const gainLine = ({ tokens, mode, threads, counted, measured }: GainRow): string =>
  `full attention / PT-DiT at ${tokens} tokens, ${mode}, ${on(threads)}: ${counted.toFixed(2)}x the arithmetic, ${measured.toFixed(2)}x the time`;

export function peerLine(row: PeerRow): string {
  const { peer, version, threads, device, ms, ratio } = row;
  const time = (own: number) => `${own.toFixed(own < 10 ? 3 : 0)} ms`;
  return `${timed(row)}: ${peer} ${version}, ${device ?? on(threads)}: ${time(ms)} = ${ratio.toFixed(2)}x ours (${time(ms / ratio)})`;
}

export const overheadLines = (own: NonNullable<BenchResults["overhead"]>): string[] => [
  `start, two threads: ${own.startMs.toFixed(0)} ms`,
  `JavaScript in a training step of tiny: ${(100 * own.jsShare).toFixed(2)} % of the time, ${own.heapBytesPerStep.toFixed(0)} bytes of garbage`,
  `what a second thread adds to an op too small to share: ${own.barrierNs.toFixed(0)} ns`,
  `a sample of 30 steps: ${own.sampleOverSteps.toFixed(3)}x its steps`,
  `checkpointing, training s: ${own.checkpointing.arena.toFixed(2)}x the arena, ${own.checkpointing.time.toFixed(2)}x the time`,
];
