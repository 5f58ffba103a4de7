/** Elementwise ops with broadcasting. All of them become instructions of fused kernels; none costs a pass over memory by itself. */
import type { Opcode } from "../../backend/kernels/opcodes.js";
import { ShapeError } from "../../base/errors.js";
import { broadcastShapes, checkShape, type Shape, sameShape } from "../../base/shape.js";
import { defineOp, type GradientContext } from "../op.js";
import { checkTensor, Tensor } from "../tensor.js";
import { sumTo } from "./reduce.js";

/** Where an operand comes from: input i of the node, or a number. */
export type Operand = { readonly input: number } | { readonly number: number };

/** Attributes of every elementwise node. */
export interface ElementwiseAttributes {
  readonly operands: readonly Operand[];
  /** Set by `broadcastTo` only: the shape to stretch to. */
  readonly shape?: Shape;
}

type Argument = Tensor | number;
/** Gradient with respect to each operand, at the output's shape, before it is summed to the operand's. */
type Rule = (arguments_: readonly Argument[], dy: Tensor, y: Tensor) => readonly (Tensor | undefined)[];

function elementwise(name: string, opcode: Opcode, rule: Rule) {
  const op = defineOp<ElementwiseAttributes>({
    name,
    infer: (inputs, { shape }) => [
      { shape: broadcastShapes([...inputs.map((x) => x.shape), ...(shape ? [shape] : [])], name) },
    ],
    gradient: ({ inputs, outputs, attributes, dy }: GradientContext<ElementwiseAttributes>) => {
      const arguments_ = attributes.operands.map((o) => ("number" in o ? o.number : (inputs[o.input] as Tensor)));
      const gradients = rule(arguments_, dy, outputs[0] as Tensor);
      const result: (Tensor | undefined)[] = inputs.map(() => undefined);
      attributes.operands.forEach((operand, i) => {
        const dx = gradients[i];
        if ("number" in operand || !dx) return;
        result[operand.input] = sumTo(dx, (inputs[operand.input] as Tensor).shape);
      });
      return result;
    },
    lowering: { kind: "elementwise", opcode: () => opcode },
  });
  return (arguments_: readonly Argument[], shape?: Shape): Tensor => {
    const inputs: Tensor[] = [];
    const operands = arguments_.map((x, i): Operand => {
      if (typeof x === "number") return { number: x };
      if (!(x instanceof Tensor)) checkTensor(name, `operand ${i}`, x);
      return { input: inputs.push(x) - 1 };
    });
    return op(inputs, shape ? { operands, shape } : { operands })[0] as Tensor;
  };
}

function unary(name: string, opcode: Opcode, derivative: (x: Tensor, dy: Tensor, y: Tensor) => Tensor | undefined) {
  const apply = elementwise(name, opcode, ([x], dy, y) => [derivative(x as Tensor, dy, y)]);
  return (x: Tensor): Tensor => apply([x]);
}

function binary(
  name: string,
  opcode: Opcode,
  rule: (a: Argument, b: Argument, dy: Tensor, y: Tensor) => readonly [Tensor?, Tensor?],
) {
  const apply = elementwise(name, opcode, ([a, b], dy, y) => rule(a as Argument, b as Argument, dy, y));
  return (a: Argument, b: Argument): Tensor => apply([a, b]);
}

const none = (): undefined => undefined;

/** y = -x */
export const neg = unary("neg", "neg", (_, dy) => neg(dy));
/** y = |x|; the gradient at 0 is 0 */
export const abs = unary("abs", "abs", (x, dy) => mul(dy, sign(x)));
/** y = -1, 0 or 1; no gradient */
export const sign = unary("sign", "sign", none);
/** y = ⌊x⌋; no gradient */
export const floor = unary("floor", "floor", none);
/** y = √x */
export const sqrt = unary("sqrt", "sqrt", (_, dy, y) => div(mul(dy, 0.5), y));
/** y = 1 / x */
export const reciprocal = unary("reciprocal", "reciprocal", (_, dy, y) => neg(mul(dy, square(y))));
/** y = x² */
export const square = unary("square", "square", (x, dy) => mul(dy, mul(x, 2)));
/** y = eˣ */
export const exp = unary("exp", "exp", (_, dy, y) => mul(dy, y));
/** y = eˣ - 1, accurate near 0 */
export const expm1 = unary("expm1", "expm1", (_, dy, y) => mul(dy, add(y, 1)));
/** y = ln x */
export const log = unary("log", "log", (x, dy) => div(dy, x));
/** y = sin x, x in radians */
export const sin = unary("sin", "sin", (x, dy) => mul(dy, cos(x)));
/** y = cos x, x in radians */
export const cos = unary("cos", "cos", (x, dy) => neg(mul(dy, sin(x))));
/** y = tanh x */
export const tanh = unary("tanh", "tanh", (_, dy, y) => mul(dy, sub(1, square(y))));
/** y = 1 / (1 + e⁻ˣ) */
export const sigmoid = unary("sigmoid", "sigmoid", (_, dy, y) => mul(dy, mul(y, sub(1, y))));
/** y = 2/√π ∫₀ˣ e^(-u²) du */
export const erf = unary("erf", "erf", (x, dy) => mul(dy, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))));

