import { Command, Option } from "commander";
import { measureLimits } from "../../bench/limits.js";
import type { Limits } from "../../bench/protocol.js";
import { median } from "../../bench/race.js";
import type { Device } from "../../src/backend/device.js";
import { WasmDevice } from "../../src/backend/wasm/device.js";
import { writeFileAtomic } from "../../src/node/atomicFile.js";
import { checkReplaceable } from "../../src/node/replaceable.js";
import type { Footprint, ProgramStep } from "../../src/program/program.js";
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

/** Runs to warm up, and runs whose medians are shown. */
const [warmRuns, timedRuns] = [3, 9];

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
    for (let i = 0; i < warmRuns; i++) await program.run(feed);
    const limits = device instanceof WasmDevice ? measureLimits(device) : undefined;
    const whole: number[] = [];
    const runs: (readonly number[])[] = [];
    for (let run = 0; run < timedRuns; run++) {
      runs.push(await program.profile(feed));
      const from = performance.now();
      if (limits) program.repeat();
      else await program.run(feed);
      // A sampler's step reads nothing that would be waited for.
      await device.settled?.();
      whole.push(performance.now() - from);
    }
    const times = program.steps.map((_, i) => median(runs.map((run) => run[i])));
    const calls = `${preset}, ${mode}: ${program.steps.length} kernel calls`;
    const took = `${median(whole).toFixed(1)} ms a step`;
    console.log(
      limits
        ? `${calls} in ${program.intervals} intervals, ${took}, ${device.describe().threads} threads ` +
            `(limits: ${limits.gflops.toFixed(0)} GFLOP/s, ${limits.bandwidthGBs.toFixed(0)} GB/s)`
        : `${calls} in ${program.intervals} dispatches, ${took} on ${device.describe().details[0]} ` +
            `(${program.intervals} x ${dispatchMicroseconds} us: ${((program.intervals * dispatchMicroseconds) / 1000).toFixed(1)} ms)`,
    );
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

const shortened = (op: string): string => (op.length > 50 ? `${op.slice(0, 47)}...` : op);

const footprintLine = ({ calls, traffic, arena }: Footprint): string =>
  `${calls} calls move ${(traffic / 1e9).toFixed(2)} GB in an arena of ${(arena / 2 ** 20).toFixed(0)} MiB`;

/** Steps added up by a key. `limit` is what part of the measured arithmetic or bandwidth they reach, whichever is nearer. */
function table(
  title: string,
  steps: readonly ProgramStep[],
  times: readonly number[],
  limits: Limits | undefined,
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
