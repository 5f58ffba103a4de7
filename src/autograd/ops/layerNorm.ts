import { ShapeError } from "../../base/errors.js";
import { checkOptions, checkValue, notNegative } from "../../base/options.js";
import { lastOf, type Shape, sameShape, showShape } from "../../base/shape.js";
import { defineOp } from "../op.js";
import { checkTensors, type Tensor, tensorRule } from "../tensor.js";
import { add, broadcastTo, mul, neg, square, sub } from "./elementwise.js";
import { mean, sum, sumTo } from "./reduce.js";
import { times } from "./vanishing.js";

export interface NormAttributes {
  readonly eps: number;
  /** 1: the factor is 1 + scale (modulation); 0: scale itself (affine). */
  readonly offset: 0 | 1;
}

/** The rows of x, and how many consecutive ones share one row of scale and shift. */
function rowsOf(x: Tensor, shared: Tensor | undefined) {
  const columns = lastOf(x.shape);
  const rows = x.size / columns;
  return { rows, columns, rowsPerGroup: shared ? (rows * columns) / shared.size : rows };
}

const rowMean = (x: Tensor): Tensor => mean(x, -1, true);

/** What a norm has taken of x: its mean, which the RMS norm has not, and rstd. */
interface Statistics {
  readonly x: Tensor;
  readonly mean: Tensor | undefined;
  readonly rstd: Tensor;
}

const centredOf = ({ x, mean: average }: Statistics): Tensor => (average ? sub(x, average) : x);

/** x̂ */
const normalOf = (own: Statistics): Tensor => mul(centredOf(own), own.rstd);

/** What a gradient of rstd = 1/√(var + eps) is to x: -dRstd·rstd²·x̂ / D. */
const throughRstd = (dRstd: Tensor, rstd: Tensor, normal: Tensor): Tensor =>
  times(times(dRstd, mul(square(rstd), -1 / lastOf(normal.shape))), normal);

/** rstd·P(u), P(u) = u - mean(u) - x̂·mean(u·x̂), of the RMS norm without mean(u). */
const projected = (u: Tensor, own: Statistics): Tensor => layerNormGradOp({ dy: u, ...own }, { offset: 1 }).dx;

/** dx = rstd·P(g), g = dy·(offset + scale). */
const layerNormGradOp = defineOp<Pick<NormAttributes, "offset">>()({
  name: "layerNormGrad",
  operands: { dy: "needed", x: "needed", mean: "optional", rstd: "needed", scale: "optional" },
  results: { dx: "always" },
  infer: ({ x }) => ({ dx: x.shape }),
  // mean and rstd are taken as what they are, functions of x: nothing is left for them to pass on.
  gradient: ({ dy, scale, ...own }, { dx: v }, { offset }) => {
    const factor = scale && (offset === 1 ? add(scale, 1) : scale);
    const g = factor ? times(dy, factor) : dy;
    const normal = normalOf(own);
    const dg = projected(v, own); // P is its own adjoint
    const [vn, gn] = [rowMean(times(v, normal)), rowMean(times(g, normal))];
    // x is in x̂, of which the gradient is rstd·P again, and in rstd, which multiplies Σ v·P(g).
    const dNormal = neg(times(add(times(v, gn), times(g, vn)), own.rstd));
    const level = own.mean ? sub(g, rowMean(g)) : g;
    const dRstd = sum(times(v, sub(level, times(normal, gn))), -1, true);
    return {
      dy: factor ? times(dg, factor) : dg,
      x: add(projected(dNormal, own), throughRstd(dRstd, own.rstd, normal)),
      scale: scale && sumTo(times(dg, dy), scale.shape),
    };
  },
  lowering: {
    kind: "calls",
    emit: (e, { mean: average = null, scale = null, ...views }, t, { offset }) =>
      e.call("layerNormGrad", { ...views, mean: average, scale, ...rowsOf(t.x, t.scale), offset }),
  },
});

