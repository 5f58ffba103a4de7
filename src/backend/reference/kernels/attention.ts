import type { KernelArgs } from "../../kernels.js";

type Forward = KernelArgs<"attention", Float64Array>;
type Backward = KernelArgs<"attentionGrad", Float64Array>;

/** Which keys a query may see, as a test of (group, query, key). */
function visibility({ keep, labels, lk, labelGroups }: Pick<Forward, "keep" | "labels" | "lk" | "labelGroups">) {
  return (group: number): ((i: number, j: number) => boolean) => {
    const kept = keep?.subarray(group * lk, (group + 1) * lk);
    const masked = kept?.some((x) => x !== 0) ? kept : undefined;
    const own = labels?.subarray((group % labelGroups) * lk, ((group % labelGroups) + 1) * lk);
    return (i, j) => masked?.[j] !== 0 && (!own || own[i] === own[j]);
  };
}

/** Scaled logits of one query; -Infinity where it may not look. */
function logits(
  args: Forward | Backward,
  group: number,
  head: number,
  i: number,
  sees: (i: number, j: number) => boolean,
  row: Float64Array,
): void {
  const { q, k, heads, lq, lk, headDim, scale } = args;
  const width = heads * headDim;
  const atQ = (group * lq + i) * width + head * headDim;
  for (let j = 0; j < lk; j++) {
    const atK = (group * lk + j) * width + head * headDim;
    let sum = 0;
    for (let d = 0; d < headDim; d++) sum += (q[atQ + d] as number) * (k[atK + d] as number);
    row[j] = sees(i, j) ? sum * scale : Number.NEGATIVE_INFINITY;
  }
}

/** See `kernels.attention`. */
export function attention(args: Forward): void {
  const { o, lse, v, groups, heads, lq, lk, headDim } = args;
  const width = heads * headDim;
  const row = new Float64Array(lk);
  const sight = visibility(args);
  for (let group = 0; group < groups; group++) {
    const sees = sight(group);
    for (let head = 0; head < heads; head++) {
      for (let i = 0; i < lq; i++) {
        logits(args, group, head, i, sees, row);
        const largest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
        const total = row.reduce((sum, x) => sum + Math.exp(x - largest), 0);
        lse[(group * heads + head) * lq + i] = largest + Math.log(total);
        const atO = (group * lq + i) * width + head * headDim;
        o.fill(0, atO, atO + headDim);
        for (let j = 0; j < lk; j++) {
          const p = Math.exp((row[j] as number) - largest) / total;
          const atV = (group * lk + j) * width + head * headDim;
          for (let d = 0; d < headDim; d++) o[atO + d] = (o[atO + d] as number) + p * (v[atV + d] as number);
        }
      }
    }
  }
}

/** See `kernels.attentionGrad`: P = exp(S - lse), dV = Pᵀ dO, dS = P (dO Vᵀ - Σ dO o), dQ = scale dS K, dK = scale dSᵀ Q. */
export function attentionGrad(args: Backward): void {
  const { dq, dk, dv, dO, q, k, v, o, lse, groups, heads, lq, lk, headDim, scale } = args;
  const width = heads * headDim;
  dq.fill(0, 0, groups * lq * width);
  dk.fill(0, 0, groups * lk * width);
  dv.fill(0, 0, groups * lk * width);
  const row = new Float64Array(lk);
  const sight = visibility(args);
  for (let group = 0; group < groups; group++) {
    const sees = sight(group);
    for (let head = 0; head < heads; head++) {
      for (let i = 0; i < lq; i++) {
        logits(args, group, head, i, sees, row);
        const atQ = (group * lq + i) * width + head * headDim;
        let delta = 0;
        for (let d = 0; d < headDim; d++) delta += (dO[atQ + d] as number) * (o[atQ + d] as number);
        for (let j = 0; j < lk; j++) {
          const p = Math.exp((row[j] as number) - (lse[(group * heads + head) * lq + i] as number));
          const atK = (group * lk + j) * width + head * headDim;
          let dp = 0;
          for (let d = 0; d < headDim; d++) dp += (dO[atQ + d] as number) * (v[atK + d] as number);
          const ds = p * (dp - delta) * scale;
          for (let d = 0; d < headDim; d++) {
            dv[atK + d] = (dv[atK + d] as number) + p * (dO[atQ + d] as number);
            dq[atQ + d] = (dq[atQ + d] as number) + ds * (k[atK + d] as number);
            dk[atK + d] = (dk[atK + d] as number) + ds * (q[atQ + d] as number);
          }
        }
      }
    }
  }
}
