/** Optimisers as graph: a step's updates are part of the program that computes the gradients. */
import { grad } from "../autograd/grad.js";
import { named } from "../autograd/names.js";
import { adamWStep } from "../autograd/ops/adamW.js";
import { add, div, equal, expm1, minimum, mul, neg, reciprocal, sqrt, sub, where } from "../autograd/ops/elementwise.js";
import { squaredNorm } from "../autograd/ops/squaredNorm.js";
import { checkTensor, constant, parameter, scope, Tensor, tensorRule } from "../autograd/tensor.js";
import { ConfigError } from "../base/errors.js";
import {
  callable,
  checkOptions,
  checkValue,
  either,
  needed,
  notNegative,
  object,
  part,
  partBelowOne,
  positiveOrInfinite,
  type Rules,
} from "../base/options.js";
import { showShape } from "../base/shape.js";
import type { Update } from "../program/updates.js";
import { checkGradients, checkNamed, namedRule } from "./checks.js";

/** A parameter and the gradient of the loss with respect to it. */
export interface ParameterGradient {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  /** [] : what the gradient is yet to be multiplied by; an optimiser does it while it reads the gradient. */
  readonly factor?: Tensor;
}

/** Parameters and gradients by name. */
export type Gradients = ReadonlyMap<string, ParameterGradient>;

/** Gradients of a loss.
 *  @shape loss [], parameters any shapes -> the same shapes
 *  @throws ConfigError when the parameters are no Map by name */
export function gradientsOf(loss: Tensor, parameters: ReadonlyMap<string, Tensor>): Gradients {
  checkNamed("gradientsOf", parameters);
  const dParameters = grad(loss, [...parameters.values()]);
  return new Map([...parameters].map(([name, own], i) => [name, { parameter: own, gradient: dParameters[i] }]));
}

/** Average of several losses and of their gradients, recorded one after the other so that only one is in memory at a time.
 *  @shape each loss [] -> loss [], gradients as their parameters
 *  @throws ConfigError when there is no loss */
export function accumulatedGradients(
  losses: readonly (() => Tensor)[],
  parameters: ReadonlyMap<string, Tensor>,
): { loss: Tensor; gradients: Gradients } {
  const listed = { text: "a list of functions that make a loss", holds: Array.isArray };
  checkValue("accumulatedGradients", "the losses", losses, listed);
  checkNamed("accumulatedGradients", parameters);
  for (const [i, make] of losses.entries()) checkValue("accumulatedGradients", `loss ${i}`, make, callable);
  if (losses.length === 0) throw new ConfigError("accumulatedGradients: needs at least one loss, got none.");
  const parts = losses.map((make) => {
    const loss = make();
    return { loss, gradients: gradientsOf(loss, parameters) };
  });
  const average = (tensors: Tensor[]) => {
    const sum = tensors.reduce((all, x) => add(all, x));
    return tensors.length === 1 ? sum : mul(sum, 1 / tensors.length);
  };
  const gradients = [...parameters].map(([name, own]) => {
    const gradient = average(parts.map((part) => (part.gradients.get(name) as ParameterGradient).gradient));
    return [name, { parameter: own, gradient }] as const;
  });
  return { loss: average(parts.map(({ loss }) => loss)), gradients: new Map(gradients) };
}

/** √Σ g² over all gradients.
 *  @shape -> [] */
export function globalNorm(gradients: Gradients): Tensor {
  checkGradients("globalNorm", gradients);
  return sqrt(squaredNorm([...gradients.values()].map(({ gradient }) => gradient)));
}

/** Scales all gradients so that their global norm is at most `limit`.
 *  @throws ConfigError when the limit is not a positive number
 *  @source Pascanu, Mikolov and Bengio, arXiv 1211.5063 */
export function clipGradients(gradients: Gradients, norm: Tensor, limit: number): Gradients {
  checkGradients("clipGradients", gradients);
  checkTensor("clipGradients", "norm", norm);
  checkValue("clipGradients", "limit", limit, positiveOrInfinite);
  const factor = minimum(mul(reciprocal(add(norm, 1e-6)), limit), 1); // []
  return new Map(
    [...gradients].map(([name, own]) => [name, { ...own, factor: own.factor ? mul(own.factor, factor) : factor }]),
  );
}

/** What an optimiser adds to a program. */
export interface OptimizerStep {
  /** New numbers of parameters and of the optimiser's own state. */
  readonly updates: readonly Update[];
  /** The optimiser's state by name, to be saved beside the model's. */
  readonly state: ReadonlyMap<string, Tensor>;
}