const geluGrad = unary("geluGrad", "geluGrad", none);
const geluErfGrad = unary("geluErfGrad", "geluErfGrad", none);
const siluGrad = unary("siluGrad", "siluGrad", none);
/** y = x/2 (1 + tanh(√(2/π)(x + 0.044715 x³))), the approximation PT-DiT uses
 *  @source Hendrycks and Gimpel, arXiv 1606.08415 */
export const gelu = unary("gelu", "gelu", (x, dy) => mul(dy, geluGrad(x)));
/** y = x/2 (1 + erf(x/√2)), exact
 *  @source Hendrycks and Gimpel, arXiv 1606.08415 */
export const geluErf = unary("geluErf", "geluErf", (x, dy) => mul(dy, geluErfGrad(x)));
/** y = x / (1 + e⁻ˣ) */
export const silu = unary("silu", "silu", (x, dy) => mul(dy, siluGrad(x)));

/** y = a + b */
export const add = binary("add", "add", (_a, _b, dy) => [dy, dy]);
/** y = a - b */
export const sub = binary("sub", "sub", (_a, _b, dy) => [dy, neg(dy)]);
/** y = a b */
export const mul = binary("mul", "mul", (a, b, dy) => [mul(dy, b), mul(dy, a)]);
/** y = a / b */
export const div = binary("div", "div", (_, b, dy, y) => [div(dy, b), neg(div(mul(dy, y), b))]);
/** y = min(a, b); where they are equal the gradient goes to a */
export const minimum = binary("minimum", "min", (a, b, dy) => [mul(dy, greaterEqual(b, a)), mul(dy, greater(a, b))]);
/** y = max(a, b); where they are equal the gradient goes to a */
export const maximum = binary("maximum", "max", (a, b, dy) => [mul(dy, greaterEqual(a, b)), mul(dy, greater(b, a))]);
/** y = 1 where a > b, else 0; no gradient */
export const greater = binary("greater", "greater", () => []);
/** y = 1 where a ≥ b, else 0; no gradient */
export const greaterEqual = binary("greaterEqual", "greaterEqual", () => []);
/** y = 1 where a = b, else 0; no gradient */
export const equal = binary("equal", "equal", () => []);

const applyWhere = elementwise("where", "select", ([condition], dy) => [
  undefined,
  where(condition as Tensor, dy, 0),
  where(condition as Tensor, 0, dy),
]);
/** y = a where condition ≠ 0, else b; numbers that are not finite in the branch not taken do no harm, in the gradient neither.
 *  @shape condition, a, b broadcast together */
export const where = (condition: Tensor, a: Argument, b: Argument): Tensor => applyWhere([condition, a, b]);

const applyBroadcast = elementwise("broadcastTo", "copy", (_, dy) => [dy]);
/** Stretches axes of size 1.
 *  @shape x -> shape
 *  @throws ShapeError when x does not broadcast to `shape` */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  checkTensor("broadcastTo", "x", x);
  checkShape(shape, "broadcastTo");
  if (sameShape(x.shape, shape)) return x;
  const y = applyBroadcast([x], shape);
  if (!sameShape(y.shape, shape)) {
    throw new ShapeError(
      `broadcastTo: [${x.shape}] does not stretch to [${shape}]. Every axis must be equal or 1, aligned from the right.`,
    );
  }
  return y;
}

const applyStop = elementwise("stopGradient", "copy", () => []);
/** y = x, but nothing flows back. */
export const stopGradient = (x: Tensor): Tensor => applyStop([x]);
