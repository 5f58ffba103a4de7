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

const adamWOp = defineOp<AdamWAttributes>({
  name: "adamW",
  infer: (inputs) => {
    const [p, g, m, v, , , , , , e] = inputs as Tensor[];
    const { shape } = p;
    const own = [g, m, v, e].filter((x) => x !== undefined);
    for (const x of own) {
      if (x.size !== p.size) {
        throw new ShapeError(
          `adamW: gradient, moments and average have the weight's shape ${showShape(shape)}, got ${showShape(x.shape)}.`,
        );
      }
    }
    return Array.from({ length: e ? 4 : 3 }, () => ({ shape }));
  },
  lowering: {
    kind: "calls",
    aligned: true,
    emit: (e, attributes) => {
      const averaged = e.outputs.length === 4;
      e.call("adamW", {
        p1: e.output(0),
        m1: e.output(1),
        v1: e.output(2),
        e1: averaged ? e.output(3) : null,
        p: e.input(0),
        g: e.input(1),
        m: e.input(2),
        v: e.input(3),
        e: averaged ? e.input(9) : null,
        factor: e.input(4),
        stepSize: e.input(5),
        rootCorrection: e.input(6),
        remainder: e.input(7),
        guard: e.input(8),
        rate: averaged ? e.input(10) : null,
        n: e.outputs[0].size,
        ...attributes,
      });
    },
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
  const { weight, gradient, m, v, factor, stepSize, rootCorrection, remainder, guard, average } = operands;
  const inputs = [weight, gradient, m, v, factor, stepSize, rootCorrection, remainder, guard];
  const outputs = adamWOp(average ? [...inputs, average.value, average.rate] : inputs, attributes);
  const [newWeight, newM, newV, newAverage] = outputs as [Tensor, Tensor, Tensor, Tensor | undefined];
  return { weight: newWeight, m: newM, v: newV, average: newAverage };
}
