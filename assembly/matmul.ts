// C = alpha·op(A)·op(B) + bias (+ C), blocked for the caches; beside it the sums of op(A)'s rows.
import { hasEpilogue, runEpilogue } from "./epilogue";
import { panelColumns, panelRow, tileRows } from "./gemm-geometry";
import { packColumns, packTiles, transpose4x4 } from "./gemm-pack";
import { multiplyFullPanel, multiplyNarrowPanel, multiplyPackedPanel, zeroRow } from "./gemm-panel";
import { sumRows } from "./bias-sums";
import { continued, groupsStayWhole, scratchBytes, scratchPtr, shareEnd, shareGroups, shareStart } from "./threads";
import { storedColumn, storedRow } from "./pack";
import { SUMS } from "./tiles";

/** How B is stored: `transposeB` of the kernel. */
const PLAIN: i32 = 0;
const TRANSPOSED: i32 = 1;
const PACKED: i32 = 2;

/** Most of k, rows of A and columns of B in one block: a panel of B sits in the first cache, a block of A in the second. */
const blockDepth: i32 = 512;
const blockRows: i32 = 192;
const blockColumns: i32 = 1024;
/** Bytes in scratch of a block of A in tiles, and of one of B in panels. */
const tilesBytes: usize = (blockDepth * (blockRows + tileRows)) << 2;
const panelsBytes: usize = (blockDepth * blockColumns) << 2;
/** Most bytes of a whole operand, packed: what remains of the scratch. */
const mostHeld: usize = scratchBytes - SUMS - tilesBytes - panelsBytes;
/** Bytes of C in a block whose rows an elementwise command goes on with: what remains of the second cache. */
const epilogueBytes: i32 = 384 << 10;
/** With fewer rows than this, packing a B that can be read in place costs more than it saves. */
const packingRows: i32 = 24;
/** With fewer columns than this, packing A costs more than it saves; a transposed A, read across its rows, gains more. */
const packingColumns: i32 = 96;
const packingColumnsTransposed: i32 = 24;

/** The operand that all strips of a product share, A or B, while the scratch holds all of it packed for this thread's next part. */
let held: usize = 0;

/**
 * The kernel: batches of matrix products. The work is split into strips of rows or of columns of C, whichever are more, over
 * all batches; the summed axis is never split. Of X·Xᵀ and Xᵀ·X, in batches that threads need not cut, half is computed and the
 * other half copied: its sums are of the same products in the same order.
 */
export function matmul(
  c: usize, sums: usize, a: usize, b: usize, bias: usize, batch: i32, m: i32, n: i32, k: i32,
  strideA: i32, strideB: i32, strideC: i32, transposeA: i32, transposeB: i32, accumulate: i32, alpha: f32,
): void {
  const byRows = m >= n; // as `mayFollow` in src/backend/wasm/chains.ts has it
  const strip = byRows ? tileRows : panelColumns;
  const strips = ((byRows ? m : n) + strip - 1) / strip;
  const aRow: usize = transposeA ? 4 : <usize>k << 2, aStep: usize = transposeA ? <usize>m << 2 : 4;
  const bStored: usize = <usize>(transposeB ? k : n) << 2;
  const cRow = <usize>n << 2;
  const symmetric = a == b && m == n && strideA == strideB && transposeA + transposeB == 1 &&
    bias == 0 && sums == 0 && !accumulate && groupsStayWhole(batch);
  if (!continued) held = 0;
  shareGroups(batch, strips);
  let unit = shareStart;
  while (unit < shareEnd) {
    const index = unit / strips, first = unit % strips;
    const last = min(strips, first + shareEnd - unit);
    unit += last - first;
    const begin = first * strip, row = byRows ? begin : 0, column = byRows ? 0 : begin;
    const rows = byRows ? min(m, last * strip) - row : m, columns = byRows ? n : min(n, last * strip) - column;
    const ownA = a + (<usize>index * strideA << 2) + <usize>row * aRow;
    // Of columns, whoever has the first sums up the rows.
    if (sums != 0 && column == 0) sumRows(ownA, aRow, aStep, rows, k, sums + (<usize>(index * m + row) << 2));
    multiplyRegion(
      byRows, rows, columns, k, index * m + row, column, ownA, aRow, aStep,
      b + (<usize>index * strideB << 2), bStored, transposeB,
      c + (<usize>index * strideC << 2) + <usize>row * cRow + (<usize>column << 2), cRow,
      bias == 0 ? 0 : bias + (<usize>column << 2), accumulate != 0, alpha, symmetric,
    );
  }
}