/** Gradients of scale and shift, which may be absent: Σ dy·x̂ and Σ dy over the rows that share them. */
const layerNormSumsOp = defineOp<{ readonly shape: Shape; readonly shifts: boolean }>()({
  name: "layerNormSums",
  operands: { dy: "needed", x: "needed", mean: "optional", rstd: "needed" },
  results: { dScale: "always", dShift: "optional" },
  infer: (_, { shape, shifts }) => ({ dScale: shape, dShift: shifts ? shape : undefined }),
  gradient: ({ dy, ...own }, { dScale, dShift }) => {
    const dNormal = dScale && times(dScale, dy); // [..., D]
    const dRows = dNormal && times(dNormal, own.rstd);
    const parts = [dScale && times(dScale, normalOf(own)), dShift && broadcastTo(dShift, own.x.shape)].filter(
      (part) => part !== undefined,
    );
    return {
      dy: parts.reduce((all, part) => add(all, part)),
      x: dRows,
      mean: own.mean && dRows && neg(sum(dRows, -1, true)),
      rstd: dNormal && sum(times(dNormal, centredOf(own)), -1, true),
    };
  },
  lowering: {
    kind: "calls",
    emit: (e, { mean: average = null, dShift = null, ...views }, t) =>
      e.call("layerNormSums", { ...views, mean: average, dShift, ...rowsOf(t.x, t.dScale) }),
  },
});

interface NormOperands {
  readonly x: Tensor;
  readonly scale: Tensor | undefined;
  readonly shift: Tensor | undefined;
}

/** Scale or shift is [D], or x's leading axes followed by ones and D: every group of consecutive rows has its own. */
function checkShared(norm: string, x: Tensor, name: string, t: Tensor): void {
  const columns = x.shape.at(-1);
  const groups = t.shape.findIndex((size, axis) => size !== x.shape[axis]);
  const rest = t.shape.slice(groups < 0 ? t.shape.length : groups, -1);
  const fits =
    t.shape.at(-1) === columns &&
    (t.size === columns || (t.shape.length === x.shape.length && rest.every((size) => size === 1)));
  if (!fits) {
    throw new ShapeError(
      `${norm}: ${name} must be [${columns}], or the leading axes of x ${showShape(x.shape)} then ones then ${columns}; got ${showShape(t.shape)}.`,
    );
  }
}

/** The shapes of what a norm gives.
 *  @throws ShapeError when scale or shift do not fit, each by the name that its caller gives it */
function shapesOf(norm: string, { x, scale, shift }: NormOperands, { offset }: NormAttributes) {
  const [factor, addend] = offset === 1 ? ["scale", "shift"] : ["weight", "bias"];
  if (x.shape.length === 0) throw new ShapeError(`${norm}: needs at least one axis, got a single number.`);
  if (scale) checkShared(norm, x, factor, scale);
  if (shift) checkShared(norm, x, addend, shift);
  if (scale && shift && scale.size !== shift.size) {
    throw new ShapeError(
      `${norm}: ${factor} ${showShape(scale.shape)} and ${addend} ${showShape(shift.shape)} must have the same shape.`,
    );
  }
  return { y: x.shape, statistics: [...x.shape.slice(0, -1), 1] };
}

/** Gradients of a norm's operands, from those of y, of the mean and of rstd, each that reaches the loss. */
function gradientsOf(
  { scale, shift, ...own }: NormOperands & Statistics,
  d: { readonly y: Tensor | undefined; readonly mean?: Tensor | undefined; readonly rstd: Tensor | undefined },
  { offset }: NormAttributes,
) {
  const { x, rstd } = own;
  const parts = [
    d.y && layerNormGradOp({ dy: d.y, ...own, scale }, { offset }).dx,
    d.mean && broadcastTo(mul(d.mean, 1 / lastOf(x.shape)), x.shape),
    d.rstd && throughRstd(d.rstd, rstd, normalOf(own)),
  ].filter((part) => part !== undefined);
  const dx = parts.reduce((all, part) => add(all, part));
  if (!d.y) return { x: dx };
  if (!scale) return { x: dx, shift: shift && sumTo(d.y, shift.shape) };
  const { dScale, dShift } = layerNormSumsOp({ dy: d.y, ...own }, { shape: scale.shape, shifts: shift !== undefined });
  return { x: dx, scale: dScale, shift: dShift };
}

const layerNormOp = defineOp<NormAttributes>()({
  name: "layerNorm",
  operands: { x: "needed", scale: "optional", shift: "optional" },
  results: { y: "always", mean: "always", rstd: "always" },
  infer: (x, attributes) => {
    const { y, statistics } = shapesOf("layerNorm", x, attributes);
    return { y, mean: statistics, rstd: statistics };
  },
  gradient: (x, d, attributes) => gradientsOf(x, d, attributes),
  lowering: {
    kind: "calls",
    emit: (e, { scale = null, shift = null, ...views }, t, { offset, eps }) =>
      e.call("layerNorm", { ...views, scale, shift, ...rowsOf(t.x, t.scale ?? t.shift), offset, eps }),
  },
});

