import { ShapeError } from "../../base/errors.js";
import { showShape } from "../../base/shape.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";

/** Constants of AdamW. */
export interface AdamWAttributes {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
}

/** What one parameter's step of AdamW works on: tensors of the parameter's shape, and single numbers. */
export interface AdamWOperands {
  readonly weight: Tensor;
  readonly gradient: Tensor;
  /** First and second moment. */
  readonly m: Tensor;
  readonly v: Tensor;
  /** [] What the gradient is multiplied by. */
  readonly factor: Tensor;
  /** [] lr / (1 - β₁ᵗ) */
  readonly stepSize: Tensor;
  /** [] 1 / √(1 - β₂ᵗ) */
  readonly rootCorrection: Tensor;
  /** [] 1 - lr·decay */
  readonly remainder: Tensor;
  /** [] Where it is 0 all stays as it was. */
  readonly guard: Tensor;
  /** A running average of the weight, and how far it moves towards it, []. */
  readonly average?: { readonly value: Tensor; readonly rate: Tensor };
}

const adamWOp = defineOp<AdamWAttributes>()({
  name: "adamW",
  operands: {
    p: "needed",
    g: "needed",
    m: "needed",
    v: "needed",
    factor: "needed",
    stepSize: "needed",
    rootCorrection: "needed",
    remainder: "needed",
    guard: "needed",
    e: "optional",
    rate: "optional",
  },
  results: { p1: "always", m1: "always", v1: "always", e1: "optional" },
  infer: ({ p: { shape, size }, g, m, v, e }) => {
    for (const x of [g, m, v, e]) {
      if (x && x.size !== size) {
        throw new ShapeError(
          `adamW: gradient, moments and average have the weight's shape ${showShape(shape)}, got ${showShape(x.shape)}.`,
        );
      }
    }
    return { p1: shape, m1: shape, v1: shape, e1: e && shape };
  },
  lowering: {
    kind: "calls",
    aligned: true,
    emit: (to, { e = null, e1 = null, rate = null, ...views }, { p: { size: n } }, attributes) =>
      to.call("adamW", { ...views, e, e1, rate, n, ...attributes }),
  },
});

/**
 * One parameter's step of AdamW, and of the average of its weights, in one pass over memory:
 *   g ← factor·g,  m ← β₁m + (1-β₁)g,  v ← β₂v + (1-β₂)g²,  v below 2⁻¹²⁶ to 0, m to 0 with it and below 1e-30,
 *   p ← remainder·p - stepSize·m / (rootCorrection·√v + eps),  e ← e + rate·(p - e)
 * With eps 0 a gradient that was never there moves nothing; one below about 1e-17 is none, as its square is to float32.
 * @shape weight, gradient, m, v, average alike -> the same
 * @source Loshchilov and Hutter, arXiv 1711.05101
 * @throws ShapeError when sizes differ
 */
export function adamWStep(operands: AdamWOperands, attributes: AdamWAttributes) {
  const { weight: p, gradient: g, average, ...rest } = operands;
  const { p1, m1, v1, e1 } = adamWOp({ p, g, ...rest, e: average?.value, rate: average?.rate }, attributes);
  return { weight: p1, m: m1, v: v1, average: e1 };
}

export default { adamW: adamWOp };