/** Rows of C, or columns, of one product, from row `firstRow` of all and column `firstColumn` on; strides in bytes. A and C point at that
 *  part, B at all of its columns. */
function multiplyRegion(
  byRows: bool, m: i32, n: i32, k: i32, firstRow: i32, firstColumn: i32, a: usize, aRow: usize, aStep: usize,
  b: usize, bStored: usize, storage: i32,
  c: usize, cRow: usize, bias: usize, accumulate: bool, alpha: f32, symmetric: bool,
): void {
  if (bias != 0 && accumulate) addToRows(c, cRow, m, n, bias);
  // The cut of k depends on k alone, so that every element's sum is the same for any split of the rest.
  const depth = even(k, blockDepth, 4), width = even(n, blockColumns, panelColumns);
  const epilogue = hasEpilogue(), mostRows = epilogue ? max(tileRows, min(blockRows, epilogueBytes / (n << 2))) : blockRows;
  const height = even(m, mostRows, tileRows);
  // What all strips share, B of rows and A of columns, is packed whole and kept where there is room.
  const heldA = !byRows && held == a, heldB = byRows && held == b;
  const packedA = heldA || (m >= packingRows && n >= (aRow == 4 ? packingColumnsTransposed : packingColumns));
  const direct = storage == PACKED || (storage == PLAIN && m < packingRows && !heldB);
  const tileRow = <usize>((m + 15) & ~15) << 2, panelsRow = <usize>((n + panelColumns - 1) / panelColumns) * panelRow;
  const holdsA = !byRows && packedA && <usize>k * tileRow <= mostHeld;
  const holdsB = byRows && !direct && <usize>k * panelsRow <= mostHeld;
  const allTiles = scratchPtr + SUMS; // behind what elementwise commands use
  const allPanels = allTiles + (holdsA ? <usize>k * tileRow : tilesBytes);
  for (let k0 = 0; k0 < k; k0 += depth) {
    const kc = min(depth, k - k0);
    const fresh = k0 == 0 && !accumulate;
    for (let n0 = 0; n0 < n; n0 += width) {
      const columnEnd = min(n, n0 + width);
      const panels = allPanels + (holdsB ? <usize>k0 * panelsRow + (<usize>(n0 * kc) << 2) : 0);
      if (!direct && !heldB) {
        const source = b + elementOfB(storage, k0, firstColumn + n0, k, bStored);
        packColumns(source, bStored, storage == TRANSPOSED, columnEnd - n0, kc, panels);
      }
      for (let m0 = 0; m0 < m; m0 += height) {
        const rows = min(height, m - m0);
        const aBlock = a + <usize>m0 * aRow + <usize>k0 * aStep;
        const tiles = allTiles + (holdsA ? <usize>k0 * tileRow + (<usize>(m0 * kc) << 2) : 0);
        if (packedA && !heldA && (n0 == 0 || !holdsA)) packTiles(aBlock, aRow, aStep, rows, kc, tiles);
        const zeros = zeroRow(); // an epilogue may have written there
        // Tiles of a symmetric product that lie below its diagonal are left out.
        const begin = symmetric ? max(n0, m0 - m0 % panelColumns) : n0;
        let panel = panels + (<usize>((begin - n0) * kc) << 2);
        for (let column = begin; column < columnEnd; column += panelColumns) {
          const reached = symmetric ? min(rows, whole(column + panelColumns - m0, tileRows)) : rows;
          const columns = min(panelColumns, columnEnd - column);
          const source = b + elementOfB(storage, k0, firstColumn + column, k, bStored);
          const inPlace = direct && (storage == PACKED || columns == panelColumns);
          // Of what is read in place, the last columns that do not fill a panel.
          if (direct && !inPlace && m0 == 0) packColumns(source, bStored, false, columns, kc, panel);
          const target = c + <usize>m0 * cRow + (<usize>column << 2);
          const addend = !fresh ? target : bias != 0 ? bias + (<usize>column << 2) : zeros;
          const addendRow: usize = fresh ? 0 : cRow;
          const from = inPlace ? source : panel, bStep = storage == PACKED ? storedRow : inPlace ? bStored : panelRow;
          if (columns < panelColumns) {
            multiplyNarrowPanel(reached, columns, kc, aBlock, aRow, aStep, from, bStep, target, cRow, addend, addendRow, alpha);
          } else if (packedA) {
            multiplyPackedPanel(reached, kc, tiles, aBlock, aRow, aStep, from, bStep, target, cRow, addend, addendRow, alpha);
          } else {
            multiplyFullPanel(reached, kc, aBlock, aRow, aStep, from, bStep, target, cRow, addend, addendRow, alpha);
          }
          panel += <usize>kc * panelRow;
        }
        if (epilogue && !symmetric && k0 + kc == k && columnEnd == n && width >= n) {
          runEpilogue((firstRow + m0) * n, (firstRow + m0 + rows) * n);
        }
      }
    }
  }
  if (symmetric) mirror(c, cRow, n);
  if (epilogue && (symmetric || width < n)) runEpilogue(firstRow * n, (firstRow + m) * n);
  if (holdsA || holdsB) held = byRows ? b : a;
}

