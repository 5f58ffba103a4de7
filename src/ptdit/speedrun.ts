/** A race against the clock on a fixed task: how much training until samples are right and clean. */
import { ConfigError } from "../base/errors.js";
import { handledLater } from "../base/handledLater.js";
import { callable, checkOptions, checkValue, finite, needed, object, part, type Rules, whole } from "../base/options.js";
import { nextTurn } from "../base/turn.js";
import { sideOf } from "../data/dataset.js";
import { Generator } from "./generate.js";
import { type Judgement, judge } from "./judge.js";
import type { StepReport } from "./stepReport.js";
import { Trainer } from "./trainer.js";
import { weightsHash } from "./weightsHash.js";

/** How a recipe runs: rates fall towards the end of their course, so what is reached at a step depends on its length. */
export interface SpeedrunCourse {
  /** Steps that the learning rate's course is laid out for. */
  readonly steps: number;
  /** The first step that may be good enough: an evaluation takes as long as dozens of steps. */
  readonly from: number;
}

/** What samples must come to. */
export interface SpeedrunGoal {
  /** Part of the samples whose nearest training picture is the right one. */
  readonly top1: number;
  /** @units dB */
  readonly psnr: number;
}

export const speedrunGoal: SpeedrunGoal = { top1: 0.95, psnr: 20 };
/** Steps between evaluations: they come at multiples of it. */
export const speedrunEvery = 25;

export interface SpeedrunOptions extends SpeedrunCourse {
  /** Steps after which it ends, the goal reached or not: those of the course if not given. */
  readonly mostSteps?: number;
  /** Steps between evaluations: `speedrunEvery` if not given. */
  readonly every?: number;
  /** `speedrunGoal` if not given. */
  readonly goal?: SpeedrunGoal;
  /** A clock. @units ms */
  readonly now?: () => number;
}

const rules: Rules<SpeedrunOptions> = {
  steps: needed(whole(1)),
  from: needed(whole(1)),
  mostSteps: whole(1),
  every: whole(1),
  goal: object,
  now: callable,
};
const goalRules: Rules<SpeedrunGoal> = { top1: needed(part), psnr: needed(finite) };

/** What a run came to. */
export interface SpeedrunResult {
  readonly steps: number;
  /** Of the steps' programs, exactly; drawing the samples is not training. */
  readonly multiplyAdds: number;
  /** The steps took; neither what compiles their program nor evaluations. */
  readonly seconds: number;
  readonly top1: number;
  /** @units dB; null: no sample is finite */
  readonly psnr: number | null;
  /** Of the averaged weights: see `weightsHash`. */
  readonly hash: string;
  readonly reached: boolean;
}

/** What a speedrun says. */
export type SpeedrunEvent =
  | { readonly type: "step"; readonly report: StepReport }
  | { readonly type: "judged"; readonly step: number; readonly judgement: Judgement }
  | { readonly type: "ended"; readonly result: SpeedrunResult };

/**
 * Trains until the averaged weights draw all captions of the data set well enough: with the trainer's sampling, from seed 0.
 * The trainer stays the caller's, to be disposed of.
 * @throws ConfigError when an option is unknown or against its rule, or the trainer has taken steps
 * @throws NonFiniteError when a step makes a number that is not finite
 */
export function speedrun(trainer: Trainer, options: SpeedrunOptions): AsyncGenerator<SpeedrunEvent, void, undefined> {
  checkValue("speedrun", "the trainer", trainer, { text: "a Trainer", holds: (value) => value instanceof Trainer });
  checkOptions("speedrun", options, rules);
  if (options.goal) checkOptions("speedrun: the goal", options.goal, goalRules);
  if (trainer.step > 0)
    throw new ConfigError(`speedrun: the trainer has taken ${trainer.step} steps. Make a new one: all of them count.`);
  return events(trainer, options);
}

async function* events(trainer: Trainer, options: SpeedrunOptions): AsyncGenerator<SpeedrunEvent, void, undefined> {
  const { steps, from, mostSteps = steps, every = speedrunEvery, goal = speedrunGoal } = options;
  const { now = () => performance.now() } = options;
  const { device, average, data, stepProgram } = trainer;
  const { flow, sampling } = trainer.options;
  const { runsInFlight } = device.target;
  const generator = new Generator(device, average, flow, sideOf(data), sampling);
  const isJudged = (step: number) => step === mostSteps || (step >= from && step % every === 0);
  const flight: Promise<StepReport>[] = [];
  // Steps taken, those in flight included, and since when some are.
  let [taken, since, ms] = [0, 0, 0];
  trainer.plan(steps);
  try {
    for (;;) {
      if (flight.length === 0) since = now();
      for (; flight.length === 0 || (flight.length < runsInFlight && !isJudged(taken)); taken++)
        flight.push(handledLater(trainer.next()));
      const report = await flight[0];
      flight.shift();
      if (flight.length === 0) ms += now() - since;
      yield { type: "step", report };
      const { step } = report;
      if (isJudged(step)) {
        const judgement = await judge(generator, average, data, { seed: 0 });
        yield { type: "judged", step, judgement };
        const { top1, psnr } = judgement;
        const reached = top1 >= goal.top1 && psnr !== null && psnr >= goal.psnr;
        if (reached || step === mostSteps) {
          const multiplyAdds = step * stepProgram.multiplyAdds;
          const hash = await weightsHash(device, average);
          const result = { steps: step, multiplyAdds, seconds: ms / 1000, top1, psnr, hash, reached };
          yield { type: "ended", result };
          return;
        }
      }
      await nextTurn();
    }
  } finally {
    await Promise.allSettled(flight);
    generator.dispose();
  }
}
