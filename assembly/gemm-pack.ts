// Packing: B is cut into panels of `panelColumns` columns, stored row after row, so that the micro-kernels read it in one stream;
// A is cut into tiles of `tileRows` rows, stored column after column.
// Columns a panel lacks hold finite numbers of no meaning; whoever multiplies by them drops the result.

import { panelColumns, panelRow, tileRows } from "./gemm-geometry";

/** Rows of what is stored row by row that are packed in one sweep across them: a few, so that a row is read on and on, as the
 *  processor's prefetcher likes it, and whole cache lines of every panel or tile are written at once. */
const sweptRows: i32 = 8;

/** Transposes four numbers of each of four rows `stride` bytes apart: column j goes to target + j·step. */
// @ts-ignore: decorator
@inline
export function transpose4x4(source: usize, stride: usize, target: usize, step: usize): void {
  const x0 = v128.load(source), x1 = v128.load(source + stride);
  source += 2 * stride;
  const x2 = v128.load(source), x3 = v128.load(source + stride);
  const low01 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5), high01 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7);
  const low23 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5), high23 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7);
  v128.store(target, v128.shuffle<f64>(low01, low23, 0, 2));
  v128.store(target + step, v128.shuffle<f64>(low01, low23, 1, 3));
  v128.store(target + 2 * step, v128.shuffle<f64>(high01, high23, 0, 2));
  v128.store(target + 3 * step, v128.shuffle<f64>(high01, high23, 1, 3));
}

/** Packs one whole panel of B stored [k, n]: `source` is its first column, `stride` the bytes from row to row. */
// @ts-ignore: decorator
@inline
function copyPanel(source: usize, stride: usize, k: i32, target: usize): void {
  for (let row = 0; row < k; row++) {
    v128.store(target, v128.load(source));
    v128.store(target, v128.load(source, 16), 16);
    if (panelColumns == 16) {
      v128.store(target, v128.load(source, 32), 32);
      v128.store(target, v128.load(source, 48), 48);
    }
    source += stride;
    target += panelRow;
  }
}

/** Packs the last `columns` columns of B stored [k, n], less than a panel. */
function copyNarrowPanel(source: usize, stride: usize, columns: i32, k: i32, target: usize): void {
  const bytes = <usize>columns << 2, vectors = bytes & ~15;
  for (let row = 0; row < k; row++) {
    let at: usize = 0;
    for (; at < vectors; at += 16) v128.store(target + at, v128.load(source + at));
    for (; at < bytes; at += 4) store<f32>(target + at, load<f32>(source + at));
    for (; at < panelRow; at += 4) store<f32>(target + at, 0);
    source += stride;
    target += panelRow;
  }
}

/** Packs so many whole panels of B stored [k, n]. */
function copyPanels(source: usize, stride: usize, panels: i32, k: i32, target: usize): void {
  const size = <usize>k * panelRow, bytes = <usize>panels * panelRow;
  for (let left = k; left > 0; left -= sweptRows) {
    const rows = min(left, sweptRows);
    let to = target;
    for (let from = source, end = source + bytes; from < end; from += panelRow) {
      copyPanel(from, stride, rows, to);
      to += size;
    }
    source += <usize>sweptRows * stride;
    target += <usize>sweptRows * panelRow;
  }
}

/** Packs `columns` columns of B stored [n, k]: `source` is the first, `stride` the bytes from column to column. */
function transposePanel(source: usize, stride: usize, columns: i32, k: i32, target: usize): void {
  transposeEight(source, stride, min(columns, 8), k, target);
  if (panelColumns == 16) {
    // Where the right half has no column, the last one stands in.
    const skipped = min(columns - 1, 8);
    transposeEight(source + <usize>skipped * stride, stride, max(columns - 8, 1), k, target + 32);
  }
}

/** The eight columns of a panel at `target`, of which `columns` (1..8) are there; those that are not repeat others. */
function transposeEight(source: usize, stride: usize, columns: i32, k: i32, target: usize): void {
  // Whole panels, the keys of the smallest windows, and what stands in for a right half; other widths go number by number.
  if (columns == 8 || columns == 4 || columns == 1) {
    const near: usize = columns == 1 ? 0 : stride, half: usize = columns == 8 ? 4 * stride : 0;
    for (; k >= 4; k -= 4) {
      transpose4x4(source, near, target, panelRow);
      transpose4x4(source + half, near, target + 16, panelRow);
      source += 16;
      target += 4 * panelRow;
    }
  }
  const last = columns - 1;
  for (; k > 0; k--) {
    for (let column = 0; column < 8; column++) {
      store<f32>(target + (<usize>column << 2), load<f32>(source + <usize>min(column, last) * stride));
    }
    source += 4;
    target += panelRow;
  }
}