/**
 * An exponential moving average of the weights, for sampling: e ← e + (1-d)(p - e), d = min(decay, (1+t)/(10+t)), so that the
 * first steps do not dwell on the random start.
 */
export interface WeightAverage {
  /** The average by the parameters' names; those it lacks are not averaged. */
  readonly weights: ReadonlyMap<string, Tensor>;
  readonly decay: number;
}

export interface OptimizerOptions {
  /** Learning rate: a number, or an input [] given at every run. */
  readonly lr: Tensor | number;
  /** [] : where it is 0 nothing is updated (see `allFinite`). */
  readonly guard?: Tensor;
  readonly average?: WeightAverage;
}

export interface AdamWOptions extends OptimizerOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly eps?: number;
  /** Decay of a parameter, by name and value; a number decays all alike. */
  readonly weightDecay?: number | ((name: string, parameter: Tensor) => number);
}

/** The rate of a step: a number, or a tensor of one. */
const rate = either(notNegative, { text: "a tensor []", holds: (value) => value instanceof Tensor && value.size === 1 });
const averageRules: Rules<WeightAverage> = { weights: needed(namedRule), decay: needed(part) };
const optimizerRules: Rules<OptimizerOptions> = { lr: needed(rate), guard: tensorRule, average: object };
const adamWRules: Rules<AdamWOptions> = {
  ...optimizerRules,
  beta1: partBelowOne,
  beta2: partBelowOne,
  eps: notNegative,
  weightDecay: either(notNegative, callable),
};
const sgdRules: Rules<SgdOptions> = { ...optimizerRules, momentum: notNegative, weightDecay: notNegative };

/** 1 if every given number is finite, else 0.
 *  @shape [] each -> []
 *  @throws ConfigError when there is none */
export function allFinite(...numbers: Tensor[]): Tensor {
  if (numbers.length === 0) throw new ConfigError("allFinite: needs at least one number, got none.");
  return numbers.map((x) => equal(sub(x, x), 0)).reduce((all, finite) => mul(all, finite));
}

/**
 * AdamW: decoupled weight decay, bias-corrected moments.
 *   m ← β₁m + (1-β₁)g,  v ← β₂v + (1-β₂)g²,  p ← p(1 - lr·wd) - lr · m/(1-β₁ᵗ) / (√(v/(1-β₂ᵗ)) + eps)
 * @source Loshchilov and Hutter, arXiv 1711.05101; PyTorch's order of operations
 * @throws ConfigError when an option is unknown or against its rule, e.g. a beta outside [0, 1)
 */
export function adamW(gradients: Gradients, options: AdamWOptions): OptimizerStep {
  checkGradients("adamW", gradients);
  checkOptions("adamW", options, adamWRules);
  return scope("adamW", () => {
    const { lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0.01, guard = constant(1) } = options;
    const build = new StepBuilder(options);
    const t = build.step;
    const correction1 = neg(expm1(mul(t, Math.log(beta1)))); // [] 1 - beta1^t
    const correction2 = neg(expm1(mul(t, Math.log(beta2)))); // [] 1 - beta2^t
    const stepSize = div(lr, correction1); // []
    const rootCorrection = reciprocal(sqrt(correction2)); // []
    const one = constant(1);
    const parts = [...gradients].map(([name, { parameter: weight, gradient, factor = one }]) => {
      const decay = typeof weightDecay === "number" ? weightDecay : weightDecay(name, weight);
      const [m, v] = [build.state(`${name}.m`, weight.shape), build.state(`${name}.v`, weight.shape)];
      return { weight, gradient, factor, decay, m, v, average: build.average(name) };
    });
    for (const group of alike(parts)) {
      const [{ factor, decay, average }] = group;
      const remainder = typeof lr === "number" ? constant(1 - lr * decay) : sub(1, mul(lr, decay)); // []
      const [weights, m, v] = (["weight", "m", "v"] as const).map((kind) => group.map((part) => part[kind]));
      const lists = { weights, gradients: group.map(({ gradient }) => gradient), m, v };
      const averages = group.flatMap((part) => part.average?.value ?? []);
      const numbers = { factor, stepSize, rootCorrection, remainder, guard };
      const next = adamWStep(
        { ...lists, ...numbers, ...(average && { average: { values: averages, rate: average.rate } }) },
        { beta1, beta2, eps },
      );
      const put = (old: readonly Tensor[], values: readonly Tensor[]) =>
        old.forEach((x, i) => build.updates.push([x, values[i]]));
      put(m, next.m);
      put(v, next.v);
      put(weights, next.weights);
      put(averages, next.averages);
    }
    return build.done();
  });
}

