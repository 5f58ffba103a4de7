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
    dispose: () => program.dispose(),
  } satisfies Runner;
}
