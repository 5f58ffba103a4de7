/** Where the steps of a sample begin, and which of them are guided. */
import { type FlowConfig, sampleTimes } from "./flow.js";
import { paths } from "./paths/index.js";
import type { SamplingConfig } from "./sampling.js";

/** The noise at which each step begins, and that at which the last one ends: from where the path starts, down to 0.
 *  @units u, the part of noise
 *  @shape -> [steps + 1] */
export function stepTimes(steps: number, { prediction, sampleRatio }: FlowConfig): number[] {
  return sampleTimes(steps, sampleRatio).map((u) => Math.min(u, paths[prediction].start));
}

/** Which steps are guided: those that begin within the interval.
 *  @shape -> [steps] */
export function guidedSteps(how: Pick<SamplingConfig, "steps" | "guidance" | "guidanceInterval">, flow: FlowConfig): boolean[] {
  const { steps, guidance, guidanceInterval } = how;
  const [least, most] = guidanceInterval;
  return stepTimes(steps, flow)
    .slice(0, steps)
    .map((u) => guidance !== 1 && least <= u && u <= most);
}

/** Part of the steps in which CFG-Zero* stands still. */
const stillPart = 0.04;

/** Steps that CFG-Zero* stands still in, before the solver's first: none where the first is not guided.
 *  @param guided which steps are */
export const stillSteps = (guided: readonly boolean[]): number => (guided[0] ? Math.floor(stillPart * guided.length) : 0);