/** Packs op(B) [k, n] in panels, one after another, k·panelRow bytes each. `stride` is the bytes between the stored rows of B. */
export function packColumns(source: usize, stride: usize, transposed: bool, n: i32, k: i32, target: usize): void {
  const size = <usize>k * panelRow;
  if (transposed) {
    for (; n > 0; n -= panelColumns) {
      transposePanel(source, stride, min(n, panelColumns), k, target);
      source += <usize>panelColumns * stride;
      target += size;
    }
    return;
  }
  const panels = n / panelColumns, last = n - panels * panelColumns;
  copyPanels(source, stride, panels, k, target);
  if (last > 0) copyNarrowPanel(source + <usize>panels * panelRow, stride, last, k, target + <usize>panels * size);
}

/** Transposes four numbers of each of two rows `stride` bytes apart: column j goes to target + j·step. */
// @ts-ignore: decorator
@inline
function transpose2x4(source: usize, stride: usize, target: usize, step: usize): void {
  const x0 = v128.load(source), x1 = v128.load(source + stride);
  const low = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5), high = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7);
  v128.store64_lane(target, low, 0);
  v128.store64_lane(target + step, low, 1);
  v128.store64_lane(target + 2 * step, high, 0);
  v128.store64_lane(target + 3 * step, high, 1);
}

/** Packs one tile of `rows` rows, 4 or 6, of an A stored [m, k]. */
// @ts-ignore: decorator
@inline
function transposeTile(source: usize, aRow: usize, rows: i32, k: i32, target: usize): void {
  const step: usize = rows << 2;
  let left = k;
  for (; left >= 4; left -= 4) {
    transpose4x4(source, aRow, target, step);
    if (rows == 6) transpose2x4(source + 4 * aRow, aRow, target + 16, step);
    source += 16;
    target += 4 * step;
  }
  for (; left > 0; left--) {
    for (let row: usize = 0; row < <usize>rows; row++) store<f32>(target + (row << 2), load<f32>(source + row * aRow));
    source += 4;
    target += step;
  }
}

/** Packs one tile of `rows` rows, 4 or 6, of an A stored [k, m]. */
// @ts-ignore: decorator
@inline
function copyTile(source: usize, aStep: usize, rows: i32, k: i32, target: usize): void {
  for (let left = k; left > 0; left--) {
    v128.store(target, v128.load(source));
    if (rows == 6) store<u64>(target, load<u64>(source, 16), 16);
    source += aStep;
    target += rows << 2;
  }
}

/** Packs `tiles` tiles of `tileRows` rows of an A stored [k, m]. */
function copyTiles(source: usize, aStep: usize, tiles: i32, k: i32, target: usize): void {
  const row: usize = tileRows << 2, size = <usize>k * row, bytes = <usize>tiles * row;
  for (let left = k; left > 0; left -= sweptRows) {
    const steps = min(left, sweptRows);
    let to = target;
    for (let from = source, end = source + bytes; from < end; from += row) {
      copyTile(from, aStep, tileRows, steps, to);
      to += size;
    }
    source += <usize>sweptRows * aStep;
    target += <usize>sweptRows * row;
  }
}

/**
 * Packs op(A) [m, k] in tiles of `tileRows` rows, and one of four where as many are left over, k·rows·4 bytes each; one of the
 * strides is 4. The last rows stay behind.
 */
export function packTiles(source: usize, aRow: usize, aStep: usize, m: i32, k: i32, target: usize): void {
  const tiles = m / tileRows, size = <usize>k * (tileRows << 2), end = target + <usize>tiles * size;
  const last = source + <usize>(tiles * tileRows) * aRow, four = m - tiles * tileRows >= 4;
  if (aStep == 4) {
    for (; target < end; target += size) {
      transposeTile(source, aRow, tileRows, k, target);
      source += <usize>tileRows * aRow;
    }
    if (four) transposeTile(last, aRow, 4, k, end);
  } else {
    copyTiles(source, aStep, tiles, k, target);
    if (four) copyTile(last, aStep, 4, k, end);
  }
}
