import type { Tensor } from "../../autograd/tensor.js";

/** What a model says of noisy latents at u. @shape z [B, C, F, H, W], u [1] -> [B, C, F, H, W] */
export type Reading = (z: Tensor, u: Tensor) => Tensor;

/** What a step is recorded from. */
export interface StepGiven {
  /** The latents. @shape [B, C, F, H, W] */
  readonly z: Tensor;
  /** The part of noise before and after the step, and before the last one. @shape [1] each */
  readonly u: Tensor;
  readonly uNext: Tensor;
  readonly uBefore: Tensor;
  /** How far the path's own parameter goes in this step, and went in the last one. @shape [] each */
  readonly length: Tensor;
  readonly lengthBefore: Tensor;
  /** The derivative of the path, and the data that the latents stand for. Each call asks the model. */
  readonly velocity: Reading;
  readonly data: Reading;
  /** What the last steps kept, as the solver arranged it; without meaning in the first step. @shape [B, C, F, H, W] each */
  readonly earlier: readonly Tensor[];
}

/** What a step makes. */
export interface StepTaken {
  /** The latents at uNext. @shape [B, C, F, H, W] */
  readonly z: Tensor;
  /** What later steps will need: as many as the solver's memory. @shape [B, C, F, H, W] each */
  readonly kept: readonly Tensor[];
}

/** Records one kind of step. */
export type StepRule = (given: StepGiven) => StepTaken;

/** A method of going from noise to data in steps. */
export interface Solver {
  readonly about: string;
  /** The error falls with this power of the steps' length. */
  readonly order: number;
  /** Tensors that it keeps from step to step, each as large as the latents. */
  readonly memory: number;
  /** The kinds of steps it takes: each becomes a program of its own. */
  readonly rules: readonly StepRule[];
  /** The kind of one step of a sample. */
  ruleOf(step: number, steps: number): StepRule;
}
