/** Optimisers as graph: a step's updates are part of the program that computes the gradients. */
import { grad } from "../autograd/grad.js";
import type { Update } from "../autograd/lower.js";
import {
  abs,
  add,
  div,
  equal,
  expm1,
  greater,
  minimum,
  mul,
  neg,
  reciprocal,
  sqrt,
  square,
  sub,
  where,
} from "../autograd/ops/elementwise.js";
import { squaredNorm } from "../autograd/ops/squaredNorm.js";
import { parameter, scope, type Tensor } from "../autograd/tensor.js";
import { ConfigError } from "../base/errors.js";

/** Named parameters and the gradients of the loss with respect to them. */
export type Gradients = ReadonlyMap<string, { readonly parameter: Tensor; readonly gradient: Tensor }>;

/** Gradients of a loss. */
export function gradientsOf(loss: Tensor, parameters: ReadonlyMap<string, Tensor>): Gradients {
  const dParameters = grad(loss, [...parameters.values()]);
  return new Map([...parameters].map(([name, own], i) => [name, { parameter: own, gradient: dParameters[i] as Tensor }]));
}

/** Average gradient of several losses, recorded one after the other so that only one is in memory at a time. */
export function accumulatedGradients(
  losses: readonly (() => Tensor)[],
  parameters: ReadonlyMap<string, Tensor>,
): { loss: Tensor; gradients: Gradients } {
  if (losses.length === 0) throw new ConfigError("accumulatedGradients: needs at least one loss, got none.");
  const parts = losses.map((make) => {
    const loss = make();
    return { loss, gradients: gradientsOf(loss, parameters) };
  });
  const average = (tensors: Tensor[]) =>
    mul(
      tensors.reduce((sum, x) => add(sum, x)),
      1 / parts.length,
    );
  const gradients = [...parameters].map(([name, own]) => {
    const gradient = average(parts.map((part) => (part.gradients.get(name) as { gradient: Tensor }).gradient));
    return [name, { parameter: own, gradient }] as const;
  });
  return { loss: average(parts.map(({ loss }) => loss)), gradients: new Map(gradients) };
}

/** √Σ g² over all gradients.
 *  @shape -> [] */
export const globalNorm = (gradients: Gradients): Tensor =>
  sqrt(squaredNorm([...gradients.values()].map(({ gradient }) => gradient)));

/** Scales all gradients so that their global norm is at most `limit`.
 *  @source Pascanu, Mikolov and Bengio, arXiv 1211.5063 */
export function clipGradients(gradients: Gradients, norm: Tensor, limit: number): Gradients {
  const factor = minimum(mul(reciprocal(add(norm, 1e-6)), limit), 1); // []
  return new Map(
    [...gradients].map(([name, { parameter: own, gradient }]) => [name, { parameter: own, gradient: mul(gradient, factor) }]),
  );
}

/** What an optimiser adds to a program. */
export interface OptimizerStep {
  /** New numbers of parameters and of the optimiser's own state. */
  readonly updates: readonly Update[];
  /** The optimiser's state by name, to be saved beside the model's. */
  readonly state: ReadonlyMap<string, Tensor>;
  /** New numbers of each model parameter, e.g. for an average of the weights. */
  readonly values: ReadonlyMap<string, Tensor>;
  /** Steps taken, this one included.
   *  @shape [] */
  readonly step: Tensor;
}

export interface OptimizerOptions {
  /** Learning rate: a number, or an input [] given at every run. */
  readonly lr: Tensor | number;
  /** [] : where it is 0 nothing is updated (see `allFinite`). */
  readonly guard?: Tensor;
}

export interface AdamWOptions extends OptimizerOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly eps?: number;
  /** Decay of a parameter, by name and value; a number decays all alike. */
  readonly weightDecay?: number | ((name: string, parameter: Tensor) => number);
}

/** 1 if every given number is finite, else 0.
 *  @shape [] each -> [] */
export const allFinite = (...numbers: Tensor[]): Tensor =>
  numbers.map((x) => equal(sub(x, x), 0)).reduce((all, finite) => mul(all, finite));

/** Numbers below 1e-30 to zero: WASM computes with denormals several times slower. */
const flush = (x: Tensor): Tensor => mul(x, greater(abs(x), 1e-30));

/**
 * AdamW: decoupled weight decay, bias-corrected moments.
 *   m ← β₁m + (1-β₁)g,  v ← β₂v + (1-β₂)g²,  p ← p(1 - lr·wd) - lr · m/(1-β₁ᵗ) / (√(v/(1-β₂ᵗ)) + eps)
 * @source Loshchilov and Hutter, arXiv 1711.05101; PyTorch's order of operations
 */
