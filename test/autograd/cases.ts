/** One row per op: what every device is held to. */
import * as ops from "../../src/autograd/ops/index.js";
import { constant, type Tensor } from "../../src/autograd/tensor.js";
import { normalNumbers } from "../../src/base/random.js";
import type { Shape } from "../../src/base/shape.js";
import { RMSNorm, Seed } from "../../src/nn/index.js";

export interface OpCase {
  /** Exported name of the op. */
  readonly op: keyof typeof ops;
  readonly f: (...x: Tensor[]) => Tensor;
  /** Shapes of the arguments; several sets where widths matter. */
  readonly shapes: readonly (readonly Shape[])[];
  /** Numbers to check at, where normal ones are not in the op's domain. */
  readonly at?: (values: Float64Array) => Float64Array;
  /** No gradient by definition. */
  readonly flat?: true;
  /** Its gradient is an op without a gradient: a second derivative is refused. */
  readonly once?: true;
  /** Largest relative error of float32 kernels; 2e-6 covers one rounding or two, products and exponentials add more. */
  readonly tolerance?: number;
}

/** The error that a case allows. */
export const toleranceOf = ({ tolerance = 2e-6 }: OpCase): number => tolerance;

const widths = [1, 3, 4, 5, 8, 17, 33];
const vectors = widths.map((n) => [[n]]);
const pairs = [
  ...widths.map((n) => [[n], [n]]),
  [
    [3, 1, 5],
    [2, 5],
  ],
  [[2, 3, 4], []],
  [
    [2, 1, 3, 1, 2],
    [1, 2, 1, 3, 1],
  ],
];
const positive = (x: Float64Array) => x.map((v) => Math.abs(v) + 0.5);
/** Away from 0, where a derivative jumps. */
const apart = (x: Float64Array) => x.map((v) => v + Math.sign(v) * 0.1);
const indices = (values: number[], shape: Shape) => constant(Int32Array.from(values), shape);

const logits: readonly (readonly Shape[])[] = [[[3]], [[4, 5]], [[2, 3, 17]], [[5, 33]]];
/** Labels in their order, over and over. */
const labelsFor = (x: Tensor): Tensor => {
  const rows = x.shape.slice(0, -1);
  const count = rows.reduce((n, size) => n * size, 1);
  return indices(
    Array.from({ length: count }, (_, i) => i % (x.shape.at(-1) as number)),
    rows,
  );
};

