import { ShapeError } from "../../base/errors.js";
import { showShape } from "../../base/shape.js";
import { runsOf } from "../buffer.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";

/** Constants of AdamW. */
export interface AdamWAttributes {
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
}

/** What a step of AdamW works on: lists by parameter, tensors of its shape; and single numbers, the same for all. */
export interface AdamWOperands {
  readonly weights: readonly Tensor[];
  readonly gradients: readonly Tensor[];
  /** First and second moments. */
  readonly m: readonly Tensor[];
  readonly v: readonly Tensor[];
  /** [] What the gradients are multiplied by. */
  readonly factor: Tensor;
  /** [] lr / (1 - β₁ᵗ) */
  readonly stepSize: Tensor;
  /** [] 1 / √(1 - β₂ᵗ) */
  readonly rootCorrection: Tensor;
  /** [] 1 - lr·decay */
  readonly remainder: Tensor;
  /** [] Where it is 0 all stays as it was. */
  readonly guard: Tensor;
  /** Running averages of the weights, and how far they move towards them, []. */
  readonly average?: { readonly values: readonly Tensor[]; readonly rate: Tensor };
}

const adamWOp = defineOp<AdamWAttributes>()({
  name: "adamW",
  operands: {
    p: "list",
    g: "list",
    m: "list",
    v: "list",
    e: "list",
    factor: "needed",
    stepSize: "needed",
    rootCorrection: "needed",
    remainder: "needed",
    guard: "needed",
    rate: "optional",
  },
  results: { p1: "list", m1: "list", v1: "list", e1: "list" },
  infer: ({ p, g, m, v, e }) => {
    p.forEach(({ shape, size }, i) => {
      for (const x of [g, m, v, e].map((list) => list.at(i))) {
        if (!x || x.size === size) continue;
        throw new ShapeError(
          `adamW: gradient, moments and average have the weight's shape ${showShape(shape)}, got ${showShape(x.shape)}.`,
        );
      }
    });
    const shapes = p.map(({ shape }) => shape);
    return { p1: shapes, m1: shapes, v1: shapes, e1: e.length > 0 ? shapes : [] };
  },
  lowering: {
    kind: "calls",
    aligned: true,
    together: ({ p, g, m, v, e }) => [p, g, m, v, e],
    emit: (to, { p, g, m, v, e, p1, m1, v1, e1, rate = null, ...numbers }, t, attributes) => {
      const sizes = t.p.map(({ size }) => size);
      const lists = [p, g, m, v, p1, m1, v1, ...(e.length > 0 ? [e, e1] : [])];
      for (const { first: i, elements: n } of runsOf(sizes, ...lists)) {
        const average = { e: e.at(i) ?? null, e1: e1.at(i) ?? null, rate };
        const own = { p: p[i], g: g[i], m: m[i], v: v[i], p1: p1[i], m1: m1[i], v1: v1[i] };
        to.call("adamW", { ...own, ...average, ...numbers, n, ...attributes });
      }
    },
  },
});

/**
 * A step of AdamW for many parameters, and of the averages of their weights, in one pass over memory:
 *   g ← factor·g,  m ← β₁m + (1-β₁)g,  v ← β₂v + (1-β₂)g²,  v below 2⁻¹²⁶ to 0, m to 0 with it and below 1e-30,
 *   p ← remainder·p - stepSize·m / (rootCorrection·√v + eps),  e ← e + rate·(p - e)
 * With eps 0 a gradient that was never there moves nothing; one below about 1e-17 is none, as its square is to float32. One call for
 * all parameters that lie side by side.
 * @shape weights[i], gradients[i], m[i], v[i], average.values[i] alike -> the same
 * @source Loshchilov and Hutter, arXiv 1711.05101
 * @throws ShapeError when sizes differ
 */
export function adamWStep(operands: AdamWOperands, attributes: AdamWAttributes) {
  const { weights, gradients, average, ...rest } = operands;
  const { p1, m1, v1, e1 } = adamWOp(
    { p: weights, g: gradients, e: average?.values ?? [], rate: average?.rate, ...rest },
    attributes,
  );
  return { weights: p1, m: m1, v: v1, averages: e1 };
}

export default { adamW: adamWOp };
