/** Reductions over any axes. A chain of elementwise ops in front of a sum is computed inside it. */
import { checkShape, normalizeAxes, type Shape, sizeOf } from "../../base/shape.js";
import { defineOp } from "../op.js";
import { checkTensor, type Tensor } from "../tensor.js";
import { add, broadcastTo, div, equal, exp, log, mul, stopGradient, sub, where } from "./elementwise.js";
import { reshape } from "./reshape.js";

export interface ReduceAttributes {
  readonly axes: readonly number[];
}

const kept = (shape: Shape, axes: readonly number[]): number[] => shape.map((size, axis) => (axes.includes(axis) ? 1 : size));

const sumOp = defineOp<ReduceAttributes>()({
  name: "sum",
  operands: { x: "needed" },
  results: { y: "always" },
  infer: ({ x }, { axes }) => ({ y: kept(x.shape, axes) }),
  gradient: ({ x }, { y: dy }) => ({ x: broadcastTo(dy, x.shape) }),
  lowering: { kind: "reduce", mode: "sum", axes: ({ axes }) => axes },
});

const maxOp = defineOp<ReduceAttributes>()({
  name: "max",
  operands: { x: "needed" },
  results: { y: "always" },
  infer: ({ x }, { axes }) => ({ y: kept(x.shape, axes) }),
  // Equal maxima share the gradient evenly.
  gradient: ({ x, y }, { y: dy }, { axes }) => {
    const isMax = equal(x, y);
    return { x: where(isMax, div(dy, sum(isMax, axes, true)), 0) };
  },
  lowering: { kind: "reduce", mode: "max", axes: ({ axes }) => axes },
});

/** The axes to reduce, cut into runs of neighbours (axes of size 1 do not part them), innermost first: a kernel reduces one run. */
function runs(shape: Shape, axes: readonly number[]): number[][] {
  const result: number[][] = [];
  let open = false;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] === 1) continue;
    if (!axes.includes(axis)) open = false;
    else if (open) result.at(-1)?.unshift(axis);
    else open = result.push([axis]) > 0;
  }
  return result;
}

function reduction(name: string, op: typeof sumOp | typeof maxOp) {
  return (x: Tensor, axes?: number | readonly number[], keepAxes = false): Tensor => {
    checkTensor(name, "x", x);
    const list = normalizeAxes(axes ?? x.shape.map((_, axis) => axis), x.shape.length, name);
    const y = runs(x.shape, list).reduce((t, run) => op({ x: t }, { axes: run }).y, x);
    return keepAxes
      ? y
      : reshape(
          y,
          x.shape.filter((_, axis) => !list.includes(axis)),
        );
  };
}

/** Sum over `axes` (all by default); `keepAxes` leaves them with size 1.
 *  @shape x [...] -> y without the axes */
export const sum = reduction("sum", sumOp);

/** Largest element over `axes` (all by default).
 *  @shape x [...] -> y without the axes */
export const max = reduction("max", maxOp);

/** Average over `axes` (all by default).
 *  @shape x [...] -> y without the axes */
export function mean(x: Tensor, axes?: number | readonly number[], keepAxes = false): Tensor {
  const y = sum(x, axes, keepAxes);
  return mul(y, sizeOf(y.shape) / x.size);
}

/**
 * ln Σ eˣ over `axes`, safe for large x and for infinite ones: without anything above -∞ it is -∞, and an ∞ makes it ∞; there no gradient
 * flows.
 * @shape x [...] -> y without the axes
 */
export function logSumExp(x: Tensor, axes?: number | readonly number[], keepAxes = false): Tensor {
  const largest = stopGradient(max(x, axes, true));
  const finite = equal(sub(largest, largest), 0);
  // The distances from the largest; from an infinite one, 0 or -∞.
  const below = where(finite, sub(x, largest), where(equal(x, largest), 0, Number.NEGATIVE_INFINITY));
  const y = add(log(sum(exp(below), axes, true)), largest);
  const list = normalizeAxes(axes ?? x.shape.map((_, axis) => axis), x.shape.length, "logSumExp");
  return keepAxes
    ? y
    : reshape(
        y,
        x.shape.filter((_, axis) => !list.includes(axis)),
      );
}

/** Sums the axes along which `shape` was stretched: the adjoint of broadcasting. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  checkTensor("sumTo", "x", x);
  checkShape(shape, "sumTo");
  const lead = x.shape.length - shape.length;
  const axes = x.shape.flatMap((size, axis) => (axis < lead || (shape[axis - lead] === 1 && size !== 1) ? [axis] : []));
  return reshape(axes.length === 0 ? x : sum(x, axes, true), shape);
}

export default { sum: sumOp, max: maxOp };
