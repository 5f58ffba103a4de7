import { ShapeError } from "../../base/errors.js";
import { checkOptions, type Rules } from "../../base/options.js";
import { sameShape, showShape } from "../../base/shape.js";
import { defineOp, type Emitter } from "../op.js";
import { checkTensors, type Tensor, tensorRule } from "../tensor.js";

interface AttentionAttributes {
  readonly heads: number;
  readonly hasKeep: boolean;
  readonly hasLabels: boolean;
}

/** Numbers of a head that the kernels have room for. */
const mostHeadDim = 256;

/** Arguments the forward and the gradient kernel share; the masks follow the first `maskAt` inputs. */
function shared(e: Emitter, { heads, hasKeep, hasLabels }: AttentionAttributes, maskAt: number) {
  const [q, k] = e.inputs as [Tensor, Tensor];
  const [groups, lq, width] = q.shape as [number, number, number];
  const headDim = width / heads;
  const labels = hasLabels ? e.inputs[maskAt + Number(hasKeep)] : undefined;
  return {
    q: e.input(0),
    k: e.input(1),
    v: e.input(2),
    keep: hasKeep ? e.input(maskAt) : null,
    labels: labels ? e.input(maskAt + Number(hasKeep)) : null,
    groups,
    heads,
    lq,
    lk: k.shape[1],
    headDim,
    queryRow: width,
    keyRow: width,
    valueRow: width,
    labelGroups: labels ? labels.shape[0] : 1,
    scale: 1 / Math.sqrt(headDim),
  };
}

const attentionGrad = defineOp<AttentionAttributes>({
  name: "attentionGrad",
  takesI32: true,
  infer: ([q, k, v]) => [q, k, v].map((t) => ({ shape: t.shape })),
  lowering: {
    kind: "calls",
    emit: (e, attributes) =>
      e.call("attentionGrad", {
        dq: e.output(0),
        dk: e.output(1),
        dv: e.output(2),
        o: e.input(3),
        lse: e.input(4),
        dO: e.input(5),
        ...shared(e, attributes, 6),
      }),
  },
});

const attentionOp = defineOp<AttentionAttributes>({
  name: "attention",
  takesI32: true,
  infer: ([q, k, v, ...masks], { heads, hasKeep, hasLabels }) => {
    const [queries, keys, values] = [q, k, v] as [Tensor, Tensor, Tensor];
    const [groups, lq, width] = queries.shape;
    for (const x of [queries, keys, values])
      if (x.dtype !== "f32") throw new ShapeError(`attention: q, k and v must be f32, got ${x}.`);
    if (queries.shape.length !== 3 || keys.shape.length !== 3 || keys.shape[0] !== groups || keys.shape[2] !== width) {
      throw new ShapeError(
        `attention: q [G, Lq, D] and k [G, Lk, D] must share G and D, got ${showShape(queries.shape)} and ${showShape(keys.shape)}.`,
      );
    }
    if (!sameShape(keys.shape, values.shape)) {
      throw new ShapeError(
        `attention: k and v must have one shape, got ${showShape(keys.shape)} and ${showShape(values.shape)}.`,
      );
    }
    if (!Number.isInteger(heads) || heads < 1 || width % heads !== 0) {
      throw new ShapeError(`attention: width ${width} is not a whole number of ${heads} heads. Choose a divisor of ${width}.`);
    }
    if (width / heads > mostHeadDim) {
      throw new ShapeError(
        `attention: a head has at most ${mostHeadDim} numbers, got ${width / heads}: width ${width} needs ${Math.ceil(width / mostHeadDim)} heads or more.`,
      );
    }
    const [lk] = [keys.shape[1]];
    const keep = hasKeep ? masks[0] : undefined;
    if (keep && (keep.dtype !== "f32" || !sameShape(keep.shape, [groups, lk]))) {
      throw new ShapeError(
        `attention: keep must be f32 [G, Lk] = [${groups}, ${lk}], got ${keep.dtype} ${showShape(keep.shape)}.`,
      );
    }
    const labels = hasLabels ? masks[Number(hasKeep)] : undefined;
    if (labels && (labels.dtype !== "i32" || labels.shape[1] !== lk || lq !== lk || groups % labels.shape[0] !== 0)) {
      throw new ShapeError(
        `attention: labels must be i32 [windows, ${lk}] with Lq = Lk and G = ${groups} a multiple of windows; got ${labels.dtype} ${showShape(labels.shape)}, Lq ${lq}.`,
      );
    }
    return [{ shape: queries.shape }, { shape: [groups, heads, lq] }];
  },
  gradient: ({ inputs: [q, k, v, ...masks], outputs: [o, lse], attributes, dy }) =>
    attentionGrad([q, k, v, o, lse, dy, ...masks] as Tensor[], attributes),
  lowering: {
    kind: "calls",
    emit: (e, attributes) => e.call("attention", { o: e.output(0), lse: e.output(1), ...shared(e, attributes, 3) }),
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
  const { keep, labels } = mask;
  const inputs = [q, k, v, ...(keep ? [keep] : []), ...(labels ? [labels] : [])];
  return attentionOp(inputs, { heads, hasKeep: keep !== undefined, hasLabels: labels !== undefined })[0];
}
