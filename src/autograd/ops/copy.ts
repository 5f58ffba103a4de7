/** Ops that move numbers without changing them: transpose, slice, concat, pad. */
import { ShapeError } from "../../base/errors.js";
import { mergeAxes, normalizeAxes, type Shape, showShape, sizeOf, stridesOf } from "../../base/shape.js";
import type { View } from "../buffer.js";
import { defineOp, type Emitter } from "../op.js";
import { checkTensorList, checkTensors, constant, type Tensor } from "../tensor.js";
import { broadcastTo } from "./elementwise.js";

/** Axes that a strided copy walks. */
const mostAxes = 6;

/** Emits a strided copy over `domain`, folding axes that run together; the caller sees to it that no more than six are left. */
export function emitCopy(
  emitter: Emitter,
  y: View,
  x: View,
  domain: Shape,
  yStrides: readonly number[],
  xStrides: readonly number[],
  yOffset = 0,
  xOffset = 0,
): void {
  const merged = mergeAxes(domain, [yStrides, xStrides]);
  if (merged.domain.length > mostAxes)
    throw new Error(`copy: ${merged.domain.length} axes of ${showShape(domain)} cannot be walked at once`);
  const six = (fill: number, own: readonly number[]) => [...new Array<number>(mostAxes - own.length).fill(fill), ...own];
  const [d0, d1, d2, d3, d4, d5] = six(1, merged.domain);
  const [y0, y1, y2, y3, y4, y5] = six(0, merged.strides[0] ?? []);
  const [x0, x1, x2, x3, x4, x5] = six(0, merged.strides[1] ?? []);
  const sizes = { d0, d1, d2, d3, d4, d5 };
  const strides = { y0, y1, y2, y3, y4, y5, x0, x1, x2, x3, x4, x5 };
  emitter.call("copyStrided", { y, x, yOffset, xOffset, ...sizes, ...strides });
}

const transposeOp = defineOp<{ readonly order: readonly number[] }>()({
  name: "transpose",
  operands: { x: "needed" },
  results: { y: "always" },
  takesI32: true,
  infer: ({ x }, { order }) => ({ y: { shape: order.map((axis) => x.shape[axis]), dtype: x.dtype } }),
  gradient: (_, { y: dy }, { order }) => {
    const back = order.map((_own, axis) => order.indexOf(axis));
    return { x: transpose(dy, back) };
  },
  lowering: {
    kind: "calls",
    emit: (e, { y, x }, t, { order }) => {
      const own = stridesOf(t.x.shape);
      const xStrides = order.map((axis) => own[axis]);
      emitCopy(e, y, x, t.y.shape, stridesOf(t.y.shape), xStrides);
    },
  },
});

/** Reorders axes: axis i of y is axis order[i] of x. By default the last two swap.
 *  @shape x [...] -> y [x[order[0]], x[order[1]], …]
 *  @throws ShapeError unless `order` names every axis once */
export function transpose(x: Tensor, order?: readonly number[]): Tensor {
  checkTensors("transpose", { x });
  const rank = x.shape.length;
  if (order === undefined && rank < 2)
    throw new ShapeError(`transpose: needs two axes to swap, got ${showShape(x.shape)}. Reshape it to a row or a column.`);
  const full = order ?? [...Array(rank - 2).keys(), rank - 1, rank - 2];
  if (
    normalizeAxes(full, rank, "transpose").length !== rank ||
    normalizeAxes(full, rank, "transpose").some((axis, i) => axis !== i)
  ) {
    throw new ShapeError(`transpose: order [${full}] must name each of the ${rank} axes of ${showShape(x.shape)} once.`);
  }
  return reordered(
    x,
    full.map((axis) => (axis < 0 ? axis + rank : axis)),
  );
}

/** A transpose, in steps where one copy has not axes enough: each brings as many of y's first axes to the front as it can. */
function reordered(x: Tensor, order: readonly number[]): Tensor {
  if (order.every((axis, i) => axis === i)) return x;
  const inOrder = order.map((_, axis) => axis);
  const steps = inOrder.map((count) => {
    const front = order.slice(0, order.length - count);
    return [...front, ...inOrder.filter((axis) => !front.includes(axis))];
  });
  const step = steps.find((own) => axesWalked(x.shape, own) <= mostAxes) ?? order;
  const y = transposeOp({ x }, { order: step }).y;
  return reordered(
    y,
    order.map((axis) => step.indexOf(axis)),
  );
}

