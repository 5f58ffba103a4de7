/** Whole numbers and what is made of them: places of largest elements, one-hot rows. */
import { ShapeError } from "../../base/errors.js";
import { checkValue, whole } from "../../base/options.js";
import { normalizeAxes, sizeOf } from "../../base/shape.js";
import { defineOp } from "../op.js";
import { checkTensor, constant, type Tensor } from "../tensor.js";
import { equal } from "./elementwise.js";
import { reshape } from "./reshape.js";

const argMaxOp = defineOp<{ readonly axis: number }>()({
  name: "argMax",
  operands: { x: "needed" },
  results: { y: "always" },
  infer: ({ x }, { axis }) => ({ y: { shape: x.shape.map((size, i) => (i === axis ? 1 : size)), dtype: "i32" } }),
  lowering: {
    kind: "calls",
    emit: (e, { y, x }, { x: { shape } }, { axis }) => {
      const [outer, inner] = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis + 1))];
      e.call("argMax", { y, x, outer, length: shape[axis], inner });
    },
  },
});

/** Place of the largest element along an axis, the first of equals; without an axis, in the tensor's numbers in a row. NaN counts as
 *  the largest. No gradient: what follows may have one.
 *  @shape x [..., n, ...] -> i32 y without the axis, or with size 1 for it if `keepAxis`
 *  @units 0..n-1
 *  @throws ShapeError when there is no such axis */
export function argMax(x: Tensor, axis?: number, keepAxis = false): Tensor {
  checkTensor("argMax", "x", x);
  if (axis === undefined) {
    const place = argMax(reshape(x, [x.size]), 0);
    return keepAxis
      ? reshape(
          place,
          x.shape.map(() => 1),
        )
      : place;
  }
  const [own, ...more] = normalizeAxes(axis, x.shape.length, "argMax");
  if (own === undefined || more.length > 0) throw new ShapeError(`argMax: needs one axis, got [${axis}].`);
  const y = argMaxOp({ x }, { axis: own }).y;
  return keepAxis
    ? y
    : reshape(
        y,
        x.shape.filter((_, i) => i !== own),
      );
}

const toF32Op = defineOp()({
  name: "toF32",
  operands: { x: "needed" },
  results: { y: "always" },
  takesI32: true,
  infer: ({ x }) => ({ y: x.shape }),
  gradient: () => ({}),
  lowering: { kind: "calls", emit: (e, { y, x }, t) => e.call("toF32", { y, x, n: t.x.size }) },
});

/** Whole numbers as f32, to compute with; exact up to 2²⁴. An f32 tensor stays as it is.
 *  @shape x [...] -> y [...] */
export function toF32(x: Tensor): Tensor {
  checkTensor("toF32", "x", x);
  return x.dtype === "f32" ? x : toF32Op({ x }).y;
}

/** The labels of all classes as f32: 0, 1, …, classes - 1. @shape -> [classes] */
export const allLabels = (classes: number): Tensor => constant(Float64Array.from({ length: classes }, (_, i) => i));

/** Rows of zeros with a 1 at each label; a label outside 0..classes-1 gives zeros alone.
 *  @shape labels i32 [...] -> [..., classes]
 *  @throws ShapeError when labels are not i32
 *  @throws ConfigError when classes is not a positive whole number */
export function oneHot(labels: Tensor, classes: number): Tensor {
  checkTensor("oneHot", "labels", labels);
  checkValue("oneHot", "classes", classes, whole(1, 2 ** 24));
  if (labels.dtype !== "i32")
    throw new ShapeError(`oneHot: labels must be i32, got ${labels}. Give them as an Int32Array, or as input(shape, "i32").`);
  return equal(reshape(toF32(labels), [...labels.shape, 1]), allLabels(classes));
}

export default { argMax: argMaxOp, toF32: toF32Op };
