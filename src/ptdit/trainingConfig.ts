import { ConfigError } from "../base/errors.js";
import {
  checkOptions,
  flag,
  needed,
  notNegative,
  oneOf,
  part,
  partBelowOne,
  positive,
  positiveOrInfinite,
  type Rule,
  type Rules,
  seedRule,
  whole,
} from "../base/options.js";

/** A horizon as names in a state have it. */
export const thousandths = (horizon: number): number => Math.round(1000 * horizon);

/** How a model is trained. */
export interface TrainingConfig {
  readonly batch: number;
  /** AdamW for all, or Muon for the matrices of the blocks, with so many iterations of its orthogonalisation. */
  readonly optimizer: "adamW" | "muon";
  readonly muonIterations: number;
  /** Highest learning rate, its warm-up, the part of the steps it holds, and the part of it that is left at the end. */
  readonly lr: number;
  readonly warmup: number;
  readonly hold: number;
  readonly floor: number;
  readonly beta1: number;
  readonly beta2: number;
  /** How much the matrices of the blocks shrink in a step, times its rate. Without it long trainings by Muon end in matrices so large that
   *  hidden units and attention saturate. */
  readonly weightDecay: number;
  /** Largest global norm of the gradient. */
  readonly clip: number;
  /** Size of error above which the loss grows by the size, not by the square (see `flowLosses`); 0: it is the square of all. */
  readonly huber: number;
  /** Part of the captions that are left out, for classifier-free guidance. */
  readonly captionDropout: number;
  /** Whether pictures are mirrored half of the times, and most pixels by which they are moved (see `augment`). */
  readonly mirror: boolean;
  readonly shift: number;
  /** Whether the times of a batch are spread over their whole distribution, one a part of it, instead of drawn each by itself. */
  readonly stratified: boolean;
  readonly emaDecay: number;
  /** More averages of the weights, each as wide as this part of the steps so far: which is best is seen when all is done. */
  readonly horizons: readonly number[];
  /** Parts of a batch computed one after the other: less memory, the same step. */
  readonly accumulate: number;
  /** Compute blocks again in the backward pass instead of keeping what they computed: less memory, more time, the same step. */
  readonly checkpointing: boolean;
  readonly seed: number;
}

/** What holds for what a recipe leaves open, and for runs of versions that did not have it. */
export const defaultTraining: TrainingConfig = {
  batch: 16,
  optimizer: "adamW",
  muonIterations: 3,
  lr: 1e-3,
  warmup: 100,
  hold: 0.6,
  floor: 0.05,
  beta1: 0.9,
  beta2: 0.99,
  weightDecay: 0,
  clip: 1,
  huber: 0,
  captionDropout: 0.1,
  mirror: false,
  shift: 0,
  stratified: false,
  emaDecay: 0.999,
  horizons: [],
  accumulate: 1,
  checkpointing: false,
  seed: 0,
};

/** Of `huber`, whose square divides in float32. */
export const huberRule: Rule = {
  text: "0, or a number from 1e-6 to 1e6",
  holds: (size) => size === 0 || (typeof size === "number" && size >= 1e-6 && size <= 1e6),
};

const trainingRules: Rules<TrainingConfig> = {
  batch: needed(whole(1)),
  optimizer: needed(oneOf("adamW", "muon")),
  muonIterations: needed(whole(1, 5)),
  lr: needed(positive),
  warmup: needed(whole(0)),
  hold: needed(part),
  floor: needed(part),
  beta1: needed(partBelowOne),
  beta2: needed(partBelowOne),
  weightDecay: needed(notNegative),
  clip: needed(positiveOrInfinite),
  huber: needed(huberRule),
  captionDropout: needed(partBelowOne),
  mirror: needed(flag),
  shift: needed(whole(0)),
  stratified: needed(flag),
  emaDecay: needed(part),
  horizons: needed({
    text: "a list of parts above 0 and at most 0.25, none twice to the thousandth",
    holds: (value) =>
      Array.isArray(value) &&
      value.every((own) => own > 0 && own <= 0.25) &&
      new Set(value.map(thousandths)).size === value.length,
  }),
  accumulate: needed(whole(1)),
  checkpointing: needed(flag),
  seed: needed(seedRule),
};

/** @throws ConfigError when a setting is unknown, missing or against its rule, or the batch is not a whole number of its parts */
export function checkTraining(training: TrainingConfig): void {
  checkOptions("train", training, trainingRules);
  const { batch, accumulate } = training;
  if (batch % accumulate !== 0) {
    throw new ConfigError(`train: batch ${batch} is not a whole number of ${accumulate} parts. Choose a divisor of ${batch}.`);
  }
}
