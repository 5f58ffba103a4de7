// What attention and its gradient share: the size of their blocks, and who may see whom.
import { panelColumns, panelRow } from "./gemm-geometry";
import { scratchPtr } from "./threads";

/** Most queries and keys in one block of logits, which then sits in the second cache. */
export const blockQueries: i32 = 96;
export const blockKeys: i32 = 512;
/** With fewer uses than this of a matrix that can be read in place, copying it into panels costs more than it saves. */
export const packingUses: i32 = 24;
/** Largest size of a head. */
export const maxHeadDim: i32 = 256;

/** Bytes in scratch for a block of logits, for the panels of a block of keys, and for those of a block of queries. */
export const logitsBytes: usize = (blockQueries * blockKeys) << 2;
export const keyPanelsBytes: usize = (blockKeys * maxHeadDim) << 2;
export const queryPanelsBytes: usize = (blockQueries * maxHeadDim) << 2;

const negativeInfinity: f32 = -Infinity;

/** Bytes of a row of logits for `keys` keys: whole panels. */
export function logitsRow(keys: i32): usize {
  return <usize>((keys + panelColumns - 1) / panelColumns) * panelRow;
}

/** Whether any key of a group is kept; where none is, the caller passes no `keep`, and all keys are seen. */
export function keepsAny(keep: usize, keys: i32): bool {
  for (let key = 0; key < keys; key++) if (load<f32>(keep + (<usize>key << 2)) != 0) return true;
  return false;
}

/** The row added to all logits of a block: 0 for a key that may be seen, -∞ for padding. A `keep` of 0 keeps all keys. */
export function writeKeyMask(mask: usize, keep: usize, keys: i32): void {
  const padded = <i32>(logitsRow(keys) >> 2);
  for (let key = 0; key < padded; key++) {
    const seen = key < keys && (keep == 0 || load<f32>(keep + (<usize>key << 2)) != 0);
    store<f32>(mask + (<usize>key << 2), seen ? 0 : negativeInfinity);
  }
}

/** Sets the logits of pairs with different labels to -∞; both lists of labels are this block's, `keyLabels` in whole panels. */
export function maskLabels(logits: usize, rows: i32, row: usize, queryLabels: usize, keyLabels: usize): void {
  const hidden = f32x4.splat(negativeInfinity);
  for (let query = 0; query < rows; query++) {
    const label = v128.load32_splat(queryLabels + (<usize>query << 2));
    for (let at: usize = 0; at < row; at += 16) {
      const same = i32x4.eq(label, v128.load(keyLabels + at));
      v128.store(logits + at, v128.bitselect(v128.load(logits + at), hidden, same));
    }
    logits += row;
  }
}

/**
 * Reads through a group's slice of a tensor that is about to be used head by head: in one sweep the processor's prefetcher sees
 * what is coming, among the short rows of a head it does not. Only for what fits into the second cache.
 */
export function readAhead(tensor: usize, group: i32, bytes: usize): void {
  if (bytes > 32768) return;
  const start = tensor + <usize>group * bytes;
  let seen = 0;
  for (let at: usize = 0; at < bytes; at += 64) seen |= load<i32>(start + at);
  store<i32>(scratchPtr, seen); // a use, lest the loads be dropped
}
