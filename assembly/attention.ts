// o = softmax(scale·q kᵀ) v, block by block: no matrix of all logits is ever stored.
import {
  blockKeys, blockQueries, keepsAny, keyPanelsBytes, logitsBytes, logitsRow, maskLabels, packingUses, readAhead, writeKeyMask,
} from "./attention-block";
import { panelColumns, panelRow } from "./gemm-geometry";
import { packColumns } from "./gemm-pack";
import { multiply, productScratch } from "./gemm-panel";
import { copyFloats, hmax, hsum, vdecay } from "./simd";
import { scratchPtr, share, shareEnd, shareStart } from "./threads";

// Scratch: the logits of a block, its keys and values in panels, what is added to the logits, and the state of every row.
const LOGITS: usize = productScratch;
const KEYS: usize = LOGITS + logitsBytes;
const VALUES: usize = KEYS + keyPanelsBytes;
const MASK: usize = VALUES + keyPanelsBytes;
const LABELS: usize = MASK + (blockKeys << 2);
const LARGEST: usize = LABELS + (blockKeys << 2);
const TOTALS: usize = LARGEST + (blockQueries << 2);

/** The kernel. The work is split by (group, head, block of queries); an online softmax joins the blocks of keys. */
export function attention(
  o: usize, lse: usize, q: usize, k: usize, v: usize, keep: usize, labels: usize,
  groups: i32, heads: i32, lq: i32, lk: i32, headDim: i32, queryRow: i32, keyRow: i32, valueRow: i32,
  labelGroups: i32, scale: f32,
): void {
  const row = <usize>(heads * headDim) << 2, qRow = <usize>queryRow << 2, kRow = <usize>keyRow << 2, vRow = <usize>valueRow << 2;
  const queryBlocks = (lq + blockQueries - 1) / blockQueries;
  const packValues = headDim % panelColumns != 0 || lq >= packingUses;
  const logits = scratchPtr + LOGITS, keys = scratchPtr + KEYS, values = scratchPtr + VALUES;
  const mask = scratchPtr + MASK, keyLabels = scratchPtr + LABELS, largest = scratchPtr + LARGEST, totals = scratchPtr + TOTALS;
  let preparedGroup = -1, preparedPair = -1;
  let groupKeep: usize = 0;
  share(groups * heads * queryBlocks);
  for (let unit = shareStart; unit < shareEnd; unit++) {
    const pair = unit / queryBlocks, group = pair / heads, head = pair - group * heads;
    const query = (unit - pair * queryBlocks) * blockQueries, queries = min(lq - query, blockQueries);
    const slice = <usize>(head * headDim) << 2;
    const queryIndex = <usize>group * lq + query, outputStart = queryIndex * row + slice, firstKey = <usize>group * lk;
    const groupLabels = labels == 0 ? labels : labels + (<usize>(group % labelGroups) * lk << 2);
    const newGroup = group != preparedGroup;
    if (newGroup && keep != 0) {
      groupKeep = keep + (<usize>group * lk << 2);
      if (!keepsAny(groupKeep, lk)) groupKeep = 0;
    }
    if (newGroup) {
      readAhead(q, group, <usize>lq * qRow);
      readAhead(k, group, <usize>lk * kRow);
      readAhead(v, group, <usize>lk * vRow);
      readAhead(o, group, <usize>lq * row);
    }
    for (let key = 0; key < lk; key += blockKeys) {
      const count = min(lk - key, blockKeys), logitRow = logitsRow(count);
      const keyAt = k + (firstKey + key) * kRow + slice, valueAt = v + (firstKey + key) * vRow + slice;
      // With a single block of keys everything below is still there from the unit before.
      if (pair != preparedPair || lk > blockKeys) {
        packColumns(keyAt, kRow, true, count, headDim, keys);
        if (packValues) packColumns(valueAt, vRow, false, headDim, count, values);
      }
      if (lk > blockKeys || preparedGroup < 0 || (newGroup && keep != 0)) {
        writeKeyMask(mask, groupKeep == 0 ? 0 : groupKeep + (<usize>key << 2), count);
      }
      multiply(
        queries, <i32>(logitRow >> 2), headDim, q + queryIndex * qRow + slice, qRow, 4, keys, panelRow, <usize>headDim * panelRow,
        logits, logitRow, mask, 0, scale,
      );
      if (groupLabels != 0) {
        memory.copy(keyLabels, groupLabels + (<usize>key << 2), <usize>count << 2);
        maskLabels(logits, queries, logitRow, groupLabels + (<usize>query << 2), keyLabels);
      }
      const target = o + outputStart;
      softmaxBlock(logits, queries, logitRow, largest, totals, target, row, headDim, key == 0);
      multiply(
        queries, headDim, count, logits, logitRow, 4,
        packValues ? values : valueAt, packValues ? panelRow : vRow, packValues ? <usize>count * panelRow : panelRow,
        target, row, key == 0 ? 0 : target, key == 0 ? 0 : row, 1,
      );
      preparedGroup = group;
      preparedPair = pair;
    }
    finishRows(o + outputStart, row, headDim, queries, largest, totals, lse + ((<usize>pair * lq + query) << 2));
  }
}

/**
 * Turns logits into exp(logit - largest so far), and keeps the largest logit and the sum of every row. Where a later block of
 * keys raises the largest, what was summed before is scaled down, in `totals` and in o.
 */
