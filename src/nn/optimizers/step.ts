import { named } from "../../autograd/names.js";
import { concat, slice, split } from "../../autograd/ops/copy.js";
import {
  abs,
  add,
  div,
  expm1,
  greater,
  log,
  minimum,
  mul,
  neg,
  reciprocal,
  sub,
  where,
} from "../../autograd/ops/elementwise.js";
import { reshape } from "../../autograd/ops/reshape.js";
import { constant, parameter, Tensor, tensorRule } from "../../autograd/tensor.js";
import { ConfigError } from "../../base/errors.js";
import {
  callable,
  checkOptions,
  either,
  needed,
  notNegative,
  object,
  part,
  type Rule,
  type Rules,
} from "../../base/options.js";
import type { Update } from "../../program/updates.js";
import { namedRule } from "../checks.js";
import type { Gradients } from "./gradients.js";

/** What an optimiser adds to a program. */
export interface OptimizerStep {
  /** New numbers of parameters and of the optimiser's own state. */
  readonly updates: readonly Update[];
  /** The optimiser's state by name, to be saved beside the model's. */
  readonly state: ReadonlyMap<string, Tensor>;
}

/** A moving average of the weights, for sampling: e ← e + r(p - e), with r by `decay` or by `horizon`. */
export interface WeightAverage {
  /** The average by the parameters' names; those it lacks are not averaged. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Exponential: r = 1 - min(decay, (1+t)/(10+t)), so that the first steps do not dwell on the random start. */
  readonly decay?: number;
  /**
   * A power of time: r = 1 - (1 - 1/t)^(γ+1). Its width is this part of all steps so far, however many they are.
   * @source Karras et al., arXiv 2312.02696, equations 2 and 3
   */
  readonly horizon?: number;
}

/** A momentum, 0 where it is below 1e-30: once gradients have ended it would become denormal, and processors compute many times slower
 *  with denormals. `adamW` does the same of itself. */
export const vanishing = (momentum: Tensor): Tensor => mul(momentum, greater(abs(momentum), 1e-30));

export interface OptimizerOptions {
  /** Learning rate: a number, or an input [] given at every run. */
  readonly lr: Tensor | number;
  /** [] : where it is 0 nothing is updated (see `allFinite`). */
  readonly guard?: Tensor;
  /** One average, or several of other horizons, to choose among when all is done. */
  readonly average?: WeightAverage | readonly WeightAverage[];
}

/** Decay of a parameter, by name and value; a number decays all alike. */
export type WeightDecay = number | ((name: string, parameter: Tensor) => number);

/** The rate of a step: a number, or a tensor of one. */
const rate = either(notNegative, { text: "a tensor []", holds: (value) => value instanceof Tensor && value.size === 1 });
const horizonRule: Rule = {
  text: "a part above 0 and at most 0.25",
  holds: (value) => Number(value) > 0 && Number(value) <= 0.25,
};
const averageRules: Rules<WeightAverage> = { weights: needed(namedRule), decay: part, horizon: horizonRule };
const averagesRule: Rule = { text: "an object, or a list of them", holds: (value) => [value].flat().every(object.holds) };
export const optimizerRules: Rules<OptimizerOptions> = { lr: needed(rate), guard: tensorRule, average: averagesRule };

export const decayRule = either(notNegative, callable);

/** What decay leaves of a weight: 1 - lr·decay. @shape lr [] -> [] */
export const remainderOf = (lr: Tensor | number, decay: number): Tensor =>
  typeof lr === "number" ? constant(1 - lr * decay) : sub(1, mul(lr, decay));

/** All numbers of tensors behind each other. @shape any -> [Σ sizes] */
const flat = (tensors: readonly Tensor[]): Tensor =>
  concat(
    tensors.map((x) => reshape(x, [-1])),
    0,
  );

/** Tensors of one shape behind each other. @shape n × [...] -> [n, ...] */
export const stack = (tensors: readonly Tensor[]): Tensor => reshape(concat(tensors, 0), [tensors.length, ...tensors[0].shape]);

/** The average of one parameter and how far it moves. */
export interface Average {
  readonly value: Tensor;
  /** [] */
  readonly rate: Tensor;
}

/** @throws ConfigError when an average has both ways to be one, or none */
function averageRate(average: WeightAverage, step: Tensor): Tensor {
  checkOptions("average", average, averageRules);
  const { decay, horizon } = average;
  if ((decay === undefined) === (horizon === undefined))
    throw new ConfigError(`average: needs a decay or a horizon, got ${decay === undefined ? "neither" : "both"}.`);
  if (horizon !== undefined) return neg(expm1(mul(log(sub(1, reciprocal(step))), powerOf(horizon) + 1))); // [] 1 - (1 - 1/t)^(γ+1)
  return sub(1, minimum(div(add(step, 1), add(step, 10)), decay ?? 0)); // [] 1 - d
}