/** Axes that a copy in another order has to walk: those that stay neighbours are one. */
function axesWalked(shape: Shape, order: readonly number[]): number {
  const own = stridesOf(shape);
  const domain = order.map((axis) => shape[axis]);
  return mergeAxes(domain, [stridesOf(domain), order.map((axis) => own[axis])]).domain.length;
}

/** One axis, counted from 0. */
function oneAxis(axis: number, x: Tensor, where: string): number {
  const [own, ...more] = normalizeAxes(axis, x.shape.length, where);
  if (own === undefined || more.length > 0) throw new ShapeError(`${where}: needs one axis, got [${axis}].`);
  return own;
}

export interface SliceAttributes {
  readonly axis: number;
  readonly start: number;
  readonly length: number;
}
const inner = (shape: Shape, axis: number): number => sizeOf(shape.slice(axis + 1));
const resized = (shape: Shape, axis: number, size: number): number[] => shape.map((own, i) => (i === axis ? size : own));

const slicing = {
  operands: { x: "needed" },
  results: { y: "always" },
  takesI32: true,
  infer: ({ x }: { readonly x: Tensor }, { axis, length }: SliceAttributes) => ({
    y: { shape: resized(x.shape, axis, length), dtype: x.dtype },
  }),
  gradient: ({ x }: { readonly x: Tensor }, { y: dy }: { readonly y: Tensor }, { axis, start, length }: SliceAttributes) => ({
    x: pad(dy, axis, start, x.shape[axis] - start - length),
  }),
} as const;

const sliceOp = defineOp<SliceAttributes>()({
  ...slicing,
  name: "slice",
  lowering: {
    kind: "calls",
    emit: (e, { y, x }, t, { axis, start }) => {
      const domain = t.y.shape;
      emitCopy(e, y, x, domain, stridesOf(domain), stridesOf(t.x.shape), 0, start * inner(t.x.shape, axis));
    },
  },
});

/** A slice that is contiguous in memory: no copy. */
const sliceViewOp = defineOp<SliceAttributes & { readonly offset: number }>()({
  ...slicing,
  name: "sliceView",
  lowering: { kind: "alias", offset: ({ offset }) => offset },
});

/** The part start..end-1 of one axis.
 *  @shape x [..., n, ...] -> y [..., end - start, ...]
 *  @throws ShapeError when the range is empty or leaves the axis */
export function slice(x: Tensor, axis: number, start: number, end: number): Tensor {
  checkTensors("slice", { x });
  const own = oneAxis(axis, x, "slice");
  const size = x.shape[own];
  if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start < end && end <= size)) {
    throw new ShapeError(
      `slice: range ${start}..${end} must lie within axis ${own} of ${showShape(x.shape)}: 0 ≤ start < end ≤ ${size}.`,
    );
  }
  if (start === 0 && end === size) return x;
  const attributes = { axis: own, start, length: end - start };
  return (
    isOutermost(x, own)
      ? sliceViewOp({ x }, { ...attributes, offset: start * inner(x.shape, own) })
      : sliceOp({ x }, attributes)
  ).y;
}

/** Whether parts of an axis lie in memory one behind the other. */
const isOutermost = ({ shape }: Tensor, axis: number): boolean => sizeOf(shape.slice(0, axis)) === 1;

/** Equal parts that are contiguous in memory: no copies. Their gradients are joined, not each padded and all added. */
const splitViewOp = defineOp<{ readonly axis: number; readonly parts: number; readonly partSize: number }>()({
  name: "splitView",
  operands: { x: "needed" },
  results: { parts: "list" },
  takesI32: true,
  infer: ({ x: { shape, dtype } }, { axis, parts }) => ({
    parts: Array.from({ length: parts }, () => ({ shape: resized(shape, axis, shape[axis] / parts), dtype })),
  }),
  gradient: ({ parts }, d, { axis }) => ({
    x: concat(
      parts.map(({ shape }, i) => d.parts[i] ?? broadcastTo(constant(0), shape)),
      axis,
    ),
  }),
  lowering: { kind: "alias", offset: ({ partSize }, index) => index * partSize },
});

/** Cuts an axis into equal parts.
 *  @shape x [..., parts·n, ...] -> parts × [..., n, ...]
 *  @throws ShapeError when the axis is not a whole number of parts */