/** A parameter and all that its step takes. */
interface Part {
  readonly weight: Tensor;
  readonly factor: Tensor;
  readonly decay: number;
  readonly average: object | undefined;
}

/**
 * Parts whose steps are one: those with one decay, one factor, and an average or none. In such an order that, side by side, each
 * begins where a vector of its own length may: by the largest power of two that divides their size; those of one shape together, as
 * models join them.
 */
function alike<P extends Part>(parts: readonly P[]): P[][] {
  const groups: P[][] = [];
  const fits = (a: P, b: P) => a.decay === b.decay && a.factor === b.factor && Boolean(a.average) === Boolean(b.average);
  for (const part of parts) {
    const group = groups.find(([first]) => fits(first, part));
    if (group) group.push(part);
    else groups.push([part]);
  }
  const evenness = ({ weight: { size } }: P): number => size & -size;
  for (const group of groups) {
    const shapes = [...new Set(group.map(({ weight }) => showShape(weight.shape)))];
    const rank = new Map(shapes.map((shape, i) => [shape, i]));
    const shapeOf = ({ weight }: P): number => rank.get(showShape(weight.shape)) ?? 0;
    group.sort((a, b) => evenness(b) - evenness(a) || shapeOf(a) - shapeOf(b));
  }
  return groups;
}

export interface SgdOptions extends OptimizerOptions {
  readonly momentum?: number;
  readonly weightDecay?: number;
}

/** Stochastic gradient descent: b ← momentum·b + (g + wd·p), p ← p - lr·b, as PyTorch's.
 *  @throws ConfigError when an option is unknown or against its rule */
export function sgd(gradients: Gradients, options: SgdOptions): OptimizerStep {
  checkGradients("sgd", gradients);
  checkOptions("sgd", options, sgdRules);
  return scope("sgd", () => {
    const { lr, momentum = 0, weightDecay = 0 } = options;
    const build = new StepBuilder(options);
    for (const [name, { parameter: p, gradient, factor }] of gradients) {
      const scaled = factor ? mul(gradient, factor) : gradient;
      const g = weightDecay === 0 ? scaled : add(scaled, mul(p, weightDecay));
      let direction = g;
      if (momentum !== 0) {
        const b = build.state(`${name}.momentum`, p.shape);
        direction = build.update(b, add(mul(b, momentum), g));
      }
      const weight = build.update(p, sub(p, mul(direction, lr)));
      const average = build.average(name);
      if (average) build.update(average.value, add(average.value, mul(sub(weight, average.value), average.rate)));
    }
    return build.done();
  });
}

/** Collects a step's state and updates. */
class StepBuilder {
  readonly updates: Update[] = [];
  /** [] Steps taken, this one included. */
  readonly step: Tensor;
  private readonly own = new Map<string, Tensor>();
  private readonly count: Tensor;
  private readonly rate: Tensor | undefined;

  constructor(private readonly options: OptimizerOptions) {
    this.count = this.state("step", []);
    this.step = add(this.count, 1);
    const { average } = options;
    if (average) checkOptions("average", average, averageRules);
    if (average) this.rate = sub(1, minimum(div(add(this.step, 1), add(this.step, 10)), average.decay)); // [] 1 - d
  }

  /** A tensor of the optimiser's own, zero at first. */
  state(name: string, shape: readonly number[]): Tensor {
    const tensor = named(name, parameter(shape));
    this.own.set(name, tensor);
    return tensor;
  }

  /** The average of a parameter and how far it moves. */
  average(name: string): { readonly value: Tensor; readonly rate: Tensor } | undefined {
    const value = this.options.average?.weights.get(name);
    return value && this.rate && { value, rate: this.rate };
  }

  /** Sets a tensor, where the guard allows it. */
  update(old: Tensor, value: Tensor): Tensor {
    const { guard } = this.options;
    const next = guard ? where(guard, value, old) : value;
    this.updates.push([old, next]);
    return next;
  }

  done(): OptimizerStep {
    this.update(this.count, this.step);
    return { updates: this.updates, state: this.own };
  }
}
