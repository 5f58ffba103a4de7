import { ShapeError } from "../../base/errors.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";
import { sub } from "./elementwise.js";
import { sum } from "./reduce.js";
import { times } from "./vanishing.js";

const rowsOf = (x: Tensor) => ({ rows: x.size / (x.shape.at(-1) as number), columns: x.shape.at(-1) as number });

const softmaxGradOp = defineOp<undefined>({
  name: "softmaxGrad",
  infer: ([y]) => [{ shape: y.shape }],
  gradient: ({ inputs: [y, dy], dy: v }) => {
    const [own, slope] = [y, dy];
    const along = (u: Tensor) => sum(times(u, own), -1, true); // Σ u·y
    const dOwn = sub(times(v, sub(slope, along(slope))), times(along(v), slope));
    return [dOwn, softmaxGrad(own, v)]; // a symmetric map of dy is its own adjoint
  },
  lowering: {
    kind: "calls",
    emit: (e) => e.call("softmaxGrad", { dx: e.output(0), y: e.input(0), dy: e.input(1), ...rowsOf(e.inputs[0]) }),
  },
});

/** dx = y (dy - Σ dy·y). */
function softmaxGrad(y: Tensor, dy: Tensor): Tensor {
  return softmaxGradOp([y, dy], undefined)[0];
}

const softmaxOp = defineOp<undefined>({
  name: "softmax",
  infer: ([x]) => {
    if (x.shape.length < 1) throw new ShapeError("softmax: needs at least one axis, got a single number. Reshape it to [1].");
    return [{ shape: x.shape }];
  },
  gradient: ({ outputs: [y], dy }) => [softmaxGrad(y, dy)],
  lowering: {
    kind: "calls",
    emit: (e) => e.call("softmax", { y: e.output(0), x: e.input(0), ...rowsOf(e.inputs[0]) }),
  },
});

/** Softmax over the last axis: y_i = exp(x_i - m) / Σ_j exp(x_j - m), m = max_j x_j.
 *  @shape  x [..., n] -> y [..., n]
 *  @units  x logits; every row of y sums to 1 */
export const softmax = (x: Tensor): Tensor => softmaxOp([x], undefined)[0];
