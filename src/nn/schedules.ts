/** Learning-rate schedules: functions of the step (0, 1, …), given to the program as an input. */
import { checkOptions, either, needed, notNegative, part, type Rule, type Rules, whole } from "../base/options.js";

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

const amongParts: Rule = { ...part, text: "among the parts from 0 to 1" };
const rules: Rules<ScheduleOptions> = {
  lr: needed(notNegative),
  warmup: needed(whole(0)),
  steps: needed(either(whole(1), { text: "Infinity", holds: (value) => value === Number.POSITIVE_INFINITY })),
  hold: amongParts,
  floor: amongParts,
};

/** Linear warm-up, constant until `hold`, then half a cosine down to `floor`·lr.
 *  @units steps from 0; the result is the rate of that step
 *  @throws ConfigError when an option is unknown or against its rule */
export function warmupCosine(options: ScheduleOptions): Schedule {
  checkOptions("schedule", options, rules);
  const { lr, warmup, steps, hold = 0, floor = 0 } = options;
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
