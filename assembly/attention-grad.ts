// Gradients of attention. The probabilities are computed again, block by block, from the logits and the forward's lse.
import {
  blockKeys, blockQueries, keepsAny, keyPanelsBytes, logitsBytes, logitsRow, maskLabels, packingUses, queryPanelsBytes, readAhead,
  writeKeyMask,
} from "./attention-block";
import { Constant, constant } from "./constants";
import { panelColumns, panelRow } from "./gemm-geometry";
import { packColumns } from "./gemm-pack";
import { multiply, productScratch } from "./gemm-panel";
import { fma, hsum, vdecay } from "./simd";
import { scratchPtr, share, shareEnd, shareStart } from "./threads";

// Scratch: a block of probabilities and of their gradients, panels, what is added to the logits, and Σ dO·o of every row.
const PROBABILITIES: usize = productScratch;
const GRADIENTS: usize = PROBABILITIES + logitsBytes;
const KEYS_TRANSPOSED: usize = GRADIENTS + logitsBytes;
const VALUES_TRANSPOSED: usize = KEYS_TRANSPOSED + keyPanelsBytes;
const KEYS: usize = VALUES_TRANSPOSED + keyPanelsBytes;
const QUERIES: usize = KEYS + keyPanelsBytes;
const OUTPUT_GRADIENTS: usize = QUERIES + queryPanelsBytes;
const MASK: usize = OUTPUT_GRADIENTS + queryPanelsBytes;
const LABELS: usize = MASK + (blockKeys << 2);
const DELTAS: usize = LABELS + (blockKeys << 2);

/**
 * The kernel. The work is split by (group, head); a unit writes its slices of dq, dk and dv, the first block that reaches a row
 * setting it and the others adding.
 */
export function attentionGrad(
  dq: usize, dk: usize, dv: usize, dO: usize, q: usize, k: usize, v: usize, o: usize, lse: usize, keep: usize, labels: usize,
  groups: i32, heads: i32, lq: i32, lk: i32, headDim: i32, queryRow: i32, keyRow: i32, valueRow: i32,
  labelGroups: i32, scale: f32,
): void {
  const row = <usize>(heads * headDim) << 2, qRow = <usize>queryRow << 2, kRow = <usize>keyRow << 2, vRow = <usize>valueRow << 2;
  const panel = <usize>headDim * panelRow;
  const packQueries = headDim % panelColumns != 0 || lk >= packingUses, packKeys = headDim % panelColumns != 0 || lq >= packingUses;
  const probabilities = scratchPtr + PROBABILITIES, gradients = scratchPtr + GRADIENTS;
  const keysTransposed = scratchPtr + KEYS_TRANSPOSED, valuesTransposed = scratchPtr + VALUES_TRANSPOSED;
  const keyPanels = scratchPtr + KEYS, queryPanels = scratchPtr + QUERIES, outputPanels = scratchPtr + OUTPUT_GRADIENTS;
  const mask = scratchPtr + MASK, keyLabels = scratchPtr + LABELS, deltas = scratchPtr + DELTAS;
  let preparedGroup = -1;
  let groupKeep: usize = 0;
  share(groups * heads);
  for (let pair = shareStart; pair < shareEnd; pair++) {
    const group = pair / heads, slice = <usize>((pair - group * heads) * headDim) << 2;
    const firstQuery = <usize>group * lq, firstKey = <usize>group * lk;
    const groupLabels = labels == 0 ? labels : labels + (<usize>(group % labelGroups) * lk << 2);
    const newGroup = group != preparedGroup;
    if (newGroup && keep != 0) {
      groupKeep = keep + (<usize>group * lk << 2);
      if (!keepsAny(groupKeep, lk)) groupKeep = 0;
    }
    if (newGroup) {
      readAhead(q, group, <usize>lq * qRow);
      readAhead(dO, group, <usize>lq * row);
      readAhead(o, group, <usize>lq * row);
      readAhead(dq, group, <usize>lq * qRow);
      readAhead(k, group, <usize>lk * kRow);
      readAhead(v, group, <usize>lk * vRow);
      readAhead(dk, group, <usize>lk * kRow);
      readAhead(dv, group, <usize>lk * vRow);
    }
    for (let key = 0; key < lk; key += blockKeys) {
      const keys = min(lk - key, blockKeys), blockRow = logitsRow(keys), padded = <i32>(blockRow >> 2);
      const keyOffset = (firstKey + key) * kRow + slice, valueOffset = (firstKey + key) * vRow + slice;
      const keyAt = k + keyOffset, valueAt = v + valueOffset, dkAt = dk + keyOffset, dvAt = dv + valueOffset;
      packColumns(keyAt, kRow, true, keys, headDim, keysTransposed);
      packColumns(valueAt, vRow, true, keys, headDim, valuesTransposed);
      if (packKeys) packColumns(keyAt, kRow, false, headDim, keys, keyPanels);
      if (lk > blockKeys || preparedGroup < 0 || (newGroup && keep != 0)) {
        writeKeyMask(mask, groupKeep == 0 ? 0 : groupKeep + (<usize>key << 2), keys);
      }
      if (groupLabels != 0) memory.copy(keyLabels, groupLabels + (<usize>key << 2), <usize>keys << 2);
      for (let query = 0; query < lq; query += blockQueries) {
        const queries = min(lq - query, blockQueries);
        const queryOffset = (firstQuery + query) * qRow + slice, outputOffset = (firstQuery + query) * row + slice;
        const queryAt = q + queryOffset, dqAt = dq + queryOffset, dOAt = dO + outputOffset;
        if (packQueries) {
          packColumns(queryAt, qRow, false, headDim, queries, queryPanels);
          packColumns(dOAt, row, false, headDim, queries, outputPanels);
        }
        const across = packQueries ? <usize>queries * panelRow : panelRow;

        multiply(
          queries, padded, headDim, queryAt, qRow, 4, keysTransposed, panelRow, panel,
          probabilities, blockRow, mask, 0, scale,
        );
        if (groupLabels != 0) maskLabels(probabilities, queries, blockRow, groupLabels + (<usize>query << 2), keyLabels);
        multiply(
          queries, padded, headDim, dOAt, row, 4, valuesTransposed, panelRow, panel,
          gradients, blockRow, 0, 0, 1,
        );
        writeDeltas(deltas, dOAt, o + outputOffset, row, queries, headDim);
        differentiateSoftmax(probabilities, gradients, blockRow, queries, lse + ((<usize>pair * lq + query) << 2), deltas);

        // dv = Pᵀ dO, dk = scale·dSᵀ q, dq = scale·dS k
        multiply(
          keys, headDim, queries, probabilities, 4, blockRow, packQueries ? outputPanels : dOAt, packQueries ? panelRow : row,
          across, dvAt, vRow, query == 0 ? 0 : dvAt, query == 0 ? 0 : vRow, 1,
        );
        multiply(
          keys, headDim, queries, gradients, 4, blockRow, packQueries ? queryPanels : queryAt, packQueries ? panelRow : qRow,
          across, dkAt, kRow, query == 0 ? 0 : dkAt, query == 0 ? 0 : kRow, scale,
        );
        multiply(
          queries, headDim, keys, gradients, blockRow, 4,
          packKeys ? keyPanels : keyAt, packKeys ? panelRow : kRow, packKeys ? <usize>keys * panelRow : panelRow,
          dqAt, qRow, key == 0 ? 0 : dqAt, key == 0 ? 0 : qRow, scale,
        );
      }
      preparedGroup = group;
    }
  }
}

