import { ShapeError } from "../../base/errors.js";
import { checkOptions, checkValue, notNegative } from "../../base/options.js";
import { sameShape, showShape } from "../../base/shape.js";
import { defineOp } from "../op.js";
import { checkTensors, type Tensor, tensorRule } from "../tensor.js";
import { add, broadcastTo, mul, neg, square, sub } from "./elementwise.js";
import { mean, sum, sumTo } from "./reduce.js";
import { times } from "./vanishing.js";

interface LayerNormAttributes {
  readonly eps: number;
  /** 1: the factor is 1 + scale (modulation); 0: scale itself (affine). */
  readonly offset: 0 | 1;
  readonly hasScale: boolean;
  readonly hasShift: boolean;
}

/** Consecutive rows that share one row of scale and shift. */
function rowsPerGroup(x: Tensor, scale: Tensor | undefined): number {
  const columns = x.shape.at(-1) as number;
  return x.size / columns / (scale ? scale.size / columns : 1);
}

const operands = (inputs: readonly Tensor[], { hasScale, hasShift }: LayerNormAttributes) => ({
  x: inputs[0],
  scale: hasScale ? inputs[1] : undefined,
  shift: hasShift ? inputs[hasScale ? 2 : 1] : undefined,
});

const rowMean = (x: Tensor): Tensor => mean(x, -1, true);

/** dx = rstd·P(g), P(g) = g - mean(g) - x̂·mean(g·x̂), g = dy·(offset + scale). */
function layerNormGrad(dy: Tensor, x: Tensor, average: Tensor, rstd: Tensor, scale?: Tensor, offset: 0 | 1 = 1): Tensor {
  return layerNormGradOp([dy, x, average, rstd, ...(scale ? [scale] : [])], { offset })[0];
}

/** What a gradient of rstd = 1/√(var + eps) is to x: -dRstd·rstd²·x̂ / D. */
const throughRstd = (dRstd: Tensor, rstd: Tensor, normal: Tensor): Tensor =>
  times(times(dRstd, mul(square(rstd), -1 / (normal.shape.at(-1) as number))), normal);

const layerNormGradOp = defineOp<{ offset: 0 | 1 }>({
  name: "layerNormGrad",
  infer: ([, x]) => [{ shape: x.shape }],
  // mean and rstd are taken as what they are, functions of x: nothing is left for them to pass on.
  gradient: ({ inputs, attributes: { offset }, dy: v }) => {
    const [dy, x, average, rstd, scale] = inputs as [Tensor, Tensor, Tensor, Tensor, Tensor?];
    const factor = scale && (offset === 1 ? add(scale, 1) : scale);
    const g = factor ? times(dy, factor) : dy;
    const normal = mul(sub(x, average), rstd);
    const back = (u: Tensor) => layerNormGrad(u, x, average, rstd); // rstd·P(u)
    const dg = back(v); // P is its own adjoint
    const [vn, gn] = [rowMean(times(v, normal)), rowMean(times(g, normal))];
    // x is in x̂, of which the gradient is rstd·P again, and in rstd, which multiplies Σ v·P(g).
    const dNormal = neg(times(add(times(v, gn), times(g, vn)), rstd));
    const dRstd = sum(times(v, sub(sub(g, rowMean(g)), times(normal, gn))), -1, true);
    return [
      factor ? times(dg, factor) : dg,
      add(back(dNormal), throughRstd(dRstd, rstd, normal)),
      undefined,
      undefined,
      ...(scale ? [sumTo(times(dg, dy), scale.shape)] : []),
    ];
  },
  lowering: {
    kind: "calls",
    emit: (e, { offset }) => {
      const x = e.inputs[1];
      const columns = x.shape.at(-1) as number;
      e.call("layerNormGrad", {
        dx: e.output(0),
        dy: e.input(0),
        x: e.input(1),
        mean: e.input(2),
        rstd: e.input(3),
        scale: e.inputs.length > 4 ? e.input(4) : null,
        rows: x.size / columns,
        columns,
        rowsPerGroup: rowsPerGroup(x, e.inputs[4]),
        offset,
      });
    },
  },
});

const layerNormOp = defineOp<LayerNormAttributes>({
  name: "layerNorm",
  infer: (inputs, attributes) => {
    const { x, scale, shift } = operands(inputs, attributes);
    const columns = x.shape.at(-1);
    if (columns === undefined) throw new ShapeError("layerNorm: needs at least one axis, got a single number.");
    for (const [name, t] of [
      ["scale", scale],
      ["shift", shift],
    ] as const) {
      if (!t) continue;
      // [D], or x's leading axes followed by ones and D: every group of consecutive rows has its own.
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
    if (scale && shift && scale.size !== shift.size) {
      throw new ShapeError(
        `layerNorm: scale ${showShape(scale.shape)} and shift ${showShape(shift.shape)} must have the same shape.`,
      );
    }
    const statistics = { shape: [...x.shape.slice(0, -1), 1] };
    return [{ shape: x.shape }, statistics, statistics];
  },
  gradient: ({ inputs, outputs, attributes, dOutputs: [dy, dMean, dRstd] }) => {
    const { x, scale, shift } = operands(inputs, attributes);
    const [, average, rstd] = outputs as [Tensor, Tensor, Tensor];
    const normal = mul(sub(x, average), rstd);
    const parts = [
      dy && layerNormGrad(dy, x, average, rstd, scale, attributes.offset),
      dMean && broadcastTo(mul(dMean, 1 / (x.shape.at(-1) as number)), x.shape),
      dRstd && throughRstd(dRstd, rstd, normal),
    ].filter((part) => part !== undefined);
    return [
      parts.reduce((all, part) => add(all, part)),
      ...(scale ? [dy && sumTo(times(dy, normal), scale.shape)] : []),
      ...(shift ? [dy && sumTo(dy, shift.shape)] : []),
    ];
  },
  lowering: {
    kind: "calls",
    emit: (e, attributes) => {
      const { x, scale, shift } = operands(e.inputs, attributes);
      const columns = x.shape.at(-1) as number;
      e.call("layerNorm", {
        y: e.output(0),
        mean: e.output(1),
        rstd: e.output(2),
        x: e.input(0),
        scale: scale ? e.input(1) : null,
        shift: shift ? e.input(scale ? 2 : 1) : null,
        rows: x.size / columns,
        columns,
        rowsPerGroup: rowsPerGroup(x, scale ?? shift),
        offset: attributes.offset,
        eps: attributes.eps,
      });
    },
  },
});

function normalize(x: Tensor, scale: Tensor | undefined, shift: Tensor | undefined, eps: number, offset: 0 | 1): Tensor {
  const inputs = [x, ...(scale ? [scale] : []), ...(shift ? [shift] : [])];
  return layerNormOp(inputs, { eps, offset, hasScale: scale !== undefined, hasShift: shift !== undefined })[0];
}

/** Layer normalisation over the last axis: y = (x - mean) / √(var + eps) · weight + bias.
 *  @shape x [..., D], weight [D], bias [D] -> y [..., D]
 *  @source Ba, Kiros and Hinton, arXiv 1607.06450 */
export function layerNorm(x: Tensor, options: { weight?: Tensor; bias?: Tensor; eps?: number } = {}): Tensor {
  checkTensors("layerNorm", { x });
  checkOptions("layerNorm", options, { weight: tensorRule, bias: tensorRule, eps: notNegative });
  return normalize(x, options.weight, options.bias, options.eps ?? 1e-6, 0);
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
  return normalize(x, scale, shift, eps, 1);
}
