/** What `ptdit bench` times beside the workloads: products and ops, in the shapes that the workloads have. */

import { grad } from "../src/autograd/grad.js";
import { attention } from "../src/autograd/ops/attention.js";
import { add, exp, gelu, mul } from "../src/autograd/ops/elementwise.js";
import { layerNorm, modulatedLayerNorm } from "../src/autograd/ops/layerNorm.js";
import { sum } from "../src/autograd/ops/reduce.js";
import { softmax } from "../src/autograd/ops/softmax.js";
import { constant, parameter, type Tensor } from "../src/autograd/tensor.js";
import { normalNumbers } from "../src/base/random.js";
import { adamW, clipGradients } from "../src/nn/optimizers/index.js";
import type { Update } from "../src/program/updates.js";
import type { Layout, MatmulCase } from "./protocol.js";

const square = (n: number, layout: Layout): MatmulCase => ({ kind: "matmul", m: n, n, k: n, layout });
const product = (m: number, n: number, k: number, layout: Layout): MatmulCase => ({ kind: "matmul", m, n, k, layout });

/** Cubes, and what a layer of `tiny` (4096 rows of 64), `small` (2048 of 256) and `s` (2048 of 384) does forward and backward. */
export const matmulCases: readonly MatmulCase[] = [
  ...([64, 128, 256, 512, 1024] as const).map((n) => square(n, "NN")),
  square(512, "NT"),
  square(512, "TN"),
  ...([64, 256, 384] as const).flatMap((d) => {
    const rows = d === 64 ? 4096 : 2048;
    return [
      product(rows, d, d, "NT"),
      product(rows, 4 * d, d, "NT"),
      product(rows, d, 4 * d, "NN"),
      product(4 * d, d, rows, "TN"),
    ];
  }),
  // What attention multiplies, head by head: queries and keys of windows, tokens and proxies.
  { ...product(16, 16, 32, "NT"), batch: 1024 },
  { ...product(256, 16, 32, "NT"), batch: 64 },
];

/** What bounds an op: the memory, the exponential function, or for attention its products and then its exponentials. */
export type Bound = "bandwidth" | "exp" | "attention";

/** What an op is given, and how much of it there is to count. */
export interface OpCaseSpec {
  readonly shape: string;
  readonly bound: Bound;
  readonly updates: () => readonly Update[];
}

/** Values that a program keeps on the device, so that running it moves nothing to the host. */
const kept = (...values: readonly Tensor[]): Update[] => values.map((value) => [parameter(value.shape), value] as const);
const numbers = (shape: readonly number[], stream: number): Tensor => {
  const size = shape.reduce((product, n) => product * n, 1);
  return parameter(shape, () => Float32Array.from(normalNumbers(size, 7, stream)));
};
const op =
  (shapes: readonly (readonly number[])[], make: (...x: Tensor[]) => readonly Tensor[]): OpCaseSpec["updates"] =>
  () =>
    kept(...make(...shapes.map(numbers)));

/** Gradients of Σ y·dy. */
const backward = (y: Tensor, dy: Tensor, wrt: readonly Tensor[]): Tensor[] => grad(sum(mul(y, dy)), wrt);

function attentionCase(groups: number, lq: number, lk: number, width: number, heads: number): OpCaseSpec["updates"] {
  return op(
    [
      [groups, lq, width],
      [groups, lk, width],
      [groups, lk, width],
    ],
    (q, k, v) => [attention(q, k, v, heads)],
  );
}

function attentionGradCase(groups: number, lq: number, lk: number, width: number, heads: number): OpCaseSpec["updates"] {
  return op(
    [
      [groups, lq, width],
      [groups, lk, width],
      [groups, lk, width],
      [groups, lq, width],
    ],
    (...x) => {
      const [q, k, v, dy] = x;
      return backward(attention(q, k, v, heads), dy, [q, k, v]);
    },
  );
}

