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

type Shared<T> = Given<typeof shared, T>;
/** Operands that the forward and the gradient kernel share. */
const shared = { q: "needed", k: "needed", v: "needed", keep: "optional", labels: "optional" } as const;

/** What both kernels are given of them. */
function sharedArguments({ q, k, v, keep, labels }: Shared<View>, t: Shared<Tensor>, heads: number) {
  const [groups, lq, width] = t.q.shape;
  const [, lk] = t.k.shape;
  const headDim = width / heads;
  const labelGroups = t.labels ? t.labels.shape[0] : 1;
  return {
    q,
    k,
    v,
    keep: keep ?? null,
    labels: labels ?? null,
    groups,
    heads,
    lq,
    lk,
    headDim,
    queryRow: width,
    keyRow: width,
    valueRow: width,
    labelGroups,
    scale: 1 / Math.sqrt(headDim),
  };
}

const attentionGradOp = defineOp<AttentionAttributes>()({
  name: "attentionGrad",
  operands: {
    q: "needed",
    k: "needed",
    v: "needed",
    o: "needed",
    lse: "needed",
    dO: "needed",
    keep: "optional",
    labels: "optional",
  },
  results: { dq: "always", dk: "always", dv: "always" },
  takesI32: true,
  infer: ({ q, k, v }) => ({ dq: q.shape, dk: k.shape, dv: v.shape }),
  lowering: {
    kind: "calls",
    emit: (e, v, t, { heads }) => {
      const { dq, dk, dv, o, lse, dO } = v;
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
    const [groups, lq, width] = q.shape;
    const [, lk] = k.shape;
    for (const x of [q, k, v]) if (x.dtype !== "f32") throw new ShapeError(`attention: q, k and v must be f32, got ${x}.`);
    if (q.shape.length !== 3 || k.shape.length !== 3 || k.shape[0] !== groups || k.shape[2] !== width) {
      throw new ShapeError(
        `attention: q [G, Lq, D] and k [G, Lk, D] must share G and D, got ${showShape(q.shape)} and ${showShape(k.shape)}.`,
      );
    }
    if (!sameShape(k.shape, v.shape)) {
      throw new ShapeError(`attention: k and v must have one shape, got ${showShape(k.shape)} and ${showShape(v.shape)}.`);
    }
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
    return { o: q.shape, lse: [groups, heads, lq] };
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

export default { attentionGrad: attentionGradOp, attention: attentionOp };
