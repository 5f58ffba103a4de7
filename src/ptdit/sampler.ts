import { concat, slice } from "../autograd/ops/copy.js";
import { add, broadcastTo, mul, sub } from "../autograd/ops/elementwise.js";
import { reshape } from "../autograd/ops/reshape.js";
import { checkTensor, input, parameter, scope, type Tensor } from "../autograd/tensor.js";
import { checkDevice, type Device } from "../backend/device.js";
import { type HostArray, isHostArray, type NestedNumbers, numbersFor } from "../backend/host.js";
import { ConfigError } from "../base/errors.js";
import {
  anything,
  callable,
  checkOptions,
  checkValue,
  finite,
  flag,
  needed,
  object,
  oneOf,
  type Rules,
  seedRule,
  whole,
} from "../base/options.js";
import { normalNumbers } from "../base/random.js";
import { checkShape, type Shape } from "../base/shape.js";
import { Turns } from "../base/turns.js";
import type { RunInputs } from "../program/feed.js";
import { hoist } from "../program/hoist.js";
import { readParameter, releaseParameters, writeParameter } from "../program/parameters.js";
import { compile, type Program } from "../program/program.js";
import { type FlowConfig, flowConfig, predicted, sampleTimes } from "./flow.js";
import { paths } from "./paths/index.js";

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

/** Steps of a sampler, as they go: for progress and for strips of the denoising. `latents` may be asked for until the step's promise
 *  is kept. The sampler waits for it, so it must not await another call of the same sampler or generator, which waits in turn. */
export type OnStep = (step: number, steps: number, latents: () => Promise<HostArray>) => void | Promise<void>;

/** How to draw samples. */
export interface SampleRun {
  readonly steps: number;
  /** 1, the default: no guidance. */
  readonly guidance?: number;
  /** Seed of the first noise, 0 by default. */
  readonly seed?: number;
  /** The first noise itself, in place of a seed. @shape [B, C, F, H, W] */
  readonly noise?: NestedNumbers;
  readonly onStep?: OnStep;
}

