import { kernel, read, write } from "../kernel.js";
import {
  attentionNumbers,
  attentionReads,
  keys,
  logits,
  perQuery,
  queries,
  statistics,
  values,
  visibility,
} from "./attention.js";

/** Gradients of `attention` from dO, with the forward's o and lse: P = exp(S - lse), dV = Pᵀ dO, dS = P (dO Vᵀ - Σ dO o),
 *  dQ = scale dS K, dK = scale dSᵀ Q. Rows of dq, dk and dv lie as those of q, k and v. */
export const attentionGrad = kernel(attentionNumbers)({
  buffers: {
    dq: write("f32", ...queries),
    dk: write("f32", ...keys),
    dv: write("f32", ...values),
    dO: read("f32", perQuery),
    q: attentionReads.q,
    k: attentionReads.k,
    v: attentionReads.v,
    o: read("f32", perQuery),
    lse: read("f32", statistics),
    keep: attentionReads.keep,
    labels: attentionReads.labels,
  },
  // q kᵀ again, dO vᵀ, and one product for each gradient.
  work: (a) => ({ multiplyAdds: 5 * statistics(a) * a.lk * a.headDim, elementOps: statistics(a) * a.lk }),
  reference: (args) => {
    const { dq, dk, dv, dO, q, k, v, o, lse, groups, heads, lq, lk, headDim, queryRow, keyRow, valueRow, scale } = args;
    const width = heads * headDim;
    const clear = (x: Float64Array, rows: number, row: number) => {
      for (let i = 0; i < rows; i++) x.fill(0, i * row, i * row + width);
    };
    clear(dq, groups * lq, queryRow);
    clear(dk, groups * lk, keyRow);
    clear(dv, groups * lk, valueRow);
    const row = new Float64Array(lk);
    const sight = visibility(args);
    for (let group = 0; group < groups; group++) {
      const sees = sight(group);
      for (let head = 0; head < heads; head++) {
        for (let i = 0; i < lq; i++) {
          logits(args, [group, head, i], sees, row);
          const atQ = (group * lq + i) * queryRow + head * headDim;
          const atO = (group * lq + i) * width + head * headDim;
          let delta = 0;
          for (let d = 0; d < headDim; d++) delta += dO[atO + d] * o[atO + d];
          for (let j = 0; j < lk; j++) {
            const p = Math.exp(row[j] - lse[(group * heads + head) * lq + i]);
            const atK = (group * lk + j) * keyRow + head * headDim;
            const atV = (group * lk + j) * valueRow + head * headDim;
            let dp = 0;
            for (let d = 0; d < headDim; d++) dp += dO[atO + d] * v[atV + d];
            const ds = p * (dp - delta) * scale;
            for (let d = 0; d < headDim; d++) {
              dv[atV + d] += p * dO[atO + d];
              dq[atQ + d] += ds * k[atK + d];
              dk[atK + d] += ds * q[atQ + d];
            }
          }
        }
      }
    }
  },
});
