import { hoist } from "../autograd/hoist.js";
import { concat, slice } from "../autograd/ops/copy.js";
import { add, broadcastTo, mul, sub } from "../autograd/ops/elementwise.js";
import { reshape } from "../autograd/ops/reshape.js";
import { readParameter, releaseParameters, writeParameter } from "../autograd/parameters.js";
import { compile, type Program } from "../autograd/program.js";
import { input, parameter, scope, type Tensor } from "../autograd/tensor.js";
import type { Device } from "../backend/device.js";
import type { HostArray } from "../backend/host.js";
import { normalNumbers } from "../base/random.js";
import type { Shape } from "../base/shape.js";
import { type FlowConfig, pathStep, pathVelocity, predicted, sampleTimes } from "./flow.js";

/** A model's prediction for noisy latents under conditions that the caller closed over.
 *  @shape x [R, C, F, H, W], t [R] -> [R, Cout, F, H, W]; R = 2B with guidance: conditional samples first */
export type Predictor = (x: Tensor, t: Tensor) => Tensor;

export interface SamplerOptions {
  /** @shape latents [B, C, F, H, W] */
  readonly shape: Shape;
  readonly flow: FlowConfig;
  /** `euler`, or `heun`: second order, two predictions a step. */
  readonly method?: "euler" | "heun";
  /** Whether a second, unconditional half of the batch guides the first. */
  readonly guided: boolean;
}

/** Steps of a sampler, as they go: for progress and for strips of the denoising. */
export type OnStep = (step: number, steps: number, latents: () => Promise<HostArray>) => void | Promise<void>;

/** The inputs of a step: both times, how far the path goes between them, and how much the text guides.
 *  @shape u, uNext [1], delta, guidance [] */
const stepInputs = () => ({ u: input([1]), uNext: input([1]), delta: input([]), guidance: input([]) });
type StepInput = keyof ReturnType<typeof stepInputs>;

/** One kind of step, and what is computed once a picture for all of them: the caption's keys and values, for instance. */
interface Stepper<I extends string> {
  readonly once: Program<I, never>;
  readonly held: readonly Tensor[];
  readonly step: Program<I | StepInput, never>;
}

/**
 * Integrates the flow from noise to data. The latents stay on the device; each step is one run of one program. With
 * guidance, both halves are one batch: v = uncond + g (cond - uncond).
 * @source step 15 of the architecture; Ho and Salimans, arXiv 2207.12598; Karras et al., arXiv 2206.00364 (Heun)
 */
export class Sampler<I extends string = string> {
  private readonly latents: Tensor;
  private readonly euler: Stepper<I>;
  private readonly heun: Stepper<I> | undefined;

  constructor(
    private readonly device: Device,
    predictor: Predictor,
    /** Inputs of the predictor's conditions, by name. */
    conditions: Readonly<Record<I, Tensor>>,
    private readonly options: SamplerOptions,
  ) {
    const { shape, method = "euler" } = options;
    this.latents = parameter(shape);
    this.euler = this.build(predictor, conditions, false);
    this.heun = method === "heun" ? this.build(predictor, conditions, true) : undefined;
  }

  /** The program of one Euler step, for those who count or time it. */
  get stepProgram(): Program<I | StepInput, never> {
    return this.euler.step;
  }

  private build(predictor: Predictor, conditions: Readonly<Record<I, Tensor>>, corrected: boolean): Stepper<I> {
    const own = stepInputs();
    const z = this.latents;
    const whole = scope("sampler", () => {
      const v = this.velocity(predictor, z, own.u, own.guidance);
      const euler = add(z, mul(v, own.delta));
      if (!corrected) return euler;
      const slope = add(v, this.velocity(predictor, euler, own.uNext, own.guidance));
      return add(z, mul(slope, mul(own.delta, 0.5)));
    });
    const { outputs, held } = hoist([whole], [z, ...Object.values(own)], this.device.target);
    return {
      once: compile(this.device, { inputs: conditions, updates: held }),
      held: held.map(([parameter]) => parameter),
      step: compile(this.device, { inputs: { ...conditions, ...own }, updates: [[z, outputs[0] as Tensor]] }),
    };
  }

  private velocity(predictor: Predictor, z: Tensor, u: Tensor, guidance: Tensor): Tensor {
    const { shape, guided, flow } = this.options;
    const [batch, channels] = shape as [number, number];
    const rows = guided ? 2 * batch : batch;
    const t = broadcastTo(mul(u, 1000), [rows]);
    const out = predicted(predictor(guided ? concat([z, z], 0) : z, t), channels); // [R, C, F, H, W]
    const times = broadcastTo(u, [batch]);
    if (!guided) return pathVelocity(z, out, times, flow.prediction);
    const [cond, uncond] = [slice(out, 0, 0, batch), slice(out, 0, batch, rows)];
    return pathVelocity(z, add(uncond, mul(sub(cond, uncond), reshape(guidance, []))), times, flow.prediction);
  }

  /** Computes what all steps with these conditions share.
   *  @shape conditions as declared */
  async prepare(conditions: Readonly<Record<I, ArrayLike<number>>>): Promise<void> {
    for (const { once } of this.steppers()) await once.run(conditions as Record<I, ArrayLike<number> | number>);
  }

  /**
   * Draws samples.
   * @shape conditions as declared -> latents [B, C, F, H, W]
   * @throws ConfigError when steps is not a positive whole number
   */
  async sample(
    conditions: Readonly<Record<I, ArrayLike<number>>>,
    run: {
      readonly steps: number;
      readonly guidance?: number;
      readonly seed?: number;
      readonly noise?: ArrayLike<number>;
      readonly onStep?: OnStep;
    },
  ): Promise<HostArray> {
    const { flow } = this.options;
    // An epsilon model says nothing about the data at u = 1: begin just below.
    const times = sampleTimes(run.steps, flow.ratio).map((u) => (flow.prediction === "epsilon" ? Math.min(u, 0.999) : u));
    writeParameter(this.device, this.latents, run.noise ?? normalNumbers(this.latents.size, run.seed ?? 0, 0));
    await this.prepare(conditions);
    for (let step = 0; step < run.steps; step++) {
      const [u, uNext] = [times[step] as number, times[step + 1] as number];
      // At u = 0 there is no noise left to predict, so the last step is Euler's.
      const { step: program } = this.heun && uNext > 0 ? this.heun : this.euler;
      const own = { u, uNext, delta: pathStep(u, uNext, flow.prediction), guidance: run.guidance ?? 1 };
      await program.run({ ...conditions, ...own } as Record<I | StepInput, ArrayLike<number> | number>);
      await run.onStep?.(step + 1, run.steps, () => readParameter(this.device, this.latents));
    }
    return readParameter(this.device, this.latents);
  }

  dispose(): void {
    for (const { once, step, held } of this.steppers()) {
      once.dispose();
      step.dispose();
      releaseParameters(this.device, held);
    }
    releaseParameters(this.device, [this.latents]);
  }

  private steppers(): readonly Stepper<I>[] {
    return this.heun ? [this.euler, this.heun] : [this.euler];
  }
}
