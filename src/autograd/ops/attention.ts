import { ShapeError } from "../../base/errors.js";
import { checkOptions, type Rules } from "../../base/options.js";
import { sameShape, showShape } from "../../base/shape.js";
import type { View } from "../buffer.js";
import { defineOp } from "../op.js";
import type { Given } from "../operands.js";
import { checkTensors, type Tensor, tensorRule } from "../tensor.js";

export interface AttentionAttributes {
  readonly heads: number;
}

/** Numbers of a head that the kernels have room for. */
const mostHeadDim = 256;

/** Queries, keys and values: three operands, or in the columns of two, [G, Lk, 2D] of keys and values, or of one, [G, L, 3D]. */
const projections = { q: "needed", k: "optional", v: "optional" } as const;
const shared = { ...projections, keep: "optional", labels: "optional" } as const;
type Projections<T> = Given<typeof projections, T>;

/** Sizes of an attention, and how far apart rows of queries, keys and values begin. */
function sizesOf({ q, k, v }: Projections<Tensor>) {
  const [groups, lq, queryRow] = q.shape;
  const [, lk, keyRow] = (k ?? q).shape;
  const [, , valueRow] = (v ?? k ?? q).shape;
  return { groups, lq, lk, width: k ? queryRow : queryRow / 3, queryRow, keyRow, valueRow };
}

/** Where queries, keys and values, or their gradients, begin. */
function beginnings({ q, k, v }: Projections<View>, width: number): readonly [q: View, k: View, v: View] {
  const after = (columns: number, { buffer, offset }: View): View => ({ buffer, offset: offset + columns });
  return [q, k ?? after(width, q), v ?? (k ? after(width, k) : after(2 * width, q))];
}

/** What both kernels are given of the operands that they share. */
function sharedArguments(operands: Given<typeof shared, View>, t: Given<typeof shared, Tensor>, heads: number) {
  const { width, ...sizes } = sizesOf(t);
  const [q, k, v] = beginnings(operands, width);
  const { keep = null, labels = null } = operands;
  const headDim = width / heads;
  const labelGroups = t.labels ? t.labels.shape[0] : 1;
  return { q, k, v, keep, labels, ...sizes, heads, headDim, labelGroups, scale: 1 / Math.sqrt(headDim) };
}

const attentionGradOp = defineOp<AttentionAttributes>()({
  name: "attentionGrad",
  operands: { ...shared, o: "needed", lse: "needed", dO: "needed" },
  results: { dq: "always", dk: "optional", dv: "optional" },
  takesI32: true,
  infer: ({ q, k, v }) => ({ dq: q.shape, dk: k?.shape, dv: v?.shape }),
  lowering: {
    kind: "calls",
    emit: (e, v, t, { heads }) => {
      const { o, lse, dO } = v;
      const [dq, dk, dv] = beginnings({ q: v.dq, k: v.dk, v: v.dv }, sizesOf(t).width);
      e.call("attentionGrad", { dq, dk, dv, o, lse, dO, ...sharedArguments(v, t, heads) });
    },
  },
});

const attentionOp = defineOp<AttentionAttributes>()({
  name: "attention",
  operands: shared,
  results: { o: "always", lse: "always" },
  takesI32: true,
  infer: ({ q, k, v, keep, labels }, { heads }) => {
    for (const x of [q, k, v])
      if (x && (x.dtype !== "f32" || x.shape.length !== 3))
        throw new ShapeError(`attention: queries, keys and values must be f32 with three axes, got ${x}.`);
    const { groups, lq, lk, width } = sizesOf({ q, k, v });
    checkProjections({ q, k, v }, width);
    if (!Number.isInteger(heads) || heads < 1 || width % heads !== 0) {
      throw new ShapeError(`attention: width ${width} is not a whole number of ${heads} heads. Choose a divisor of ${width}.`);
    }
    if (width / heads > mostHeadDim) {
      throw new ShapeError(
        `attention: a head has at most ${mostHeadDim} numbers, got ${width / heads}: width ${width} needs ${Math.ceil(width / mostHeadDim)} heads or more.`,
      );
    }
    if (keep && (keep.dtype !== "f32" || !sameShape(keep.shape, [groups, lk]))) {
      throw new ShapeError(
        `attention: keep must be f32 [G, Lk] = [${groups}, ${lk}], got ${keep.dtype} ${showShape(keep.shape)}.`,
      );
    }
    if (labels && (labels.dtype !== "i32" || labels.shape[1] !== lk || lq !== lk || groups % labels.shape[0] !== 0)) {
      throw new ShapeError(
        `attention: labels must be i32 [windows, ${lk}] with Lq = Lk and G = ${groups} a multiple of windows; got ${labels.dtype} ${showShape(labels.shape)}, Lq ${lq}.`,
      );
    }
    return { o: [groups, lq, width], lse: [groups, heads, lq] };
  },
  gradient: ({ q, k, v, keep, labels, o, lse }, { o: dO }, attributes) => {
    if (!dO) return {};
    const { dq, dk, dv } = attentionGradOp({ q, k, v, o, lse, dO, keep, labels }, attributes);
    return { q: dq, k: dk, v: dv };
  },
  lowering: {
    kind: "calls",
    emit: (e, v, t, { heads }) => e.call("attention", { o: v.o, lse: v.lse, ...sharedArguments(v, t, heads) }),
  },
});

