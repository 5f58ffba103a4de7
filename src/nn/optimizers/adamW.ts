import { adamWStep } from "../../autograd/ops/adamW.js";
import { div, expm1, mul, neg, reciprocal, sqrt } from "../../autograd/ops/elementwise.js";
import { constant, scope, type Tensor } from "../../autograd/tensor.js";
import { checkOptions, notNegative, partBelowOne, type Rules } from "../../base/options.js";
import { showShape } from "../../base/shape.js";
import { checkGradients } from "../checks.js";
import type { Gradients } from "./gradients.js";
import {
  decayRule,
  grouped,
  type OptimizerOptions,
  type OptimizerStep,
  optimizerRules,
  type Part,
  remainderOf,
  StepBuilder,
  type WeightDecay,
} from "./step.js";

export interface AdamWOptions extends OptimizerOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly eps?: number;
  readonly weightDecay?: WeightDecay;
}

export const adamWRules: Rules<AdamWOptions> = {
  ...optimizerRules,
  beta1: partBelowOne,
  beta2: partBelowOne,
  eps: notNegative,
  weightDecay: decayRule,
};

/**
 * AdamW: decoupled weight decay, bias-corrected moments.
 *   m ← β₁m + (1-β₁)g,  v ← β₂v + (1-β₂)g²,  p ← p(1 - lr·wd) - lr · m/(1-β₁ᵗ) / (√(v/(1-β₂ᵗ)) + eps)
 * @source Loshchilov and Hutter, arXiv 1711.05101; PyTorch's order of operations
 * @throws ConfigError when an option is unknown or against its rule, e.g. a beta outside [0, 1)
 */
export function adamW(gradients: Gradients, options: AdamWOptions): OptimizerStep {
  checkGradients("adamW", gradients);
  checkOptions("adamW", options, adamWRules);
  const build = new StepBuilder(options);
  buildAdamW(build, gradients, options);
  return build.done();
}

/** Adds a step of AdamW for these gradients to what an optimiser does. */
export function buildAdamW(build: StepBuilder, gradients: Gradients, options: AdamWOptions): void {
  const { lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0.01, guard = constant(1) } = options;
  scope("adamW", () => {
    const t = build.step;
    const correction1 = neg(expm1(mul(t, Math.log(beta1)))); // [] 1 - beta1^t
    const correction2 = neg(expm1(mul(t, Math.log(beta2)))); // [] 1 - beta2^t
    const stepSize = div(lr, correction1); // []
    const rootCorrection = reciprocal(sqrt(correction2)); // []
    const parts = build.parts(gradients, weightDecay).map((part) => {
      const { name, weight } = part;
      return { ...part, m: build.state(`${name}.m`, weight.shape), v: build.state(`${name}.v`, weight.shape) };
    });
    for (const group of grouped(parts).map(inOrder)) {
      const [
        {
          factor,
          decay,
          averages: [average, ...more],
        },
      ] = group;
      const remainder = remainderOf(lr, decay); // []
      const [weights, m, v] = (["weight", "m", "v"] as const).map((kind) => group.map((part) => part[kind]));
      const lists = { weights, gradients: group.map(({ gradient }) => gradient), m, v };
      const averages = group.flatMap(({ averages: [own] }) => own?.value ?? []);
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
      for (const i of more.keys())
        build.move(
          group.map((part) => part.averages[i + 1]),
          next.weights,
        );
    }
  });
}

/**
 * Parts in such an order that, side by side, each begins where a vector of its own length may: by the largest power of two that divides
 * their size; those of one shape together, as models join them.
 */
function inOrder<P extends Part>(parts: readonly P[]): P[] {
  const evenness = ({ weight: { size } }: P): number => size & -size;
  const shapes = [...new Set(parts.map(({ weight }) => showShape(weight.shape)))];
  const rank = new Map(shapes.map((shape, i) => [shape, i]));
  const shapeOf = ({ weight }: P): number => rank.get(showShape(weight.shape)) ?? 0;
  return [...parts].sort((a, b) => evenness(b) - evenness(a) || shapeOf(a) - shapeOf(b));
}