/** The power γ of time whose average is so wide: (γ+1)^½ (γ+2)^-1 (γ+3)^-½. */
function powerOf(horizon: number): number {
  const width = (power: number): number => Math.sqrt(power + 1) / (power + 2) / Math.sqrt(power + 3);
  let [least, most] = [0, 1e6];
  for (let i = 0; i < 100; i++) {
    const middle = (least + most) / 2;
    if (width(middle) > horizon) least = middle;
    else most = middle;
  }
  return least;
}

/** A parameter and what every optimiser's step takes of it. */
export interface Part {
  readonly name: string;
  readonly weight: Tensor;
  readonly gradient: Tensor;
  /** [] What the gradient is multiplied by. */
  readonly factor: Tensor;
  readonly decay: number;
  readonly averages: readonly Average[];
}

/** Parts whose steps are one: those with one decay, one factor and as many averages, that are `alike` besides. In their order. */
export function grouped<P extends Part>(parts: readonly P[], alike: (a: P, b: P) => boolean = () => true): P[][] {
  const groups: P[][] = [];
  const fits = (a: P, b: P): boolean =>
    a.decay === b.decay && a.factor === b.factor && a.averages.length === b.averages.length && alike(a, b);
  for (const part of parts) {
    const group = groups.find(([first]) => fits(first, part));
    if (group) group.push(part);
    else groups.push([part]);
  }
  return groups;
}

/** Collects a step's state and updates; optimisers of several kinds may share one. */
export class StepBuilder {
  readonly updates: Update[] = [];
  /** [] Steps taken, this one included. */
  readonly step: Tensor;
  private readonly own = new Map<string, Tensor>();
  private readonly count: Tensor;
  /** Averages and how far they move. */
  private readonly averages: readonly { readonly weights: ReadonlyMap<string, Tensor>; readonly rate: Tensor }[];

  constructor(private readonly options: OptimizerOptions) {
    this.count = this.state("step", []);
    this.step = add(this.count, 1);
    const { average = [] } = options;
    this.averages = [average].flat().map((own) => ({ weights: own.weights, rate: averageRate(own, this.step) }));
  }

  /** A tensor of the optimiser's own, zero at first. */
  state(name: string, shape: readonly number[]): Tensor {
    const tensor = named(name, parameter(shape));
    this.own.set(name, tensor);
    return tensor;
  }

  /** What a step takes of parameters. */
  parts(gradients: Gradients, weightDecay: WeightDecay): Part[] {
    const one = constant(1);
    return [...gradients].map(([name, { parameter: weight, gradient, factor = one }]) => {
      const decay = typeof weightDecay === "number" ? weightDecay : weightDecay(name, weight);
      return { name, weight, gradient, factor, decay, averages: this.averagesOf(name) };
    });
  }

  /** The averages of a parameter and how far they move. */
  averagesOf(name: string): readonly Average[] {
    return this.averages.flatMap(({ weights, rate }) => {
      const value = weights.get(name);
      return value ? [{ value, rate }] : [];
    });
  }

  /** Moves averages of one rate towards the new numbers of their parameters, all at once. @shape weights: the averages' in their order */
  move(averages: readonly Average[], weights: readonly Tensor[]): void {
    const [first] = averages;
    if (!first) return;
    const { guard } = this.options;
    const old = flat(averages.map(({ value }) => value)); // [Σ sizes]
    const moved = add(old, mul(sub(flat(weights), old), first.rate));
    const next = guard ? where(guard, moved, old) : moved;
    let at = 0;
    for (const { value } of averages) {
      this.updates.push([value, reshape(slice(next, 0, at, at + value.size), value.shape)]);
      at += value.size;
    }
  }

  /** Sets a tensor, where the guard allows it. */
  update(old: Tensor, value: Tensor): Tensor {
    const { guard } = this.options;
    const next = guard ? where(guard, value, old) : value;
    this.updates.push([old, next]);
    return next;
  }

  /** Sets tensors of one shape at once. @shape values [n, ...] -> [n, ...] */
  updateAll(old: readonly Tensor[], values: Tensor): Tensor {
    const { guard } = this.options;
    const next = guard ? where(guard, values, stack(old)) : values;
    split(next, 0, old.length).forEach((own, i) => this.updates.push([old[i], reshape(own, old[i].shape)]));
    return next;
  }

  done(): OptimizerStep {
    this.update(this.count, this.step);
    return { updates: this.updates, state: this.own };
  }
}