const samplerRules: Rules<SamplerOptions> = {
  shape: needed(anything),
  flow: needed(object),
  method: oneOf("euler", "heun"),
  guided: needed(flag),
};
const runRules: Rules<SampleRun> = {
  steps: needed(whole(1)),
  guidance: finite,
  seed: seedRule,
  noise: anything,
  onStep: callable,
};

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
  private readonly flow: FlowConfig;
  private readonly euler: Stepper<I>;
  private readonly heun: Stepper<I> | undefined;
  private readonly turns = new Turns("sampler", "Make a new one.");

  /** @throws ConfigError when an option is unknown or against its rule
   *  @throws DeviceError when it does not fit the device */
  constructor(
    private readonly device: Device,
    predictor: Predictor,
    /** Inputs of the predictor's conditions, by name. */
    conditions: Readonly<Record<I, Tensor>>,
    private readonly options: SamplerOptions,
  ) {
    checkDevice("sampler", device);
    checkValue("sampler", "the predictor", predictor, callable);
    checkValue("sampler", "conditions", conditions, object);
    for (const [name, x] of Object.entries(conditions)) checkTensor("sampler", `condition "${name}"`, x);
    checkOptions("sampler", options, samplerRules);
    const { shape, method = "euler" } = options;
    checkShape(shape, "sampler");
    this.flow = flowConfig(options.flow);
    this.latents = parameter(shape);
    this.euler = this.build(predictor, conditions, false);
    try {
      this.heun = method === "heun" ? this.build(predictor, conditions, true) : undefined;
    } catch (error) {
      this.dispose();
      throw error;
    }
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
    const once = compile(this.device, { inputs: conditions, updates: held });
    const kept = held.map(([parameter]) => parameter);
    try {
      const updates = [[z, outputs[0]]] as const;
      return { once, held: kept, step: compile(this.device, { inputs: { ...conditions, ...own }, updates }) };
    } catch (error) {
      once.dispose();
      releaseParameters(this.device, kept);
      throw error;
    }
  }

  private velocity(predictor: Predictor, z: Tensor, u: Tensor, guidance: Tensor): Tensor {
    const { flow } = this;
    const { shape, guided } = this.options;
    const [batch, channels] = shape as [number, number];
    const rows = guided ? 2 * batch : batch;
    const t = broadcastTo(mul(u, 1000), [rows]);
    const out = predicted(predictor(guided ? concat([z, z], 0) : z, t), channels); // [R, C, F, H, W]
    const times = broadcastTo(u, [batch]);
    const path = paths[flow.prediction];
    if (!guided) return path.velocity(z, out, times);
    const [cond, uncond] = [slice(out, 0, 0, batch), slice(out, 0, batch, rows)];
    return path.velocity(z, add(uncond, mul(sub(cond, uncond), reshape(guidance, []))), times);
  }

  /** Computes what all steps with these conditions share.
   *  @shape conditions as declared */
  async prepare(conditions: Conditions<I>): Promise<void> {
    const own = copied(conditions);
    return this.turns.take(() => this.precompute(own));
  }

  private async precompute(conditions: Conditions<I>): Promise<void> {
    for (const { once } of this.steppers()) await once.run(conditions);
  }

  /**
   * Draws samples. Calls that come while another is under way wait for their turn, with the numbers they were given when they came.
   * @shape conditions as declared -> latents [B, C, F, H, W]
   * @throws ConfigError when an option is unknown or against its rule
   * @throws ShapeError when the noise or a condition does not fit
   * @throws DeviceError when the sampler is disposed of
   */
  async sample(conditions: Conditions<I>, run: SampleRun): Promise<HostArray> {
    this.turns.check();
    const noise = this.firstNoise(run);
    const [own, how] = [copied(conditions), { ...run }];
    return this.turns.take(() => this.integrate(own, noise, how));
  }

  /** The noise that a run begins with. */
  private firstNoise(run: SampleRun): ArrayLike<number> {
    checkOptions("sample", run, runRules);
    const { guidance = 1, seed = 0, noise } = run;
    if (guidance !== 1 && !this.options.guided)
      throw new ConfigError(`sample: this sampler has no guidance, got guidance ${guidance}. Make one with guided: true.`);
    if (noise === undefined) return normalNumbers(this.latents.size, seed, 0);
    if (run.seed !== undefined) throw new ConfigError("sample: got both a seed and noise. Give one of them.");
    const own = numbersFor("sample: noise", noise, this.latents.shape).slice();
    if (!own.every(Number.isFinite)) throw new ConfigError("sample: noise must be finite numbers.");
    return own;
  }

  private async integrate(conditions: Conditions<I>, noise: ArrayLike<number>, run: SampleRun): Promise<HostArray> {
    const { device, flow, latents } = this;
    const { steps, guidance = 1, onStep } = run;
    const path = paths[flow.prediction];
    const times = sampleTimes(steps, flow.ratio).map((u) => Math.min(u, path.start));
    // What a model draws at random depends on the seed of its leaves and the step, not on what was sampled before.
    for (const { once, step } of this.steppers()) [once.runs, step.runs] = [0, 0];
    writeParameter(device, latents, noise);
    await this.precompute(conditions);
    for (let step = 0; step < steps; step++) {
      const [u, uNext] = [times[step], times[step + 1]];
      // At u = 0 there is no noise left to predict, so the last step is Euler's.
      const { step: program } = this.heun && uNext > 0 ? this.heun : this.euler;
      const own = { u, uNext, delta: path.length(u, uNext), guidance };
      await program.run({ ...conditions, ...own });
      if (onStep) await this.tell(onStep, step + 1, steps);
    }
    return readParameter(device, latents);
  }

  /** Tells of a step. What it left is there until the next. */
  private async tell(onStep: OnStep, step: number, steps: number): Promise<void> {
    let over = false;
    const latents = async () => {
      if (over)
        throw new ConfigError(`sample: the latents of step ${step} are gone. Read them before onStep's promise is kept.`);
      return readParameter(this.device, this.latents);
    };
    try {
      await onStep(step, steps, latents);
    } finally {
      over = true;
    }
  }

  /** Gives all memory back, as soon as the call under way is done; those that wait are refused. Again it does nothing. */
  dispose(): void {
    this.turns.dispose(() => {
      for (const { once, step, held } of this.steppers()) {
        once.dispose();
        step.dispose();
        releaseParameters(this.device, held);
      }
      releaseParameters(this.device, [this.latents]);
    });
  }

  private steppers(): readonly Stepper<I>[] {
    return this.heun ? [this.euler, this.heun] : [this.euler];
  }
}

/** Numbers of a predictor's conditions, by name. */
type Conditions<I extends string> = RunInputs<I>;

/** Conditions as they are now: whoever waits for a turn may change theirs meanwhile. */
function copied<I extends string>(conditions: Conditions<I>): Conditions<I> {
  checkValue("sample", "conditions", conditions, object);
  return Object.fromEntries(Object.entries(conditions).map(([name, own]) => [name, copyOf(own)])) as Conditions<I>;
}

function copyOf(numbers: unknown): unknown {
  if (isHostArray(numbers)) return numbers.slice();
  return Array.isArray(numbers) ? numbers.map(copyOf) : numbers;
}
