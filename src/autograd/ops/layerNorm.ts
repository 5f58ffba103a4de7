import { ShapeError } from "../../base/errors.js";
import { checkOptions, checkValue, notNegative } from "../../base/options.js";
import { lastOf, type Shape, sameShape, showShape } from "../../base/shape.js";
import { defineOp } from "../op.js";
import { checkTensors, type Tensor, tensorRule } from "../tensor.js";
import { add, broadcastTo, mul, neg, square, sub } from "./elementwise.js";
import { mean, sum, sumTo } from "./reduce.js";
import { times } from "./vanishing.js";

export interface LayerNormAttributes {
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

/** What a gradient of rstd = 1/√(var + eps) is to x: -dRstd·rstd²·x̂ / D. */
const throughRstd = (dRstd: Tensor, rstd: Tensor, normal: Tensor): Tensor =>
  times(times(dRstd, mul(square(rstd), -1 / lastOf(normal.shape))), normal);

/** rstd·P(u), P(u) = u - mean(u) - x̂·mean(u·x̂). */
const projected = (u: Tensor, x: Tensor, average: Tensor, rstd: Tensor): Tensor =>
  layerNormGradOp({ dy: u, x, mean: average, rstd }, { offset: 1 }).dx;

/** dx = rstd·P(g), g = dy·(offset + scale). */
const layerNormGradOp = defineOp<Pick<LayerNormAttributes, "offset">>()({
  name: "layerNormGrad",
  operands: { dy: "needed", x: "needed", mean: "needed", rstd: "needed", scale: "optional" },
  results: { dx: "always" },
  infer: ({ x }) => ({ dx: x.shape }),
  // mean and rstd are taken as what they are, functions of x: nothing is left for them to pass on.
  gradient: ({ dy, x, mean: average, rstd, scale }, { dx: v }, { offset }) => {
    const factor = scale && (offset === 1 ? add(scale, 1) : scale);
    const g = factor ? times(dy, factor) : dy;
    const normal = mul(sub(x, average), rstd);
    const back = (u: Tensor) => projected(u, x, average, rstd);
    const dg = back(v); // P is its own adjoint
    const [vn, gn] = [rowMean(times(v, normal)), rowMean(times(g, normal))];
    // x is in x̂, of which the gradient is rstd·P again, and in rstd, which multiplies Σ v·P(g).
    const dNormal = neg(times(add(times(v, gn), times(g, vn)), rstd));
    const dRstd = sum(times(v, sub(sub(g, rowMean(g)), times(normal, gn))), -1, true);
    return {
      dy: factor ? times(dg, factor) : dg,
      x: add(back(dNormal), throughRstd(dRstd, rstd, normal)),
      scale: scale && sumTo(times(dg, dy), scale.shape),
    };
  },
  lowering: {
    kind: "calls",
    emit: (e, { scale = null, ...views }, t, { offset }) =>
      e.call("layerNormGrad", { ...views, scale, ...rowsOf(t.x, t.scale), offset }),
  },
});

/** Gradients of scale and shift: Σ dy·x̂ and Σ dy over the rows that share them. */
const layerNormSumsOp = defineOp<{ readonly shape: Shape }>()({
  name: "layerNormSums",
  operands: { dy: "needed", x: "needed", mean: "needed", rstd: "needed" },
  results: { dScale: "always", dShift: "always" },
  infer: (_, { shape }) => ({ dScale: shape, dShift: shape }),
  gradient: ({ dy, x, mean: average, rstd }, { dScale, dShift }) => {
    const normal = mul(sub(x, average), rstd);
    const dNormal = dScale && times(dScale, dy); // [..., D]
    const dRows = dNormal && times(dNormal, rstd);
    const parts = [dScale && times(dScale, normal), dShift && broadcastTo(dShift, x.shape)].filter(
      (part) => part !== undefined,
    );
    return {
      dy: parts.reduce((all, part) => add(all, part)),
      x: dRows,
      mean: dRows && neg(sum(dRows, -1, true)),
      rstd: dNormal && sum(times(dNormal, sub(x, average)), -1, true),
    };
  },
  lowering: {
    kind: "calls",
    emit: (e, views, t) => e.call("layerNormSums", { ...views, ...rowsOf(t.x, t.dScale) }),
  },
});

/** Scale or shift is [D], or x's leading axes followed by ones and D: every group of consecutive rows has its own. */
function checkShared(x: Tensor, name: string, t: Tensor): void {
  const columns = x.shape.at(-1);
  const groups = t.shape.findIndex((size, axis) => size !== x.shape[axis]);
  const rest = t.shape.slice(groups < 0 ? t.shape.length : groups, -1);
  const fits =
    t.shape.at(-1) === columns &&
    (t.size === columns || (t.shape.length === x.shape.length && rest.every((size) => size === 1)));
  if (!fits) {
    throw new ShapeError(
      `layerNorm: ${name} must be [${columns}], or the leading axes of x ${showShape(x.shape)} then ones then ${columns}; got ${showShape(t.shape)}.`,
    );
  }
}

const layerNormOp = defineOp<LayerNormAttributes>()({
  name: "layerNorm",
  operands: { x: "needed", scale: "optional", shift: "optional" },
  results: { y: "always", mean: "always", rstd: "always" },
  infer: ({ x, scale, shift }) => {
    if (x.shape.length === 0) throw new ShapeError("layerNorm: needs at least one axis, got a single number.");
    if (scale) checkShared(x, "scale", scale);
    if (shift) checkShared(x, "shift", shift);
    if (scale && shift && scale.size !== shift.size) {
      throw new ShapeError(
        `layerNorm: scale ${showShape(scale.shape)} and shift ${showShape(shift.shape)} must have the same shape.`,
      );
    }
    const statistics = [...x.shape.slice(0, -1), 1];
    return { y: x.shape, mean: statistics, rstd: statistics };
  },
  gradient: ({ x, scale, shift, mean: average, rstd }, { y: dy, mean: dMean, rstd: dRstd }, { offset }) => {
    const normal = mul(sub(x, average), rstd);
    const parts = [
      dy && layerNormGradOp({ dy, x, mean: average, rstd, scale }, { offset }).dx,
      dMean && broadcastTo(mul(dMean, 1 / lastOf(x.shape)), x.shape),
      dRstd && throughRstd(dRstd, rstd, normal),
    ].filter((part) => part !== undefined);
    const dx = parts.reduce((all, part) => add(all, part));
    if (dy && scale && shift) {
      const { dScale, dShift } = layerNormSumsOp({ dy, x, mean: average, rstd }, { shape: scale.shape });
      return { x: dx, scale: dScale, shift: dShift };
    }
    return {
      x: dx,
      scale: dy && scale && sumTo(times(dy, normal), scale.shape),
      shift: dy && shift && sumTo(dy, shift.shape),
    };
  },
  lowering: {
    kind: "calls",
    emit: (e, { scale = null, shift = null, ...views }, t, { offset, eps }) =>
      e.call("layerNorm", { ...views, scale, shift, ...rowsOf(t.x, t.scale ?? t.shift), offset, eps }),
  },
});

const rmsNormOp = defineOp<{ readonly eps: number }>()({
  name: "rmsNorm",
  operands: { x: "needed", scale: "optional" },
  results: { y: "always", rstd: "always" },
  infer: ({ x, scale }) => {
    if (x.shape.length === 0) throw new ShapeError("rmsNorm: needs at least one axis, got a single number.");
    if (scale && !sameShape(scale.shape, x.shape.slice(-1)))
      throw new ShapeError(`rmsNorm: the weight must be [${lastOf(x.shape)}], got ${showShape(scale.shape)}.`);
    return { y: x.shape, rstd: [...x.shape.slice(0, -1), 1] };
  },
  // dx = rstd·(g - x̂·mean(g·x̂)), g = dy·scale, x̂ = x·rstd
  gradient: ({ x, scale, rstd }, { y: dy, rstd: dRstd }) => {
    const normal = mul(x, rstd);
    const throughStatistics = dRstd && throughRstd(dRstd, rstd, normal);
    if (!dy) return { x: throughStatistics };
    const g = scale ? times(dy, scale) : dy;
    const dx = times(sub(g, times(rowMean(times(g, normal)), normal)), rstd);
    return {
      x: throughStatistics ? add(dx, throughStatistics) : dx,
      scale: scale && sumTo(times(dy, normal), scale.shape),
    };
  },
  lowering: {
    kind: "calls",
    emit: (e, { scale = null, ...views }, { x, rstd }, { eps }) =>
      e.call("rmsNorm", { ...views, scale, rows: rstd.size, columns: lastOf(x.shape), eps }),
  },
});

/** Root-mean-square normalisation over the last axis: y = x / √(mean(x²) + eps) · weight.
 *  @shape x [..., D], weight [D] -> y [..., D]
 *  @throws ShapeError when the weight is not [D]
 *  @source Zhang and Sennrich, arXiv 1910.07467 */
export function rmsNorm(x: Tensor, options: { weight?: Tensor; eps?: number } = {}): Tensor {
  checkTensors("rmsNorm", { x });
  checkOptions("rmsNorm", options, { weight: tensorRule, eps: notNegative });
  return rmsNormOp({ x, scale: options.weight }, { eps: options.eps ?? 1e-6 }).y;
}

/** Layer normalisation over the last axis: y = (x - mean) / √(var + eps) · weight + bias.
 *  @shape x [..., D], weight [D], bias [D] -> y [..., D]
 *  @source Ba, Kiros and Hinton, arXiv 1607.06450 */
export function layerNorm(x: Tensor, options: { weight?: Tensor; bias?: Tensor; eps?: number } = {}): Tensor {
  checkTensors("layerNorm", { x });
  checkOptions("layerNorm", options, { weight: tensorRule, bias: tensorRule, eps: notNegative });
  const { weight: scale, bias: shift, eps = 1e-6 } = options;
  return layerNormOp({ x, scale, shift }, { eps, offset: 0 }).y;
}

/** Layer normalisation followed by a modulation: y = norm(x)·(1 + scale) + shift, one kernel.
 *  @shape x [B, ..., D], shift, scale [B, 1, ..., D] -> y [B, ..., D]
 *  @source Peebles and Xie, arXiv 2212.09748 (adaLN) */
export function modulatedLayerNorm(x: Tensor, shift: Tensor, scale: Tensor, eps = 1e-6): Tensor {
  checkTensors("modulatedLayerNorm", { x, shift, scale });
  checkValue("modulatedLayerNorm", "eps", eps, notNegative);
  if (!sameShape(shift.shape, scale.shape)) {
    throw new ShapeError(
      `modulatedLayerNorm: shift ${showShape(shift.shape)} and scale ${showShape(scale.shape)} must have the same shape.`,
    );
  }
  return layerNormOp({ x, scale, shift }, { eps, offset: 1 }).y;
}

export default { layerNormGrad: layerNormGradOp, layerNormSums: layerNormSumsOp, layerNorm: layerNormOp, rmsNorm: rmsNormOp };