function softmaxBlock(
  logits: usize, rows: i32, logitRow: usize, largest: usize, totals: usize, o: usize, oRow: usize, headDim: i32, first: bool,
): void {
  for (let index = 0; index < rows; index++) {
    const end = logits + logitRow;
    let top = v128.load(logits), otherTop = v128.load(logits, 16);
    for (let at = logits + 32; at < end; at += 32) {
      top = f32x4.pmax(top, v128.load(at));
      otherTop = f32x4.pmax(otherTop, v128.load(at, 16));
    }
    let most = hmax(f32x4.pmax(top, otherTop));
    if (!first && load<f32>(largest) > most) most = load<f32>(largest);
    const shift = f32x4.splat(finiteOrZero(most));
    let sum = f32x4.splat(0), otherSum = sum;
    for (; logits < end; logits += 32) {
      const x = vdecay(f32x4.sub(v128.load(logits), shift)), y = vdecay(f32x4.sub(v128.load(logits, 16), shift));
      v128.store(logits, x);
      v128.store(logits, y, 16);
      sum = f32x4.add(sum, x);
      otherSum = f32x4.add(otherSum, y);
    }
    let total = hsum(f32x4.add(sum, otherSum));
    if (!first) {
      const before = load<f32>(largest);
      if (before != most) {
        const factor = f32x4.extract_lane(vdecay(f32x4.sub(f32x4.splat(before), shift)), 0);
        store<f32>(totals, load<f32>(totals) * factor);
        scaleRow(o, headDim, factor);
      }
      total += load<f32>(totals);
    }
    store<f32>(largest, most);
    store<f32>(totals, total);
    largest += 4;
    totals += 4;
    o += oRow;
  }
}

/** The largest logit as what to subtract: a row that sees no key has -∞, from which nothing can be subtracted. */
// @ts-ignore: decorator
@inline
function finiteOrZero(largest: f32): f32 {
  return largest == -Infinity ? 0 : largest;
}

/** Divides the rows of o by their sums and writes lse; a row that sees no key becomes zero. Sums and largest logits are used up. */
function finishRows(o: usize, oRow: usize, headDim: i32, rows: i32, largest: usize, totals: usize, lse: usize): void {
  const zero = f32x4.splat(0), one = f32x4.splat(1);
  for (let at: usize = 0; at < <usize>rows << 2; at += 16) {
    const total = v128.load(totals + at), empty = f32x4.eq(total, zero);
    v128.store(totals + at, v128.andnot(f32x4.div(one, total), empty));
    v128.store(largest + at, v128.andnot(f32x4.add(v128.load(largest + at), naturalLogarithm(total)), empty));
  }
  copyFloats(lse, largest, rows);
  for (let index: usize = 0; index < <usize>rows << 2; index += 4) {
    scaleRow(o, headDim, load<f32>(totals + index));
    o += oRow;
  }
}

/** Multiplies a row of o by a factor. */
// @ts-ignore: decorator
@inline
function scaleRow(o: usize, headDim: i32, factor: f32): void {
  const end = o + (<usize>headDim << 2), factors = f32x4.splat(factor);
  for (; o + 16 <= end; o += 16) v128.store(o, f32x4.mul(v128.load(o), factors));
  for (; o < end; o += 4) store<f32>(o, load<f32>(o) * factor);
}

/**
 * ln x for normal x > 0, to the last bit or so: x = m·2ᵉ with m in [√½, √2), ln m = 2 artanh((m - 1)/(m + 1)) as a series in
 * float64.
 */
// @ts-ignore: decorator
@inline
function naturalLogarithm(x: v128): v128 {
  const exponent = i32x4.shr_s(i32x4.sub(x, i32x4.splat(0x3f3504f3)), 23); // 0x3f3504f3: √½
  const m = i32x4.sub(x, i32x4.shl(exponent, 23));
  const low = twoLogarithms(m, exponent);
  const high = twoLogarithms(v128.shuffle<f64>(m, m, 1, 1), v128.shuffle<f64>(exponent, exponent, 1, 1));
  return v128.shuffle<f64>(low, high, 0, 2);
}

/** ln(m·2ᵉ) for the first two numbers of m and e. */
function twoLogarithms(m: v128, exponent: v128): v128 {
  const one = f64x2.splat(1), x = f64x2.promote_low_f32x4(m);
  const z = f64x2.div(f64x2.sub(x, one), f64x2.add(x, one)), s = f64x2.mul(z, z);
  let series = f64x2.splat(1.0 / 11);
  series = f64x2.add(f64x2.splat(1.0 / 9), f64x2.mul(s, series));
  series = f64x2.add(f64x2.splat(1.0 / 7), f64x2.mul(s, series));
  series = f64x2.add(f64x2.splat(1.0 / 5), f64x2.mul(s, series));
  series = f64x2.add(f64x2.splat(1.0 / 3), f64x2.mul(s, series));
  series = f64x2.add(one, f64x2.mul(s, series));
  const logarithm = f64x2.mul(f64x2.add(z, z), series), power = f64x2.convert_low_i32x4_s(exponent);
  return f32x4.demote_f64x2_zero(f64x2.add(logarithm, f64x2.mul(power, f64x2.splat(0.6931471805599453))));
}
