import { Command, Option } from "commander";
import { measureLimits, programRates } from "../../bench/limits.js";
import type { Rates } from "../../bench/protocol.js";
import { median } from "../../bench/race.js";
import type { Device } from "../../src/backend/device.js";
import { WasmDevice } from "../../src/backend/wasm/device.js";
import { counted } from "../../src/data/skipped.js";
import { writeFileAtomic } from "../../src/node/atomicFile.js";
import { checkReplaceable } from "../../src/node/replaceable.js";
import type { Footprint, Program, ProgramStep } from "../../src/program/program.js";
import { presetOf } from "../../src/ptdit/presets.js";
import { buildWorkload } from "../../src/ptdit/workload.js";
import { withDevice } from "../device.js";
import { count, device, recipe, threads, tune, vectors } from "../options.js";

const declared = new Command("profile")
  .description("where a step's time goes, by kernel and by module")
  .option("--preset <name>", "workload (see ptdit presets)", "small")
  .addOption(new Option("--mode <name>", "what to run").choices(["forward", "train", "sample"]).default("train" as const))
  .addOption(recipe())
  .option("--batch <count>", "pictures a step", count("batch"))
  .option("--trace <file>", "also write a Chrome trace")
  .addOption(device())
  .addOption(tune())
  .addOption(threads())
  .addOption(vectors());

/** What `ptdit profile` was given. */
export type ProfileOptions = ReturnType<typeof declared.opts>;

/** Runs to warm up, and runs whose medians are shown; fewer where they take longer than this together. @units ms */
const [warmRuns, timedRuns, patience] = [3, 9, 10_000];

/** What a dispatch takes beside its work, about. */
const dispatchMicroseconds = 30;

interface Row {
  ms: number;
  calls: number;
  multiplyAdds: number;
  bytes: number;
}

/** `ptdit profile`: where a step's time goes, by kernel and by module. */
export async function profile(options: ProfileOptions): Promise<void> {
  if (options.trace) await checkReplaceable(options.trace, "trace");
  const { preset, mode, recipe, batch } = options;
  const workload = (device: Device) => buildWorkload(device, presetOf(preset), { mode, recipe, ...(batch && { batch }) });
  await withDevice(options, workload, async (device) => {
    const { program, feed } = workload(device);
    await upTo(warmRuns, async () => void (await program.run(feed)));
    const limits = await limitsOf(device);
    const whole: number[] = [];
    const script: number[] = [];
    const runs: (readonly number[])[] = [];
    await upTo(timedRuns, async () => {
      runs.push(await program.profile(feed));
      const from = performance.now();
      program.repeat();
      script.push(performance.now() - from);
      await device.settled?.();
      whole.push(performance.now() - from);
    });
    const times = program.steps.map((_, i) => median(runs.map((run) => run[i])));
    const ms = median(whole);
    // Beside a GPU, what has the host busy is JavaScript and its driver.
    const own = device.settled
      ? `dispatches, ${ms.toFixed(1)} ms a step, ${((100 * median(script)) / ms).toFixed(1)} % of them in JavaScript, on ${device.describe().details[0]}`
      : `intervals, ${ms.toFixed(1)} ms a step, ${counted(device.describe().threads, "thread")}`;
    console.log(`${preset}, ${mode}: ${program.steps.length} kernel calls in ${program.intervals} ${own}`);
    if (limits) console.log(`limits: ${leastTimes(program, limits, device.settled ? program.intervals : 0).join(", ")}`);
    console.log(`unfused: ${footprintLine(program.footprint(false))}\nfused:   ${footprintLine(program.footprint(true))}`);
    table("kernel", program.steps, times, limits, ({ kernel, op }) =>
      kernel === "fused" || kernel === "reduce" ? `${kernel} ${shortened(op)}` : kernel,
    );
    // Blocks are alike: their parts are added up over all of them.
    table("module", program.steps, times, limits, ({ scope }) => scope.replace(/^blocks\.\d+/, "blocks.*") || "(none)");
    if (options.trace) {
      await writeFileAtomic(options.trace, new TextEncoder().encode(chromeTrace(program.steps, times)));
      console.log(`\ntrace: ${options.trace} (open it in chrome://tracing or Perfetto)`);
    }
  });
}

