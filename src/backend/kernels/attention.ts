import { kernel, type Numbers, optional, read, write } from "../kernel.js";

/** Numbers of attention and of its gradient. */
export const attentionNumbers = {
  groups: "int",
  heads: "int",
  lq: "int",
  lk: "int",
  headDim: "int",
  queryRow: "int",
  keyRow: "int",
  valueRow: "int",
  labelGroups: "int",
  scale: "float",
} as const;
type Args = Numbers<typeof attentionNumbers>;

const widthOf = ({ heads, headDim }: Args): number => heads * headDim;
/** Elements of o and its gradient, whose rows lie close. */
export const perQuery = (a: Args): number => a.groups * a.lq * widthOf(a);
const perKey = (a: Args): number => a.groups * a.lk * widthOf(a);
/** How far q, k, v and their gradients reach from their first element: their rows may lie apart. */
const reach = (rows: number, row: number, a: Args): number => (rows - 1) * row + widthOf(a);
export const queries = [(a: Args) => reach(a.groups * a.lq, a.queryRow, a), perQuery] as const;
export const keys = [(a: Args) => reach(a.groups * a.lk, a.keyRow, a), perKey] as const;
export const values = [(a: Args) => reach(a.groups * a.lk, a.valueRow, a), perKey] as const;
export const statistics = ({ groups, heads, lq }: Args): number => groups * heads * lq;

/** What both kernels read. */
export const attentionReads = {
  q: read("f32", ...queries),
  k: read("f32", ...keys),
  v: read("f32", ...values),
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
  { q, k, lq, lk, headDim, queryRow, keyRow, scale }: Args & { readonly q: Float64Array; readonly k: Float64Array },
  [group, head, i]: readonly [number, number, number],
  sees: (i: number, j: number) => boolean,
  row: Float64Array,
): void {
  const atQ = (group * lq + i) * queryRow + head * headDim;
  for (let j = 0; j < lk; j++) {
    const atK = (group * lk + j) * keyRow + head * headDim;
    let sum = 0;
    for (let d = 0; d < headDim; d++) sum += q[atQ + d] * k[atK + d];
    row[j] = sees(i, j) ? sum * scale : Number.NEGATIVE_INFINITY;
  }
}

/** o = softmax(scale·q kᵀ) v per (group, head). q, o [groups, lq, heads·headDim]; k, v [groups, lk, heads·headDim]; heads are
 *  consecutive slices of the last axis; rows of q, k and v begin queryRow, keyRow and valueRow elements apart; lse [groups, heads, lq] = log Σ exp of the scaled, masked logits.
 *  keep [groups, lk] float, 0 = key is padding; a group whose keys are all padding attends to all of them.
 *  labels [labelGroups, lk] int32 (lq = lk): token i sees j only if labels[g mod labelGroups] agree at i and j. */
export const attention = kernel(attentionNumbers)({
  buffers: { o: write("f32", perQuery), lse: write("f32", statistics), ...attentionReads },
  // q kᵀ and p v, without masks.
  work: (a) => ({ multiplyAdds: 2 * statistics(a) * a.lk * a.headDim, elementOps: statistics(a) * a.lk }),
  reference: (args) => {
    const { o, lse, v, groups, heads, lq, lk, headDim, valueRow } = args;
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
            const atV = (group * lk + j) * valueRow + head * headDim;
            for (let d = 0; d < headDim; d++) o[atO + d] += p * v[atV + d];
          }
        }
      }
    }
  },
});
