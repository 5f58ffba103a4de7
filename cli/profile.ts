import type { ProgramStep } from "../src/autograd/program.js";
import { writeFileAtomic } from "../src/io/atomic-file.js";
import { presetOf } from "../src/ptdit/presets.js";
import { buildWorkload } from "../src/ptdit/workload.js";
import { type DeviceOptions, withDevice } from "./device.js";

export interface ProfileOptions extends DeviceOptions {
  readonly preset: string;
  readonly batch?: number;
  readonly mode: "forward" | "train" | "sample";
  readonly trace?: string;
}

/** Runs to warm up, and runs that are averaged. */
const [warmRuns, timedRuns] = [3, 5];

interface Row {
  ms: number;
  calls: number;
  multiplyAdds: number;
  bytes: number;
}

/** `ptdit profile`: where a step's time goes, by kernel and by module. */
export async function profile(options: ProfileOptions): Promise<void> {
  await withDevice(options, async (device) => {
    const { preset, mode, batch } = options;
    const { program, feed } = buildWorkload(device, presetOf(preset), { mode, ...(batch ? { batch } : {}) });
    for (let i = 0; i < warmRuns; i++) await program.run(feed);
    const times = new Float64Array(program.steps.length);
    for (let run = 0; run < timedRuns; run++) {
      program.profile(feed).forEach((ms, i) => {
        times[i] = (times[i] as number) + ms / timedRuns;
      });
    }
    console.log(
      `${preset}, ${mode}: ${program.steps.length} kernel calls in ${program.meetings} intervals, arena ${(program.bytes.arena / 2 ** 20).toFixed(0)} MiB, ${device.describe().threads} threads`,
    );
    table("kernel", program.steps, times, ({ kernel, op }) =>
      kernel === "fused" || kernel === "reduce" ? `${kernel} ${shortened(op)}` : kernel,
    );
    // Blocks are alike: their parts are added up over all of them.
    table("module", program.steps, times, ({ scope }) => scope.replace(/^blocks\.\d+/, "blocks.*") || "(none)");
    if (options.trace) {
      await writeFileAtomic(options.trace, new TextEncoder().encode(chromeTrace(program.steps, times)));
      console.log(`\ntrace: ${options.trace} (open it in chrome://tracing or Perfetto)`);
    }
  });
}

const shortened = (op: string): string => (op.length > 50 ? `${op.slice(0, 47)}...` : op);

function table(title: string, steps: readonly ProgramStep[], times: Float64Array, key: (step: ProgramStep) => string): void {
  const rows = new Map<string, Row>();
  steps.forEach((step, i) => {
    const row = rows.get(key(step)) ?? { ms: 0, calls: 0, multiplyAdds: 0, bytes: 0 };
    row.ms += times[i] as number;
    row.calls++;
    row.multiplyAdds += step.multiplyAdds;
    row.bytes += step.bytes;
    rows.set(key(step), row);
  });
  const total = times.reduce((sum, ms) => sum + ms, 0);
  console.log(`\n      ms   share   calls  GFLOP/s    GB/s  ${title}   (total ${total.toFixed(1)} ms)`);
  for (const [name, { ms, calls, multiplyAdds, bytes }] of [...rows].sort((a, b) => b[1].ms - a[1].ms).slice(0, 20)) {
    const rate = multiplyAdds > 0 ? ((2 * multiplyAdds) / ms / 1e6).toFixed(1) : "-";
    const cells = [
      ms.toFixed(2).padStart(8),
      `${((100 * ms) / total).toFixed(1)} %`.padStart(7),
      String(calls).padStart(7),
      rate.padStart(8),
      (bytes / ms / 1e6).toFixed(1).padStart(7),
    ];
    console.log(`${cells.join(" ")}  ${name}`);
  }
}

/** The steps one after the other as complete events of the Chrome trace format, in microseconds. */
function chromeTrace(steps: readonly ProgramStep[], times: Float64Array): string {
  let at = 0;
  const events = steps.map(({ kernel, op, scope, multiplyAdds, bytes }, i) => {
    const dur = 1000 * (times[i] as number);
    const event = { name: op, cat: kernel, ph: "X", pid: 1, tid: 1, ts: at, dur, args: { kernel, scope, multiplyAdds, bytes } };
    at += dur;
    return event;
  });
  return JSON.stringify({ traceEvents: events, displayTimeUnit: "ms" });
}