export function adamW(gradients: Gradients, options: AdamWOptions): OptimizerStep {
  return scope("adamW", () => {
    const { lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0.01, guard } = options;
    for (const [name, beta] of [
      ["beta1", beta1],
      ["beta2", beta2],
    ] as const) {
      if (!(beta >= 0 && beta < 1)) throw new ConfigError(`adamW: ${name} must be in [0, 1), got ${beta}.`);
    }
    const build = stepBuilder(guard);
    const t = build.step;
    const correction1 = neg(expm1(mul(t, Math.log(beta1)))); // [] 1 - beta1^t
    const correction2 = neg(expm1(mul(t, Math.log(beta2)))); // [] 1 - beta2^t
    const stepSize = div(lr, correction1); // []
    const rootCorrection = reciprocal(sqrt(correction2)); // []
    const remainders = new Map<number, Tensor | number>();
    /** 1 - lr·decay: what is left of a weight after its decay; the same for all that decay alike. */
    const remainder = (decay: number): Tensor | number => {
      const known = remainders.get(decay) ?? (typeof lr === "number" ? 1 - lr * decay : sub(1, mul(lr, decay)));
      remainders.set(decay, known);
      return known;
    };
    for (const [name, { parameter: p, gradient: g }] of gradients) {
      const [m, v] = [build.state(`${name}.m`, p.shape), build.state(`${name}.v`, p.shape)];
      // The guarded moments go on into the weights' update, so that all of a parameter's step is one pass over memory.
      const m1 = build.update(m, flush(add(mul(m, beta1), mul(g, 1 - beta1))));
      const v1 = build.update(v, flush(add(mul(v, beta2), mul(square(g), 1 - beta2))));
      const decay = typeof weightDecay === "number" ? weightDecay : weightDecay(name, p);
      const kept = decay === 0 ? p : mul(p, remainder(decay));
      const step = div(mul(m1, stepSize), add(mul(sqrt(v1), rootCorrection), eps));
      build.weight(name, p, sub(kept, step));
    }
    return build.done();
  });
}

export interface SgdOptions extends OptimizerOptions {
  readonly momentum?: number;
  readonly weightDecay?: number;
}

/** Stochastic gradient descent: b ← momentum·b + (g + wd·p), p ← p - lr·b, as PyTorch's. */
export function sgd(gradients: Gradients, options: SgdOptions): OptimizerStep {
  return scope("sgd", () => {
    const { lr, momentum = 0, weightDecay = 0, guard } = options;
    const build = stepBuilder(guard);
    for (const [name, { parameter: p, gradient }] of gradients) {
      const g = weightDecay === 0 ? gradient : add(gradient, mul(p, weightDecay));
      let direction = g;
      if (momentum !== 0) {
        const b = build.state(`${name}.momentum`, p.shape);
        direction = build.update(b, add(mul(b, momentum), g));
      }
      build.weight(name, p, sub(p, mul(direction, lr)));
    }
    return build.done();
  });
}

/** Collects a step's state and updates, each guarded. */
function stepBuilder(guard: Tensor | undefined) {
  const state = new Map<string, Tensor>();
  const updates: Update[] = [];
  const values = new Map<string, Tensor>();
  const guarded = (value: Tensor, old: Tensor) => (guard ? where(guard, value, old) : value);
  const own = (name: string, shape: readonly number[]): Tensor => {
    const tensor = parameter(shape);
    state.set(name, tensor);
    return tensor;
  };
  const count = own("step", []);
  const step = add(count, 1);
  const update = (old: Tensor, value: Tensor): Tensor => {
    const next = guarded(value, old);
    updates.push([old, next]);
    return next;
  };
  return {
    step,
    state: own,
    update,
    weight: (name: string, old: Tensor, value: Tensor) => void values.set(name, update(old, value)),
    done: (): OptimizerStep => {
      update(count, step);
      return { updates, state, values, step };
    },
  };
}

/**
 * Exponential moving average of the weights, for sampling: e ← e + (1-d)(p - e), d = min(decay, (1+t)/(10+t)), so that the
 * first steps do not dwell on the random start.
 * @shape average: as the model's parameters, by the same names
 */
export function ema(step: OptimizerStep, average: ReadonlyMap<string, Tensor>, decay: number): Update[] {
  return scope("ema", () => {
    const rate = sub(1, minimum(div(add(step.step, 1), add(step.step, 10)), decay)); // [] 1 - d
    return [...average].map(([name, e]): Update => {
      const p = step.values.get(name);
      if (!p) throw new ConfigError(`ema: the optimiser does not update a parameter "${name}".`);
      return [e, add(e, mul(sub(p, e), rate))];
    });
  });
}
