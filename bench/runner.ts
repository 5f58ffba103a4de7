import type { Device } from "../src/backend/device.js";
import { compile, type Program, type ProgramStep } from "../src/program/program.js";
import type { Update } from "../src/program/updates.js";
import type { Prepared } from "./protocol.js";

/** A prepared case. */
export interface Runner {
  readonly cost: Omit<Prepared, "prepared">;
  /** One run; short ones are repeated, and the time is that of one.
   *  @units ms */
  run(): number | Promise<number>;
  dispose(): void;
}

/** Runs shorter than this are repeated: a clock of microseconds could not tell.
 *  @units ms */
const shortestMs = 0.2;

/** Values that a program keeps on the device, so that running it moves nothing to the host. */
export function programRunner(device: Device, updates: readonly Update[]) {
  const program: Program = compile(device, { updates });
  let repeats = 1;
  const sum = (of: (step: ProgramStep) => number) => program.steps.reduce((total, step) => total + of(step), 0);
  return {
    cost: {
      gflop: (2 * sum((s) => s.multiplyAdds)) / 1e9,
      bytes: sum((s) => s.bytes),
      elements: updates[0]?.[1].size ?? 0,
      exponentials: sum((s) => (s.kernel.startsWith("attention") ? s.elementOps : 0)),
    },
    run: (): number => {
      const from = performance.now();
      for (let i = 0; i < repeats; i++) program.repeat();
      const ms = (performance.now() - from) / repeats;
      if (ms * repeats < shortestMs) repeats *= 2;
      return ms;
    },
    repeat: () => program.repeat(),
    dispose: () => program.dispose(),
  } satisfies Runner & { repeat(): void };
}

/** As `programRunner`, on any device: where it computes beside the host, each run is waited for, as those of other engines are. */
export function awaitedRunner(device: Device, updates: readonly Update[]): Runner {
  const runner = programRunner(device, updates);
  if (!device.settled) return runner;
  return {
    cost: runner.cost,
    run: async () => {
      const from = performance.now();
      runner.repeat();
      await device.settled?.();
      return performance.now() - from;
    },
    dispose: runner.dispose,
  };
}