const rmsNormOp = defineOp<NormAttributes>()({
  name: "rmsNorm",
  operands: { x: "needed", scale: "optional", shift: "optional" },
  results: { y: "always", rstd: "always" },
  infer: (x, attributes) => {
    const { y, statistics } = shapesOf("rmsNorm", x, attributes);
    return { y, rstd: statistics };
  },
  gradient: (x, d, attributes) => gradientsOf({ ...x, mean: undefined }, d, attributes),
  lowering: {
    kind: "calls",
    emit: (e, { scale = null, shift = null, ...views }, t, { offset, eps }) =>
      e.call("layerNorm", { ...views, mean: null, scale, shift, ...rowsOf(t.x, t.scale ?? t.shift), offset, eps }),
  },
});

/** Root-mean-square normalisation over the last axis: y = x / √(mean(x²) + eps) · weight.
 *  @shape x [..., D], weight [D] -> y [..., D]
 *  @throws ShapeError when the weight is not [D]
 *  @source Zhang and Sennrich, arXiv 1910.07467 */
export function rmsNorm(x: Tensor, options: { weight?: Tensor; eps?: number } = {}): Tensor {
  checkTensors("rmsNorm", { x });
  checkOptions("rmsNorm", options, { weight: tensorRule, eps: notNegative });
  const { weight: scale, eps = 1e-6 } = options;
  if (scale && x.shape.length > 0 && !sameShape(scale.shape, x.shape.slice(-1)))
    throw new ShapeError(`rmsNorm: the weight must be [${lastOf(x.shape)}], got ${showShape(scale.shape)}.`);
  return rmsNormOp({ x, scale }, { eps, offset: 0 }).y;
}

/** Layer normalisation over the last axis: y = (x - mean) / √(var + eps) · weight + bias.
 *  @shape x [..., D], weight [D], bias [D] -> y [..., D]
 *  @throws ShapeError when weight or bias do not fit x, or each other
 *  @source Ba, Kiros and Hinton, arXiv 1607.06450 */
export function layerNorm(x: Tensor, options: { weight?: Tensor; bias?: Tensor; eps?: number } = {}): Tensor {
  checkTensors("layerNorm", { x });
  checkOptions("layerNorm", options, { weight: tensorRule, bias: tensorRule, eps: notNegative });
  const { weight: scale, bias: shift, eps = 1e-6 } = options;
  return layerNormOp({ x, scale, shift }, { eps, offset: 0 }).y;
}

/** Layer normalisation followed by a modulation: y = norm(x)·(1 + scale) + shift, one kernel.
 *  @shape x [B, ..., D], shift, scale [B, 1, ..., D] -> y [B, ..., D]
 *  @throws ShapeError when shift and scale do not fit x, or each other
 *  @source Peebles and Xie, arXiv 2212.09748 (adaLN) */
export const modulatedLayerNorm = (x: Tensor, shift: Tensor, scale: Tensor, eps = 1e-6): Tensor =>
  modulated("modulatedLayerNorm", layerNormOp, { x, scale, shift }, eps);

/** Root-mean-square normalisation followed by a modulation, as `modulatedLayerNorm`.
 *  @shape x [B, ..., D], shift, scale [B, 1, ..., D] -> y [B, ..., D]
 *  @throws ShapeError when shift and scale do not fit x, or each other
 *  @source Zhang and Sennrich, arXiv 1910.07467; Peebles and Xie, arXiv 2212.09748 (adaLN) */
export const modulatedRmsNorm = (x: Tensor, shift: Tensor, scale: Tensor, eps = 1e-6): Tensor =>
  modulated("modulatedRmsNorm", rmsNormOp, { x, scale, shift }, eps);

function modulated(
  name: string,
  norm: typeof layerNormOp | typeof rmsNormOp,
  operands: { readonly x: Tensor; readonly scale: Tensor; readonly shift: Tensor },
  eps: number,
): Tensor {
  const { x, scale, shift } = operands;
  checkTensors(name, { x, shift, scale });
  checkValue(name, "eps", eps, notNegative);
  if (!sameShape(shift.shape, scale.shape)) {
    throw new ShapeError(
      `${name}: shift ${showShape(shift.shape)} and scale ${showShape(scale.shape)} must have the same shape.`,
    );
  }
  return norm(operands, { eps, offset: 1 }).y;
}

export default { layerNormGrad: layerNormGradOp, layerNormSums: layerNormSumsOp, layerNorm: layerNormOp, rmsNorm: rmsNormOp };