/** deltas[i] = Σ dO·o over the row: what the softmax's gradient subtracts. */
function writeDeltas(deltas: usize, dO: usize, o: usize, row: usize, rows: i32, headDim: i32): void {
  const bytes = <usize>headDim << 2, vectors = bytes & ~15;
  for (let index = 0; index < rows; index++) {
    let sums = f32x4.splat(0);
    let at: usize = 0;
    for (; at < vectors; at += 16) sums = fma(v128.load(dO + at), v128.load(o + at), sums);
    let delta = hsum(sums);
    for (; at < bytes; at += 4) delta += load<f32>(dO + at) * load<f32>(o + at);
    store<f32>(deltas, delta);
    deltas += 4;
    dO += row;
    o += row;
  }
}

/** P = exp(logit - lse), 0 below 2⁻⁶⁴: times a gradient it would be denormal, and make the products that follow many times slower. */
// @ts-ignore: decorator
@inline
function probability(logit: v128, lse: v128): v128 {
  const p = vdecay(f32x4.sub(logit, lse));
  return v128.andnot(p, f32x4.lt(p, constant(Constant.Vanishing)));
}

/** Logits become probabilities P, dP becomes the logits' gradient P·(dP - delta). */
function differentiateSoftmax(logits: usize, gradients: usize, row: usize, rows: i32, lse: usize, deltas: usize): void {
  for (let index = 0; index < rows; index++) {
    const shift = v128.load32_splat(lse), delta = v128.load32_splat(deltas);
    for (const end = logits + row; logits < end; logits += 32) {
      const x = probability(v128.load(logits), shift), y = probability(v128.load(logits, 16), shift);
      v128.store(logits, x);
      v128.store(logits, y, 16);
      v128.store(gradients, f32x4.mul(x, f32x4.sub(v128.load(gradients), delta)));
      v128.store(gradients, f32x4.mul(y, f32x4.sub(v128.load(gradients, 16), delta)), 16);
      gradients += 32;
    }
    lse += 4;
    deltas += 4;
  }
}
