/** Learning-rate schedules: functions of the step (0, 1, …), given to the program as an input. */
import { ConfigError } from "../base/errors.js";

export type Schedule = (step: number) => number;

export interface ScheduleOptions {
  /** Highest rate. */
  readonly lr: number;
  /** Steps of linear rise from 0. */
  readonly warmup: number;
  /** All steps. */
  readonly steps: number;
  /** Part of the steps after which the cosine fall begins: 0 falls at once, 1 never. */
  readonly hold?: number;
  /** The last rate as a part of the highest. */
  readonly floor?: number;
}

/** Linear warm-up, constant until `hold`, then half a cosine down to `floor`·lr.
 *  @units steps from 0; the result is the rate of that step
 *  @throws ConfigError when a part is outside 0..1 */
export function warmupCosine({ lr, warmup, steps, hold = 0, floor = 0 }: ScheduleOptions): Schedule {
  if (!(hold >= 0 && hold <= 1 && floor >= 0 && floor <= 1)) {
    throw new ConfigError(`schedule: hold and floor are parts from 0 to 1, got hold ${hold} and floor ${floor}.`);
  }
  const start = Math.max(warmup, hold * steps);
  return (step) => {
    if (step < warmup) return (lr * (step + 1)) / warmup;
    if (step < start || steps <= start) return lr;
    const part = Math.min(1, (step - start) / (steps - start));
    return lr * (floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * part)));
  };
}

/** Linear warm-up, then constant. */
export const warmupConstant = (lr: number, warmup: number): Schedule =>
  warmupCosine({ lr, warmup, steps: Number.POSITIVE_INFINITY, hold: 1 });