/** Where element (row, column) of op(B) is, in bytes. */
// @ts-ignore: decorator
@inline
function elementOfB(storage: i32, row: i32, column: i32, k: i32, bStored: usize): usize {
  if (storage == PACKED) return storedColumn(column, k) + <usize>row * storedRow;
  if (storage == TRANSPOSED) return <usize>column * bStored + (<usize>row << 2);
  return <usize>row * bStored + (<usize>column << 2);
}

/** The size of the blocks that cut `length` into the fewest equal parts of at most `most`, in whole `unit`s. */
// @ts-ignore: decorator
@inline
function even(length: i32, most: i32, unit: i32): i32 {
  if (length <= most) return length; // most products, and divisions would take longer than the smallest of them
  const parts = (length + most - 1) / most;
  const size = (length + parts - 1) / parts;
  return whole(size, unit);
}

/** `length` rounded up to whole units. */
// @ts-ignore: decorator
@inline
function whole(length: i32, unit: i32): i32 {
  return ((length + unit - 1) / unit) * unit;
}

/** Copies what is above the diagonal of C [n, n], but for blocks of four on it, to where it is mirrored. */
function mirror(c: usize, cRow: usize, n: i32): void {
  const bytes = <usize>n << 2, blocks = bytes & ~15;
  for (let row: usize = 16; row < bytes; row += 16) {
    const target = c + (row >> 2) * cRow;
    if (row == blocks) {
      // Rows that do not fill a block go number by number.
      for (let last = row; last < bytes; last += 4) {
        for (let column: usize = 0; column < row; column += 4) {
          store<f32>(c + (last >> 2) * cRow + column, load<f32>(c + (column >> 2) * cRow + last));
        }
      }
      return;
    }
    for (let column: usize = 0; column < row; column += 16) {
      transpose4x4(c + (column >> 2) * cRow + row, cRow, target + column, cRow);
    }
  }
}

/** Adds a row to every row of C. */
function addToRows(c: usize, cRow: usize, m: i32, n: i32, row: usize): void {
  for (let i = 0; i < m; i++) {
    for (let j: usize = 0; j < <usize>n << 2; j += 4) store<f32>(c + j, load<f32>(c + j) + load<f32>(row + j));
    c += cRow;
  }
}
