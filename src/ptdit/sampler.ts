import { named } from "../autograd/names.js";
import { checkTensor, parameter, type Tensor } from "../autograd/tensor.js";
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
import { readParameter, releaseParameters, writeParameter } from "../program/parameters.js";
import type { Program } from "../program/program.js";
import { type FlowConfig, flowConfig } from "./flow.js";
import type { Guidance } from "./guidance.js";
import { paths } from "./paths/index.js";
import { intervalRule } from "./sampling.js";
import { type Solver, type SolverName, type StepRule, solverNames, solvers } from "./solvers/index.js";
import { buildStepper, disposeStepper, type Predictor, type Sampled, type StepInput, type Stepper } from "./stepProgram.js";
import { guidedSteps, stepTimes, stillSteps } from "./stepTimes.js";

export interface SamplerOptions {
  /** @shape latents [B, C, F, H, W] */
  readonly shape: Shape;
  readonly flow: FlowConfig;
  /** How it goes from noise to data: `euler` if not given (see `solvers`). */
  readonly method?: SolverName;
  /** Whether a second, unconditional half of the batch guides the first. */
  readonly guided: boolean;
  /** What predicts without that half, for steps that are not guided: they cost half as much then. */
  readonly unguided?: Predictor;
  /** Whether guided steps go by CFG-Zero* (see `SamplingConfig`). */
  readonly cfgZero?: boolean;
}

/** Steps of a sampler, as they go: for progress and for strips of the denoising. `latents` may be asked for until the step's promise
 *  is kept. The sampler waits for it, so it must not await another call of the same sampler or generator, which waits in turn. */
export type OnStep = (step: number, steps: number, latents: () => Promise<HostArray>) => void | Promise<void>;

/** How to draw samples. */
export interface SampleRun {
  readonly steps: number;
  /** 1, the default: no guidance. */
  readonly guidance?: number;
  /** The parts of noise u, from least to most, at which there is guidance; all by default. */
  readonly guidanceInterval?: readonly [least: number, most: number];
  /** Seed of the first noise, 0 by default. */
  readonly seed?: number;
  /** The first noise itself, in place of a seed. @shape [B, C, F, H, W] */
  readonly noise?: NestedNumbers;
  readonly onStep?: OnStep;
}

const samplerRules: Rules<SamplerOptions> = {
  shape: needed(anything),
  flow: needed(object),
  method: oneOf(...solverNames),
  guided: needed(flag),
  unguided: callable,
  cfgZero: flag,
};
const runRules: Rules<SampleRun> = {
  steps: needed(whole(1)),
  guidance: finite,
  guidanceInterval: intervalRule,
  seed: seedRule,
  noise: anything,
  onStep: callable,
};

/**
 * Integrates the flow from noise to data. The latents stay on the device; each step is one run of one program. With
 * guidance, both halves are one batch: v = uncond + g (cond - uncond).
 * @source step 15 of the architecture; Ho and Salimans, arXiv 2207.12598
 */
export class Sampler<I extends string = string> {
  private readonly latents: Tensor;
  /** What the solver keeps from step to step. */
  private readonly earlier: readonly Tensor[];
  private readonly flow: FlowConfig;
  private readonly solver: Solver;
  private readonly steppers = new Map<StepRule, Stepper<I>>();
  /** Those without guidance, made when one is first needed. */
  private readonly plainSteppers = new Map<StepRule, Stepper<I>>();
  private readonly sampled: Sampled<I>;
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
    const { shape, guided, cfgZero = false, method = "euler" } = options;
    checkShape(shape, "sampler");
    this.flow = flowConfig(options.flow);
    this.solver = solvers[method];
    this.latents = named("latents", parameter(shape));
    this.earlier = Array.from({ length: this.solver.memory }, (_, i) => named(`earlier.${i}`, parameter(shape)));
    const { latents, earlier } = this;
    const how: Guidance = guided ? (cfgZero ? "zero" : "difference") : "none";
    this.sampled = { predictor, conditions, path: paths[this.flow.prediction], guided: how, latents, earlier };
    try {
      for (const rule of this.solver.rules) this.steppers.set(rule, buildStepper(device, this.sampled, rule));
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** The program of a step that is neither the first nor the last, for those who count or time it. */
  get stepProgram(): Program<I | StepInput, never> {
    return this.stepper(1, 3).step;
  }

  /** The program of what all such steps with the same conditions share. */
  get preparation(): Program<I, never> {
    return this.stepper(1, 3).once;
  }

  private stepper(step: number, steps: number): Stepper<I> {
    const own = this.steppers.get(this.solver.ruleOf(step, steps));
    if (!own) throw new ConfigError(`sampler: the solver takes a step at ${step} of ${steps} that is not among its rules.`);
    return own;
  }

  /** A step that is not guided. */
  private plainStepper(step: number, steps: number): Stepper<I> {
    const { guided, unguided } = this.options;
    if (!guided || !unguided) return this.stepper(step, steps);
    const rule = this.solver.ruleOf(step, steps);
    const known = this.plainSteppers.get(rule);
    if (known) return known;
    const own = buildStepper(this.device, { ...this.sampled, predictor: unguided, guided: "none" }, rule);
    this.plainSteppers.set(rule, own);
    return own;
  }

  /** Computes what all steps with these conditions share.
   *  @shape conditions as declared */
  async prepare(conditions: Conditions<I>): Promise<void> {
    const own = copied(conditions);
    return this.turns.take(() => this.precompute(own));
  }

  private async precompute(conditions: Conditions<I>): Promise<void> {
    for (const { once } of this.steppers.values()) await once.run(conditions);
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
    const { steps, guidance = 1, guidanceInterval = [0, 1], onStep } = run;
    const path = paths[flow.prediction];
    const times = stepTimes(steps, flow);
    const lengths = times.slice(1).map((u, i) => path.length(times[i], u));
    const guided = guidedSteps({ steps, guidance, guidanceInterval }, flow);
    // Steps that CFG-Zero* stands still in are none to the solver.
    const still = this.sampled.guided === "zero" ? stillSteps(guided) : 0;
    const steppers = lengths.map((_, i) => {
      const step = Math.max(0, i - still);
      return guided[i] ? this.stepper(step, steps - still) : this.plainStepper(step, steps - still);
    });
    writeParameter(device, latents, noise);
    for (const { once } of new Set(steppers)) {
      once.runs = 0;
      await once.run(conditions);
    }
    for (let step = 0; step < steps; step++) {
      const { step: program } = steppers[step];
      // What a model draws at random depends on the seed of its leaves and the step, not on what was sampled before.
      program.runs = step;
      const before = Math.max(0, step - 1);
      const at = { u: times[step], uNext: times[step + 1], uBefore: times[before] };
      const how = { length: lengths[step], lengthBefore: lengths[before], guidance: guided[step] ? guidance : 1 };
      if (step >= still) await program.run({ ...conditions, ...at, ...how });
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
      for (const own of [...this.steppers.values(), ...this.plainSteppers.values()]) disposeStepper(this.device, own);
      releaseParameters(this.device, [this.latents, ...this.earlier]);
    });
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
