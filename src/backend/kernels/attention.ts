import { kernel, type Numbers, optional, read, write } from "../kernel.js";

/** Numbers of attention and of its gradient. */
export const attentionNumbers = {
  groups: "int",
  heads: "int",
  lq: "int",
  lk: "int",
  headDim: "int",
  labelGroups: "int",
  scale: "float",
} as const;
type Args = Numbers<typeof attentionNumbers>;

/** Elements of what has a row a query, and a row a key. */
export const perQuery = ({ groups, lq, heads, headDim }: Args): number => groups * lq * heads * headDim;
export const perKey = ({ groups, lk, heads, headDim }: Args): number => groups * lk * heads * headDim;
export const statistics = ({ groups, heads, lq }: Args): number => groups * heads * lq;

/** What both kernels read. */
export const attentionReads = {
  q: read("f32", perQuery),
  k: read("f32", perKey),
  v: read("f32", perKey),
  keep: optional(read("f32", (a: Args) => a.groups * a.lk)),
  labels: optional(read("i32", (a: Args) => a.labelGroups * a.lk)),
} as const;

/** Which keys a query may see, as a test of (group, query, key). */
export function visibility({
  keep,
  labels,
  lk,
  labelGroups,
}: {
  readonly keep: Float64Array | null;
  readonly labels: Float64Array | null;
  readonly lk: number;
  readonly labelGroups: number;
}) {
  return (group: number): ((i: number, j: number) => boolean) => {
    const kept = keep?.subarray(group * lk, (group + 1) * lk);
    const masked = kept?.some((x) => x !== 0) ? kept : undefined;
    const own = labels?.subarray((group % labelGroups) * lk, ((group % labelGroups) + 1) * lk);
    return (i, j) => masked?.[j] !== 0 && (!own || own[i] === own[j]);
  };
}

/** Scaled logits of one query; -Infinity where it may not look. */
export function logits(
  { q, k, heads, lq, lk, headDim, scale }: Args & { readonly q: Float64Array; readonly k: Float64Array },
  [group, head, i]: readonly [number, number, number],
  sees: (i: number, j: number) => boolean,
  row: Float64Array,
): void {
  const width = heads * headDim;
  const atQ = (group * lq + i) * width + head * headDim;
  for (let j = 0; j < lk; j++) {
    const atK = (group * lk + j) * width + head * headDim;
    let sum = 0;
    for (let d = 0; d < headDim; d++) sum += q[atQ + d] * k[atK + d];
    row[j] = sees(i, j) ? sum * scale : Number.NEGATIVE_INFINITY;
  }
}

/** o = softmax(scale·q kᵀ) v per (group, head). q, o [groups, lq, heads·headDim]; k, v [groups, lk, heads·headDim]; heads are
 *  consecutive slices of the last axis; lse [groups, heads, lq] = log Σ exp of the scaled, masked logits.
 *  keep [groups, lk] float, 0 = key is padding; a group whose keys are all padding attends to all of them.
 *  labels [labelGroups, lk] int32 (lq = lk): token i sees j only if labels[g mod labelGroups] agree at i and j. */
export const attention = kernel(attentionNumbers)({
  buffers: { o: write("f32", perQuery), lse: write("f32", statistics), ...attentionReads },
  // q kᵀ and p v, without masks.
  work: (a) => ({ multiplyAdds: 2 * statistics(a) * a.lk * a.headDim, elementOps: statistics(a) * a.lk }),
  reference: (args) => {
    const { o, lse, v, groups, heads, lq, lk, headDim } = args;
    const width = heads * headDim;
    const row = new Float64Array(lk);
    const sight = visibility(args);
    for (let group = 0; group < groups; group++) {
      const sees = sight(group);
      for (let head = 0; head < heads; head++) {
        for (let i = 0; i < lq; i++) {
          logits(args, [group, head, i], sees, row);
          const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
          const total = row.reduce((sum, x) => sum + Math.exp(x - largest), 0);
          lse[(group * heads + head) * lq + i] = largest + Math.log(total);
          const atO = (group * lq + i) * width + head * headDim;
          o.fill(0, atO, atO + headDim);
          for (let j = 0; j < lk; j++) {
            const p = Math.exp(row[j] - largest) / total;
            const atV = (group * lk + j) * width + head * headDim;
            for (let d = 0; d < headDim; d++) o[atO + d] += p * v[atV + d];
          }
        }
      }
    }
  },
});
