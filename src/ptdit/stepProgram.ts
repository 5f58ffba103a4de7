/** The programs of a sampler: a step of one kind, and what all steps share. */
import { input, scope, type Tensor } from "../autograd/tensor.js";
import type { Device } from "../backend/device.js";
import { hoist } from "../program/hoist.js";
import { releaseParameters } from "../program/parameters.js";
import { compile, type Program } from "../program/program.js";
import type { Update } from "../program/updates.js";
import { type Guidance, readings } from "./guidance.js";
import type { Path } from "./paths/index.js";
import type { StepRule } from "./solvers/index.js";

/** A model's prediction for noisy latents under conditions that the caller closed over.
 *  @shape x [R, C, F, H, W], t [R] -> [R, Cout, F, H, W]; R = 2B with guidance: conditional samples first */
export type Predictor = (x: Tensor, t: Tensor) => Tensor;

/** What is given at every step: where it stands on the path, and how much the text guides (see `StepGiven`).
 *  @shape u, uNext, uBefore [1], length, lengthBefore, guidance [] */
const stepInputs = () => ({
  u: input([1]),
  uNext: input([1]),
  uBefore: input([1]),
  length: input([]),
  lengthBefore: input([]),
  guidance: input([]),
});
export type StepInput = keyof ReturnType<typeof stepInputs>;

/** What steps of all kinds go by. */
export interface Sampled<I extends string> {
  readonly predictor: Predictor;
  readonly conditions: Readonly<Record<I, Tensor>>;
  readonly path: Path;
  readonly guided: Guidance;
  /** Kept on the device between steps. @shape [B, C, F, H, W] each */
  readonly latents: Tensor;
  readonly earlier: readonly Tensor[];
}

/** One kind of step, and what is computed once a picture for all of them: the caption's keys and values, for instance. */
export interface Stepper<I extends string> {
  readonly once: Program<I, never>;
  readonly held: readonly Tensor[];
  readonly step: Program<I | StepInput, never>;
}

/** Compiles one kind of step.
 *  @throws DeviceError when it does not fit the device; nothing is kept then */
export function buildStepper<I extends string>(device: Device, sampled: Sampled<I>, rule: StepRule): Stepper<I> {
  const { latents, earlier, conditions } = sampled;
  const own = stepInputs();
  const read = readings(sampled, latents.shape, own.guidance);
  const { guidance: _, ...places } = own;
  const { z, kept } = scope("sampler", () => rule({ z: latents, earlier, ...places, ...read }));
  const changing = [latents, ...earlier];
  const { outputs, held } = hoist([z, ...kept], [...changing, ...Object.values(own)], device.target);
  const updates = changing.map((old, i): Update => [old, outputs[i]]);
  const once = compile(device, { inputs: conditions, updates: held });
  const parameters = held.map(([parameter]) => parameter);
  try {
    return { once, held: parameters, step: compile(device, { inputs: { ...conditions, ...own }, updates }) };
  } catch (error) {
    once.dispose();
    releaseParameters(device, parameters);
    throw error;
  }
}

/** Gives a stepper's memory back. */
export function disposeStepper(device: Device, { once, step, held }: Stepper<string>): void {
  once.dispose();
  step.dispose();
  releaseParameters(device, held);
}