export const cases: OpCase[] = [
  ...(
    ["neg", "square", "exp", "expm1", "sin", "cos", "tanh", "sigmoid", "erf", "gelu", "geluErf", "silu", "softplus"] as const
  ).map((op): OpCase => ({ op, f: ops[op], shapes: vectors, tolerance: 4e-6 })),
  { op: "abs", f: ops.abs, shapes: vectors, at: apart },
  { op: "sign", f: ops.sign, shapes: vectors, flat: true },
  { op: "floor", f: ops.floor, shapes: vectors, flat: true },
  { op: "sqrt", f: ops.sqrt, shapes: vectors, at: positive },
  { op: "reciprocal", f: ops.reciprocal, shapes: vectors, at: apart },
  { op: "log", f: ops.log, shapes: vectors, at: positive },
  ...(["add", "sub", "mul"] as const).map((op): OpCase => ({ op, f: ops[op], shapes: pairs })),
  { op: "div", f: ops.div, shapes: pairs, at: apart, tolerance: 4e-6 },
  ...(["minimum", "maximum"] as const).map((op): OpCase => ({ op, f: ops[op], shapes: pairs })),
  ...(["greater", "greaterEqual", "equal"] as const).map((op): OpCase => ({ op, f: ops[op], shapes: pairs, flat: true })),
  {
    op: "where",
    f: (c, a, b) => ops.where(ops.greater(c, 0), a, b),
    shapes: [
      [[5], [5], [5]],
      [[3, 1], [3, 4], [4]],
    ],
  },
  { op: "broadcastTo", f: (x) => ops.broadcastTo(x, [2, 3, 4]), shapes: [[[3, 1]], [[4]], [[1]]] },
  { op: "stopGradient", f: ops.stopGradient, shapes: [[[5]]], flat: true },
  { op: "sum", f: (x) => ops.sum(x), shapes: [...vectors, [[300, 7]]] },
  { op: "sum", f: (x) => ops.sum(ops.exp(x), 0), shapes: [[[3, 5]], [[70, 9]], [[300, 3, 2]]], tolerance: 4e-6 },
  { op: "sum", f: (x) => ops.sum(x, [0, 2], true), shapes: [[[3, 5, 4]], [[2, 1, 7]], [[40, 3, 50]]] },
  {
    op: "sum",
    f: (x, y) => ops.sum(ops.mul(x, y), 1),
    shapes: [
      [
        [2, 9, 5],
        [2, 9, 1],
      ],
      [[2, 80, 8], [8]],
    ],
  },
  { op: "mean", f: (x) => ops.mean(x, -1), shapes: [[[3, 5]], [[2, 3, 17]]] },
  { op: "max", f: (x) => ops.max(x, 1), shapes: [[[3, 5]], [[3, 7, 4]]] },
  { op: "logSumExp", f: (x) => ops.logSumExp(x, -1), shapes: [[[3, 5]], [[2, 17]]], tolerance: 4e-6 },
  { op: "sumTo", f: (x) => ops.sumTo(x, [1, 4]), shapes: [[[2, 3, 4]]] },
  {
    op: "matmul",
    f: ops.matmul,
    shapes: [
      [
        [1, 1],
        [1, 1],
      ],
      [
        [3, 5],
        [5, 7],
      ],
      [
        [2, 3, 4],
        [2, 4, 5],
      ],
      [
        [2, 3, 4],
        [4, 9],
      ],
      [
        [7, 13],
        [13, 17],
      ],
      [
        [3, 4],
        [2, 4, 5],
      ],
    ],
    tolerance: 1e-5,
  },
  {
    op: "matmulNT",
    f: ops.matmulNT,
    shapes: [
      [
        [3, 5],
        [7, 5],
      ],
      [
        [2, 3, 4],
        [2, 5, 4],
      ],
      [
        [2, 9, 8],
        [12, 8],
      ],
    ],
    tolerance: 1e-5,
  },
  {
    op: "matmulTN",
    f: ops.matmulTN,
    shapes: [
      [
        [5, 3],
        [5, 7],
      ],
      [
        [2, 4, 3],
        [2, 4, 5],
      ],
      [
        [2, 4, 3],
        [4, 5],
      ],
      [
        [2052, 9],
        [2052, 10],
      ],
    ],
    tolerance: 1e-5,
  },
  {
    op: "linear",
    f: ops.linear,
    shapes: [
      [[3, 5], [7, 5], [7]],
      [[2, 3, 4], [5, 4], [5]],
      [
        [1, 4],
        [1, 4],
      ],
    ],
    tolerance: 1e-5,
  },
  { op: "softmax", f: ops.softmax, shapes: [...vectors, [[3, 17]]], tolerance: 4e-6 },
  {
    op: "layerNorm",
    f: (x, weight, bias) => ops.layerNorm(x, { weight: weight, bias: bias }),
    shapes: [
      [[3, 5], [5], [5]],
      [[2, 3, 16], [16], [16]],
    ],
    tolerance: 1e-5,
  },
  { op: "layerNorm", f: (x) => ops.layerNorm(x), shapes: [[[3, 5]], [[2, 3, 8]], [[4, 17]]], tolerance: 1e-5 },
  {
    op: "rmsNorm",
    f: (x, weight) => ops.rmsNorm(x, { weight, eps: 1e-3 }),
    shapes: [...[...widths, 4099].map((n) => [[3, n], [n]]), [[2, 3, 16], [16]]],
    tolerance: 1e-5,
  },
  { op: "rmsNorm", f: (x) => ops.rmsNorm(x), shapes: [...widths, 4099].map((n) => [[2, n]]), tolerance: 1e-5 },
  { op: "rmsNorm", f: (x) => new RMSNorm(5, new Seed(1)).forward(x), shapes: [[[2, 3, 5]]], tolerance: 1e-5 },
  {
    op: "modulatedRmsNorm",
    f: (x, shift, scale) => ops.modulatedRmsNorm(x, shift, scale),
    shapes: [...widths, 4099].map((n) => [
      [2, 3, n],
      [2, 1, n],
      [2, 1, n],
    ]),
    tolerance: 1e-5,
  },
  {
    op: "modulatedLayerNorm",
    f: (x, shift, scale) => ops.modulatedLayerNorm(x, shift, scale),
    shapes: [
      [
        [2, 3, 5],
        [2, 1, 5],
        [2, 1, 5],
      ],
      [
        [2, 3, 2, 8],
        [2, 1, 1, 8],
        [2, 1, 1, 8],
      ],
    ],
    tolerance: 1e-5,
  },
  {
    op: "attention",
    f: (q, k, v) => ops.attention(q, k, v, 2),
    once: true,
    shapes: [
      [
        [2, 3, 8],
        [2, 5, 8],
        [2, 5, 8],
      ],
      [
        [3, 4, 16],
        [3, 4, 16],
        [3, 4, 16],
      ],
      [
        [1, 1, 6],
        [1, 1, 6],
        [1, 1, 6],
      ],
    ],
    tolerance: 1e-5,
  },
  {
    op: "attention",
    f: (q, k, v) =>
      ops.attention(q, k, v, 2, {
        keep: constant([1, 1, 0, 0, 0, 0], [2, 3]),
        labels: indices([0, 1, 1], [1, 3]),
      }),
    once: true,
    shapes: [
      [
        [2, 3, 8],
        [2, 3, 8],
        [2, 3, 8],
      ],
    ],
    tolerance: 1e-5,
  },
  {
    op: "selfAttention",
    f: (qkv) => ops.selfAttention(qkv, 2, { labels: indices([0, 1, 1], [1, 3]) }),
    once: true,
    shapes: [[[2, 3, 24]]],
    tolerance: 1e-5,
  },
  {
    op: "crossAttention",
    f: (q, kv) => ops.crossAttention(q, kv, 2),
    once: true,
    shapes: [
      [
        [2, 3, 8],
        [2, 5, 16],
      ],
    ],
    tolerance: 1e-5,
  },
  {
    op: "gatherRows",
    f: (x) => ops.gatherRows(x, indices([2, 0, 2, 1, -1], [1, 5])),
    shapes: [[[2, 3, 5]], [[1, 3, 4]]],
  },
  { op: "scatterAddRows", f: (x) => ops.scatterAddRows(x, indices([2, 0, 2, 9], [1, 4]), 3), shapes: [[[2, 4, 5]]] },
  { op: "permuteRows", f: (x) => ops.permuteRows(x, Int32Array.of(2, 0, 1)), shapes: [[[2, 3, 5]]] },
  { op: "embedding", f: (table) => ops.embedding(table, indices([1, 1, 0, 3], [2, 2])), shapes: [[[4, 5]]] },
  {
    op: "argMax",
    f: (x) => ops.argMax(x, 1),
    shapes: [...widths.map((n) => [[2, n]]), [[2, 7, 3]], [[1, 300, 5]]],
    flat: true,
  },
  { op: "argMax", f: (x) => ops.argMax(x), shapes: [...vectors, [[3, 5]]], flat: true },
  { op: "argMax", f: (x) => ops.argMax(x, 0, true), shapes: [[[3, 5]], [[300, 2, 2]]], flat: true },
  { op: "toF32", f: (x) => ops.toF32(ops.argMax(x, -1)), shapes: [[[5, 3]], [[70, 2]]], flat: true },
  { op: "oneHot", f: (x) => ops.oneHot(ops.argMax(x, -1), 4), shapes: [[[5, 3]], [[2, 3, 9]]], flat: true },
  { op: "crossEntropy", f: (x) => ops.crossEntropy(x, labelsFor(x)), shapes: logits, tolerance: 4e-6 },
  {
    op: "crossEntropy",
    f: (x) => {
      const options = { ignoreIndex: 1, labelSmoothing: 0.1, reduction: "none" } as const;
      return ops.crossEntropy(x, labelsFor(x), options);
    },
    shapes: logits,
    tolerance: 4e-6,
  },
  {
    op: "crossEntropy",
    f: (x, p) => ops.crossEntropy(x, ops.softmax(p), { labelSmoothing: 0.2, reduction: "sum" }),
    shapes: logits.map(([shape]) => [shape, shape]),
    tolerance: 1e-5,
  },
  { op: "reshape", f: (x) => ops.reshape(x, [3, -1]), shapes: [[[2, 6]]] },
  { op: "transpose", f: (x) => ops.transpose(x, [2, 0, 1]), shapes: [[[2, 3, 4]]] },
  { op: "transpose", f: (x) => ops.transpose(x), shapes: [[[5, 7]], [[2, 9, 17]]] },
  { op: "slice", f: (x) => ops.slice(x, 1, 1, 3), shapes: [[[2, 4]], [[1, 4]]] },
  { op: "split", f: (x) => ops.mul(...(ops.split(x, 1, 2) as [Tensor, Tensor])), shapes: [[[3, 4]]] },
  { op: "split", f: (x) => ops.mul(...(ops.split(x, 0, 2) as [Tensor, Tensor])), shapes: [[[4, 3]], [[2, 1, 6]]] },
  { op: "split", f: (x) => ops.square(ops.split(x, 0, 3)[1]), shapes: [[[3, 5]]] },
  {
    op: "concat",
    f: (a, b) => ops.concat([a, b], 1),
    shapes: [
      [
        [2, 3],
        [2, 5],
      ],
    ],
  },
  {
    op: "concat",
    f: (a, b) => ops.concat([ops.mul(a, 2), b, a], 0),
    shapes: [
      [
        [2, 3],
        [1, 3],
      ],
    ],
  },
  { op: "pad", f: (x) => ops.pad(x, 1, 2, 1), shapes: [[[2, 3]]] },
  { op: "unfold", f: (x) => ops.unfold(x, [2, 3], { stride: 2, padding: 1 }), shapes: [[[2, 2, 5, 5]]] },
  { op: "fold", f: (x) => ops.fold(x, [5, 5], [2, 3], { stride: 2, padding: 1 }), shapes: [[[2, 9, 12]]] },
  {
    op: "conv2d",
    f: (x, w, b) => ops.conv2d(x, w, b, { padding: 1 }),
    shapes: [[[2, 3, 4, 5], [4, 3, 3, 3], [4]]],
    tolerance: 1e-5,
  },
  {
    op: "groupNorm",
    f: (x, weight, bias) => ops.groupNorm(x, 2, { weight: weight, bias: bias }),
    shapes: [[[2, 4, 3, 3], [4], [4]]],
    tolerance: 1e-5,
  },
  { op: "upsampleNearest", f: (x) => ops.upsampleNearest(x, 2), shapes: [[[1, 2, 3, 2]]] },
  {
    op: "meanSquareLoss",
    f: ops.meanSquareLoss,
    shapes: [
      [
        [3, 5],
        [3, 5],
      ],
    ],
  },
  {
    op: "huberLoss",
    f: (a, b) => ops.huberLoss(a, b, 0.7),
    shapes: [
      [
        [3, 5],
        [3, 5],
      ],
    ],
  },
  { op: "randomUniform", f: (x) => ops.add(ops.randomUniform([9], { seed: 5 }), x), shapes: [[[9]]] },
  { op: "randomNormal", f: (x) => ops.add(ops.randomNormal([9], { seed: 2 ** 40, stream: 3 }), x), shapes: [[[9]]] },
  { op: "sinusoid", f: (t) => ops.sinusoid(t, 8, 100), shapes: [[[5]]], tolerance: 1e-5 },
  { op: "squaredNorm", f: (...x) => ops.squaredNorm(x), shapes: [[[5], [3, 4]], [[5000]]] },
];

/** Numbers of a case's arguments, the same for every device. */
export const numbersOf = ({ at }: OpCase, shapes: readonly Shape[]): Float64Array[] =>
  shapes.map((shape, i) => {
    const own = normalNumbers(
      shape.reduce((n, size) => n * size, 1),
      7,
      i,
    );
    return at ? at(own) : own;
  });
