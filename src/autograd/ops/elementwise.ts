/** Elementwise ops with broadcasting. All of them become instructions of fused kernels; none costs a pass over memory by itself. */
import { ShapeError } from "../../base/errors.js";
import { broadcastShapes, checkShape, type Shape, sameShape } from "../../base/shape.js";
import { defineOp } from "../op.js";
import { checkTensor, type Tensor } from "../tensor.js";
import { geluErfGrad, geluGrad, siluGrad } from "./activationGrads.js";
import { type Argument, binary, broadcast, recording, summedTo, unary } from "./pointwise.js";
import { sumTo } from "./reduce.js";
import { over, times } from "./vanishing.js";

const none = (): undefined => undefined;

/** y = -x */
export const neg = unary("neg", "neg", (_, dy) => neg(dy));
/** y = |x|; the gradient at 0 is 0 */
export const abs = unary("abs", "abs", (x, dy) => times(dy, sign(x)));
/** y = -1, 0 or 1; no gradient */
export const sign = unary("sign", "sign", none);
/** y = ⌊x⌋; no gradient */
export const floor = unary("floor", "floor", none);
/** y = √x */
export const sqrt = unary("sqrt", "sqrt", (_, dy, y) => over(mul(dy, 0.5), y));
/** y = 1 / x */
export const reciprocal = unary("reciprocal", "reciprocal", (_, dy, y) => times(neg(dy), square(y)));
/** y = x² */
export const square = unary("square", "square", (x, dy) => times(dy, mul(x, 2)));
/** y = eˣ */
export const exp = unary("exp", "exp", (_, dy, y) => times(dy, y));
/** y = eˣ - 1, accurate near 0 */
export const expm1 = unary("expm1", "expm1", (_, dy, y) => times(dy, add(y, 1)));
/** y = ln x */
export const log = unary("log", "log", (x, dy) => over(dy, x));
/** y = sin x, x in radians */
export const sin = unary("sin", "sin", (x, dy) => times(dy, cos(x)));
/** y = cos x, x in radians */
export const cos = unary("cos", "cos", (x, dy) => times(neg(dy), sin(x)));
/** y = tanh x */
export const tanh = unary("tanh", "tanh", (_, dy, y) => times(dy, sub(1, square(y))));
/** y = 1 / (1 + e⁻ˣ) */
export const sigmoid = unary("sigmoid", "sigmoid", (_, dy, y) => times(dy, mul(y, sub(1, y))));
/** y = 2/√π ∫₀ˣ e^(-u²) du */
export const erf = unary("erf", "erf", (x, dy) => times(dy, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))));

/** y = x/2 (1 + tanh(√(2/π)(x + 0.044715 x³))), the approximation PT-DiT uses
 *  @source Hendrycks and Gimpel, arXiv 1606.08415 */
export const gelu = unary("gelu", "gelu", (x, dy) => times(dy, geluGrad(x)));
/** y = x/2 (1 + erf(x/√2)), exact
 *  @source Hendrycks and Gimpel, arXiv 1606.08415 */
export const geluErf = unary("geluErf", "geluErf", (x, dy) => times(dy, geluErfGrad(x)));
/** y = x / (1 + e⁻ˣ) */
export const silu = unary("silu", "silu", (x, dy) => times(dy, siluGrad(x)));

/** y = ln(1 + eˣ), without overflow */
export const softplus = unary("softplus", "softplus", (x, dy) => times(dy, sigmoid(x)));

/** y = a + b */
export const add = binary("add", "add", (_a, _b, dy) => [dy, dy]);
/** y = a - b */
export const sub = binary("sub", "sub", (_a, _b, dy) => [dy, neg(dy)]);
/** y = a b */
export const mul = binary("mul", "mul", (a, b, dy) => [times(dy, b), times(dy, a)]);
/** y = a / b */
export const div = binary("div", "div", (_, b, dy, y) => [over(dy, b), over(times(neg(dy), y), b)]);
/** y = min(a, b); where they are equal the gradient goes to a */
export const minimum = binary("minimum", "min", (a, b, dy) => [where(greaterEqual(b, a), dy, 0), where(greater(a, b), dy, 0)]);
/** y = max(a, b); where they are equal the gradient goes to a */
export const maximum = binary("maximum", "max", (a, b, dy) => [where(greaterEqual(a, b), dy, 0), where(greater(b, a), dy, 0)]);
/** y = 1 where a > b, else 0; no gradient */
export const greater = binary("greater", "greater", () => []);
/** y = 1 where a ≥ b, else 0; no gradient */
export const greaterEqual = binary("greaterEqual", "greaterEqual", () => []);
/** y = 1 where a = b, else 0; no gradient */
export const equal = binary("equal", "equal", () => []);

const applyWhere = defineOp()({
  name: "where",
  operands: { condition: "needed", a: "orNumber", b: "orNumber" },
  results: { y: "always" },
  infer: ({ condition, a, b }) => ({ y: broadcast("where", condition, a, b) }),
  gradient: ({ condition, a, b }, { y: dy }) => ({
    a: summedTo(a, select(condition, dy, 0)),
    b: summedTo(b, select(condition, 0, dy)),
  }),
  lowering: { kind: "elementwise", opcode: "select" },
});
const select = (condition: Tensor, a: Argument, b: Argument): Tensor => applyWhere({ condition, a, b }).y;
/**
 * y = a where condition ≠ 0, else b. Numbers that are not finite in the branch not taken do no harm, in the gradient neither: no rule of
 * an elementwise op, a reduction, a softmax or a norm makes something of a gradient that is 0. (Matrix products, convolutions and
 * attention mix what they are given: there choose before, `matmul(where(ok, x, 0), w)`.) So √, ln, 1/x, x ln x and the length of a vector
 * are written as they are read, `where(greater(x, 0), sqrt(x), 0)`, and have gradient 0 where the condition does not hold.
 * @shape condition, a, b broadcast together
 */
export const where = recording(applyWhere, select);

const applyBroadcast = defineOp<{ readonly shape: Shape }>()({
  name: "broadcastTo",
  operands: { x: "needed" },
  results: { y: "always" },
  infer: ({ x }, { shape }) => ({ y: broadcastShapes([x.shape, shape], "broadcastTo") }),
  gradient: ({ x }, { y: dy }) => ({ x: sumTo(dy, x.shape) }),
  lowering: { kind: "elementwise", opcode: "copy" },
});
/** Stretches axes of size 1.
 *  @shape x -> shape
 *  @throws ShapeError when x does not broadcast to `shape` */
export const broadcastTo = recording(applyBroadcast, (x: Tensor, shape: Shape): Tensor => {
  checkTensor("broadcastTo", "x", x);
  checkShape(shape, "broadcastTo");
  if (sameShape(x.shape, shape)) return x;
  const { y } = applyBroadcast({ x }, { shape });
  if (!sameShape(y.shape, shape)) {
    throw new ShapeError(
      `broadcastTo: [${x.shape}] does not stretch to [${shape}]. Every axis must be equal or 1, aligned from the right.`,
    );
  }
  return y;
});

/** y = x, but nothing flows back. */
export const stopGradient = unary("stopGradient", "copy", none);
