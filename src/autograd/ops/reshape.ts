import { ShapeError } from "../../base/errors.js";
import { show } from "../../base/options.js";
import { type Shape, sameShape, showShape, sizeOf } from "../../base/shape.js";
import { defineOp } from "../op.js";
import { checkTensor, type Tensor } from "../tensor.js";

const reshapeOp = defineOp<{ readonly shape: Shape }>()({
  name: "reshape",
  operands: { x: "needed" },
  results: { y: "always" },
  takesI32: true,
  infer: ({ x }, { shape }) => ({ y: { shape, dtype: x.dtype } }),
  gradient: ({ x }, { y: dy }) => ({ x: reshape(dy, x.shape) }),
  lowering: { kind: "alias" },
});

/** The same numbers under another shape; free. One axis may be -1: it takes what is left.
 *  @shape x [...] -> shape
 *  @throws ShapeError when the number of elements differs */
export function reshape(x: Tensor, shape: Shape): Tensor {
  checkTensor("reshape", "x", x);
  if (!Array.isArray(shape) || shape.filter((size) => size === -1).length > 1) {
    throw new ShapeError(`reshape: a shape is an array of sizes, of which one may be -1; got ${show(shape)}.`);
  }
  const known = shape.reduce((product, size) => (size === -1 ? product : product * size), 1);
  const full = shape.map((size) => (size === -1 ? x.size / known : size));
  if (sizeOf(full) !== x.size || full.some((size) => !Number.isInteger(size))) {
    throw new ShapeError(`reshape: ${showShape(x.shape)} has ${x.size} elements, ${showShape(shape)} does not hold as many.`);
  }
  return sameShape(x.shape, full) ? x : reshapeOp({ x }, { shape: full }).y;
}

export default { reshape: reshapeOp };