export function split(x: Tensor, axis: number, parts: number): Tensor[] {
  checkTensors("split", { x });
  const own = oneAxis(axis, x, "split");
  const size = x.shape[own];
  if (!Number.isInteger(parts) || parts < 1 || size % parts !== 0)
    throw new ShapeError(`split: axis ${own} of ${showShape(x.shape)} is not a whole number of ${parts} parts.`);
  if (parts > 1 && isOutermost(x, own)) return [...splitViewOp({ x }, { axis: own, parts, partSize: x.size / parts }).parts];
  const length = size / parts;
  return Array.from({ length: parts }, (_, i) => slice(x, own, i * length, (i + 1) * length));
}

const concatOp = defineOp<{ readonly axis: number }>()({
  name: "concat",
  operands: { parts: "list" },
  results: { y: "always" },
  takesI32: true,
  infer: ({ parts }, { axis }) => {
    const [first] = parts;
    for (const x of parts) {
      if (x.dtype !== first.dtype)
        throw new ShapeError(`concat: all tensors must be of one type, got ${parts.map((t) => t.dtype).join(", ")}.`);
      const fits = x.shape.length === first.shape.length && x.shape.every((size, i) => i === axis || size === first.shape[i]);
      if (!fits)
        throw new ShapeError(
          `concat: all axes but ${axis} must agree, got ${parts.map((t) => showShape(t.shape)).join(", ")}.`,
        );
    }
    const total = parts.reduce((sum, x) => sum + x.shape[axis], 0);
    return { y: { shape: resized(first.shape, axis, total), dtype: first.dtype } };
  },
  gradient: ({ parts }, { y: dy }, { axis }) => {
    let start = 0;
    const gradients = parts.map((x) => {
      const length = x.shape[axis];
      start += length;
      return slice(dy, axis, start - length, start);
    });
    return { parts: gradients };
  },
  lowering: {
    kind: "calls",
    joins: ({ parts: [first] }, { axis }) => isOutermost(first, axis),
    emit: (e, { y, parts }, t, { axis }) => {
      const domain = t.y.shape;
      let start = 0;
      t.parts.forEach((x, i) => {
        const offset = start * inner(domain, axis);
        const isThere = parts[i].buffer === y.buffer && parts[i].offset === y.offset + offset;
        if (!isThere) emitCopy(e, y, parts[i], x.shape, stridesOf(domain), stridesOf(x.shape), offset);
        start += x.shape[axis];
      });
    },
  },
});

/** Joins tensors along an axis.
 *  @shape [..., n_i, ...] -> [..., Σ n_i, ...]
 *  @throws ShapeError when another axis differs */
export function concat(inputs: readonly Tensor[], axis: number): Tensor {
  checkTensorList("concat", inputs);
  const [first] = inputs;
  if (!first) throw new ShapeError("concat: needs at least one tensor, got none.");
  const own = oneAxis(axis, first, "concat");
  return inputs.length === 1 ? first : concatOp({ parts: inputs }, { axis: own }).y;
}

const padOp = defineOp<{ readonly axis: number; readonly before: number; readonly after: number }>()({
  name: "pad",
  operands: { x: "needed" },
  results: { y: "always" },
  takesI32: true,
  infer: ({ x: { shape, dtype } }, { axis, before, after }) => ({
    y: { shape: resized(shape, axis, shape[axis] + before + after), dtype },
  }),
  gradient: ({ x }, { y: dy }, { axis, before }) => ({ x: slice(dy, axis, before, before + x.shape[axis]) }),
  lowering: {
    kind: "calls",
    emit: (e, { y, x }, t, { axis, before }) => {
      const [domain, own] = [t.y.shape, t.x.shape];
      e.call("fill", { y, n: sizeOf(domain), value: 0 });
      emitCopy(e, y, x, own, stridesOf(domain), stridesOf(own), before * inner(domain, axis));
    },
  },
});

/** Zeros before and after along one axis.
 *  @shape x [..., n, ...] -> y [..., before + n + after, ...]
 *  @throws ShapeError when a width is negative */
export function pad(x: Tensor, axis: number, before: number, after: number): Tensor {
  checkTensors("pad", { x });
  if (!(Number.isInteger(before) && Number.isInteger(after) && before >= 0 && after >= 0)) {
    throw new ShapeError(`pad: widths must be whole and not negative, got ${before} before and ${after} after.`);
  }
  const own = oneAxis(axis, x, "pad");
  return before + after === 0 ? x : padOp({ x }, { axis: own, before, after }).y;
}

export default {
  transpose: transposeOp,
  slice: sliceOp,
  sliceView: sliceViewOp,
  splitView: splitViewOp,
  concat: concatOp,
  pad: padOp,
};