/** @throws ShapeError when queries, keys and values do not fit each other */
function checkProjections({ q, k, v }: Projections<Tensor>, width: number): void {
  const [groups] = q.shape;
  if (!k && !Number.isInteger(width))
    throw new ShapeError(`attention: qkv [G, L, 3D] must have a whole number of 3 parts, got ${showShape(q.shape)}.`);
  const columns = v ? width : 2 * width;
  if (k && (k.shape[0] !== groups || k.shape[2] !== columns)) {
    throw new ShapeError(
      `attention: q [G, Lq, D] and ${v ? "k [G, Lk, D] must share G and D" : "kv [G, Lk, 2D] must share G and D"}, got ${showShape(q.shape)} and ${showShape(k.shape)}.`,
    );
  }
  if (k && v && !sameShape(k.shape, v.shape))
    throw new ShapeError(`attention: k and v must have one shape, got ${showShape(k.shape)} and ${showShape(v.shape)}.`);
}

export interface AttentionMask {
  /** [G, Lk] float: keys with 0 get no weight. A group whose keys are all 0 attends to all of them. */
  readonly keep?: Tensor | undefined;
  /** [windows, L] i32: token i sees token j only where the labels agree; group g uses row g mod windows. */
  readonly labels?: Tensor | undefined;
}

const maskRules: Rules<AttentionMask> = { keep: tensorRule, labels: tensorRule };

/** Multi-head attention softmax(q kᵀ / √headDim) v; no matrix of queries by keys is ever stored.
 *  @shape  q [G, Lq, D], k, v [G, Lk, D] -> [G, Lq, D]; heads are consecutive slices of D
 *  @throws ShapeError when sizes, heads or masks do not fit
 *  @throws ConfigError when a mask has another name
 *  @source Vaswani et al., arXiv 1706.03762; recomputation in the gradient after Dao et al., arXiv 2205.14135 */
export function attention(q: Tensor, k: Tensor, v: Tensor, heads: number, mask: AttentionMask = {}): Tensor {
  checkTensors("attention", { q, k, v });
  checkOptions("attention", mask, maskRules);
  return attentionOp({ q, k, v, ...mask }, { heads }).o;
}

/** Attention within a sequence, of queries, keys and values in the columns of one tensor: what one product of three weights gives.
 *  @shape  qkv [G, L, 3D] -> [G, L, D]
 *  @throws as `attention` */
export function selfAttention(qkv: Tensor, heads: number, mask: AttentionMask = {}): Tensor {
  checkTensors("selfAttention", { qkv });
  checkOptions("selfAttention", mask, maskRules);
  return attentionOp({ q: qkv, ...mask }, { heads }).o;
}

/** Attention to a context, whose keys and values are in the columns of one tensor.
 *  @shape  q [G, Lq, D], kv [G, Lk, 2D] -> [G, Lq, D]
 *  @throws as `attention` */
export function crossAttention(q: Tensor, kv: Tensor, heads: number, mask: AttentionMask = {}): Tensor {
  checkTensors("crossAttention", { q, kv });
  checkOptions("crossAttention", mask, maskRules);
  return attentionOp({ q, k: kv, ...mask }, { heads }).o;
}

export default { attentionGrad: attentionGradOp, attention: attentionOp };