const rows = [4096, 256] as const;
const wide = [2048, 1024] as const;
/** The attentions of `small` at batch 8, and the full one of its baseline. */
const attentions = {
  windows: [128, 16, 16, 256, 8],
  proxies: [8, 16, 16, 256, 8],
  "tokens to proxies": [8, 256, 16, 256, 8],
  "tokens to caption": [8, 256, 8, 256, 8],
  "all tokens": [8, 256, 256, 256, 8],
  "4096 tokens": [1, 4096, 4096, 256, 8],
} as const;

/** What fits into the second cache. */
export const expElements = 256 * 256;
export const expCase = op([[256, 256]], (x) => [exp(x)]);

export const opCases: Readonly<Record<string, OpCaseSpec>> = {
  add: { shape: "2048x1024", bound: "bandwidth", updates: op([wide, wide], (a, b) => [add(a, b)]) },
  exp: { shape: "256x256", bound: "exp", updates: expCase },
  gelu: { shape: "2048x1024", bound: "exp", updates: op([wide], (x) => [gelu(x)]) },
  "gelu backward": {
    shape: "2048x1024",
    bound: "exp",
    updates: op([wide, wide], (x, dy) => backward(gelu(x), dy, [x])),
  },
  softmax: { shape: "4096x256", bound: "exp", updates: op([rows], (x) => [softmax(x)]) },
  "softmax + backward": {
    shape: "4096x256",
    bound: "exp",
    updates: op([rows, rows], (x, dy) => backward(softmax(x), dy, [x])),
  },
  layerNorm: { shape: "4096x256", bound: "bandwidth", updates: op([rows], (x) => [layerNorm(x, { eps: 1e-6 })]) },
  "layerNorm, modulation + backward": {
    shape: "16x256x256",
    bound: "bandwidth",
    updates: op(
      [
        [16, 256, 256],
        [16, 1, 256],
        [16, 1, 256],
        [16, 256, 256],
      ],
      (...x) => {
        const [y, shift, scale, dy] = x;
        return backward(modulatedLayerNorm(y, shift, scale, 1e-6), dy, [y, shift, scale]);
      },
    ),
  },
  "gate + residual": {
    shape: "16x256x256",
    bound: "bandwidth",
    updates: op(
      [
        [16, 256, 256],
        [16, 1, 256],
        [16, 256, 256],
      ],
      (x, gate, y) => [add(x, mul(gate, y))],
    ),
  },
  "bias gradient": { shape: "4096x256", bound: "bandwidth", updates: op([rows], (x) => [sum(x, 0)]) },
  "clip + AdamW + average": { shape: "1024x1024", bound: "bandwidth", updates: optimizerCase },
  ...Object.fromEntries(
    Object.entries(attentions).flatMap(([name, [groups, lq, lk, width, heads]]) => {
      const common = { shape: `${groups}x${lq}x${lk}`, bound: "attention" } as const;
      return [
        [`attention, ${name}`, { ...common, updates: attentionCase(groups, lq, lk, width, heads) }],
        [`attention, ${name} + backward`, { ...common, updates: attentionGradCase(groups, lq, lk, width, heads) }],
      ];
    }),
  ),
};

/** One pass over a parameter of a million numbers: clip by a known norm, AdamW, average of the weights. */
function optimizerCase(): readonly Update[] {
  const shape = [1024, 1024];
  const [weight, gradient, average] = [numbers(shape, 0), numbers(shape, 1), numbers(shape, 2)];
  const gradients = clipGradients(new Map([["w", { parameter: weight, gradient }]]), constant(2), 1);
  return adamW(gradients, { lr: 1e-4, average: { weights: new Map([["w", average]]), decay: 0.999 } }).updates;
}

/** Two arrays of 64 MiB into a third: what the memory gives, beyond all caches. They are written first: pages nobody has written are
 *  all one page of zeros, which the caches hold. */
export const bandwidthElements = 1 << 24;
export function bandwidthCase(elements = bandwidthElements): readonly Update[] {
  const operand = () => parameter([elements], () => new Float32Array(elements).fill(1));
  return kept(add(operand(), operand()));
}