/** Does it so many times, or once and on while there is patience. */
async function upTo(most: number, body: () => Promise<void>): Promise<void> {
  const end = performance.now() + patience;
  for (let i = 0; i < most && (i === 0 || performance.now() < end); i++) await body();
}

async function limitsOf(device: Device): Promise<Rates | undefined> {
  if (device instanceof WasmDevice) return measureLimits(device);
  return device.settled && programRates(device);
}

/** What a step would take if there were nothing but its arithmetic, its bytes, or its dispatches. */
function leastTimes(program: Program, { gflops, bandwidthGBs }: Rates, dispatches: number): string[] {
  const [flop, bytes] = [2 * program.multiplyAdds, program.footprint(true).traffic];
  const milliseconds = (ms: number) => `${ms.toFixed(1)} ms`;
  return [
    `${(flop / 1e9).toFixed(2)} GFLOP at ${rounded(gflops)} GFLOP/s: ${milliseconds(flop / gflops / 1e6)}`,
    `${(bytes / 1e9).toFixed(2)} GB at ${rounded(bandwidthGBs)} GB/s: ${milliseconds(bytes / bandwidthGBs / 1e6)}`,
    ...(dispatches > 0
      ? [`${dispatches} dispatches at ${dispatchMicroseconds} us: ${milliseconds((dispatches * dispatchMicroseconds) / 1000)}`]
      : []),
  ];
}

const rounded = (rate: number): string => (rate < 10 ? rate.toFixed(1) : rate.toFixed(0));

const shortened = (op: string): string => (op.length > 50 ? `${op.slice(0, 47)}...` : op);

const footprintLine = ({ calls, traffic, arena }: Footprint): string =>
  `${calls} calls move ${(traffic / 1e9).toFixed(2)} GB in an arena of ${(arena / 2 ** 20).toFixed(0)} MiB`;

/** Steps added up by a key. `limit` is what part of the measured arithmetic or bandwidth they reach, whichever is nearer. */
function table(
  title: string,
  steps: readonly ProgramStep[],
  times: readonly number[],
  limits: Rates | undefined,
  key: (step: ProgramStep) => string,
): void {
  const rows = new Map<string, Row>();
  steps.forEach((step, i) => {
    const row = rows.get(key(step)) ?? { ms: 0, calls: 0, multiplyAdds: 0, bytes: 0 };
    row.ms += times[i];
    row.calls++;
    row.multiplyAdds += step.multiplyAdds;
    row.bytes += step.bytes;
    rows.set(key(step), row);
  });
  const total = times.reduce((sum, ms) => sum + ms, 0);
  console.log(`\n      ms   share   calls  GFLOP/s    GB/s   limit  ${title}   (sum ${total.toFixed(1)} ms)`);
  for (const [name, { ms, calls, multiplyAdds, bytes }] of [...rows].sort((a, b) => b[1].ms - a[1].ms).slice(0, 20)) {
    const [gflops, gbs] = [(2 * multiplyAdds) / ms / 1e6, bytes / ms / 1e6];
    const limit = limits ? `${(100 * Math.max(gflops / limits.gflops, gbs / limits.bandwidthGBs)).toFixed(0)} %` : "-";
    const cells = [
      ms.toFixed(2).padStart(8),
      `${((100 * ms) / total).toFixed(1)} %`.padStart(7),
      String(calls).padStart(7),
      (multiplyAdds > 0 ? gflops.toFixed(1) : "-").padStart(8),
      gbs.toFixed(1).padStart(7),
      limit.padStart(7),
    ];
    console.log(`${cells.join(" ")}  ${name}`);
  }
}

/** The steps one after the other as complete events of the Chrome trace format, in microseconds. */
function chromeTrace(steps: readonly ProgramStep[], times: readonly number[]): string {
  let at = 0;
  const events = steps.map(({ kernel, op, scope, multiplyAdds, bytes }, i) => {
    const dur = 1000 * times[i];
    const event = { name: op, cat: kernel, ph: "X", pid: 1, tid: 1, ts: at, dur, args: { kernel, scope, multiplyAdds, bytes } };
    at += dur;
    return event;
  });
  return JSON.stringify({ traceEvents: events, displayTimeUnit: "ms" });
}

export const profileCommand = declared.action(profile);
