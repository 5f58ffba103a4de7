import { named } from "../../autograd/names.js";
import { concat, split } from "../../autograd/ops/copy.js";
import { add, div, minimum, mul, sub, where } from "../../autograd/ops/elementwise.js";
import { reshape } from "../../autograd/ops/reshape.js";
import { constant, parameter, Tensor, tensorRule } from "../../autograd/tensor.js";
import { callable, checkOptions, either, needed, notNegative, object, part, type Rules } from "../../base/options.js";
import type { Update } from "../../program/updates.js";
import { namedRule } from "../checks.js";

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

/** Decay of a parameter, by name and value; a number decays all alike. */
export type WeightDecay = number | ((name: string, parameter: Tensor) => number);

/** The rate of a step: a number, or a tensor of one. */
const rate = either(notNegative, { text: "a tensor []", holds: (value) => value instanceof Tensor && value.size === 1 });
const averageRules: Rules<WeightAverage> = { weights: needed(namedRule), decay: needed(part) };
export const optimizerRules: Rules<OptimizerOptions> = { lr: needed(rate), guard: tensorRule, average: object };

export const decayRule = either(notNegative, callable);

/** The decay of one parameter. */
export const decayOf = (decay: WeightDecay, name: string, parameter: Tensor): number =>
  typeof decay === "number" ? decay : decay(name, parameter);

/** What decay leaves of a weight: 1 - lr·decay. @shape lr [] -> [] */
export const remainderOf = (lr: Tensor | number, decay: number): Tensor =>
  typeof lr === "number" ? constant(1 - lr * decay) : sub(1, mul(lr, decay));

/** Tensors of one shape behind each other. @shape n × [...] -> [n, ...] */
export const stack = (tensors: readonly Tensor[]): Tensor => reshape(concat(tensors, 0), [tensors.length, ...tensors[0].shape]);

/** Collects a step's state and updates; optimisers of several kinds may share one. */
export class StepBuilder {
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
