import { ShapeError } from "../../base/errors.js";
import { lastOf } from "../../base/shape.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { sub } from "./elementwise.js";
import { sum } from "./reduce.js";
import { times } from "./vanishing.js";

const rowsOf = (x: Tensor) => ({ rows: x.size / lastOf(x.shape), columns: lastOf(x.shape) });

const softmaxGradOp = defineOp()({
  name: "softmaxGrad",
  operands: { y: "needed", dy: "needed" },
  results: { dx: "always" },
  infer: ({ y }) => ({ dx: y.shape }),
  gradient: ({ y, dy }, { dx: v }) => {
    const along = (u: Tensor) => sum(times(u, y), -1, true); // Σ u·y
    return {
      y: sub(times(v, sub(dy, along(dy))), times(along(v), dy)),
      dy: softmaxGrad(y, v), // a symmetric map of dy is its own adjoint
    };
  },
  lowering: { kind: "calls", emit: (e, { dx, y, dy }, t) => e.call("softmaxGrad", { dx, y, dy, ...rowsOf(t.y) }) },
});

/** dx = y (dy - Σ dy·y). */
function softmaxGrad(y: Tensor, dy: Tensor): Tensor {
  return softmaxGradOp({ y, dy }).dx;
}

const softmaxOp = defineOp()({
  name: "softmax",
  operands: { x: "needed" },
  results: { y: "always" },
  infer: ({ x }) => {
    if (x.shape.length < 1) throw new ShapeError("softmax: needs at least one axis, got a single number. Reshape it to [1].");
    return { y: x.shape };
  },
  gradient: ({ y }, { y: dy }) => ({ x: softmaxGrad(y, dy) }),
  lowering: { kind: "calls", emit: (e, { y, x }, t) => e.call("softmax", { y, x, ...rowsOf(t.x) }) },
});

/** Softmax over the last axis: y_i = exp(x_i - m) / Σ_j exp(x_j - m), m = max_j x_j.
 *  @shape  x [..., n] -> y [..., n]
 *  @units  x logits; every row of y sums to 1 */
export const softmax = (x: Tensor): Tensor => softmaxOp({ x }).y;

export default { softmaxGrad: softmaxGradOp, softmax: softmaxOp };
