// Products of blocks: what matmul and attention are made of. All strides are in bytes.
import { panelColumns, panelRow, tileRows } from "./gemm-geometry";
import { packedTile4, packedTile6, rowsPanel, stridedPanel } from "./gemm-micro.generated";
import { scratchPtr } from "./threads";

// The first bytes of a thread's scratch: a tile for the columns that do not fill a panel, and a row of zeros.
const ZEROS: usize = 6 * panelRow;
/** Bytes at the start of the scratch that belong to this file. */
export const productScratch: usize = 512;

/** A panel's row of zeros in scratch: the addend, with a row stride of 0, of a product that has none. */
export function zeroRow(): usize {
  const zeros = scratchPtr + ZEROS;
  for (let at: usize = 0; at < panelRow; at += 16) v128.store(zeros + at, f32x4.splat(0));
  return zeros;
}

/** C [m, panelColumns] = alpha·A·B + addend for one panel of B. */
// @ts-ignore: decorator
@inline
export function multiplyFullPanel(
  m: i32, k: i32, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize,
  c: usize, cRow: usize, addend: usize, addendRow: usize, alpha: f32,
): void {
  if (aStep == 4) rowsPanel(m, k, a, aRow, b, bStep, c, cRow, addend, addendRow, alpha);
  else stridedPanel(m, k, a, aRow, aStep, b, bStep, c, cRow, addend, addendRow, alpha);
}

/** C [m, columns] = alpha·A·B + addend for a panel that lacks columns, by way of a tile in scratch. */
export function multiplyNarrowPanel(
  m: i32, columns: i32, k: i32, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize,
  c: usize, cRow: usize, addend: usize, addendRow: usize, alpha: f32,
): void {
  const tile = scratchPtr, zeros = zeroRow();
  for (let left = m; left > 0; left -= 6) {
    const rows = min(left, 6);
    multiplyFullPanel(rows, k, a, aRow, aStep, b, bStep, tile, panelRow, zeros, 0, alpha);
    for (let row = 0; row < rows; row++) {
      const from = tile + <usize>row * panelRow;
      for (let column: usize = 0; column < <usize>columns << 2; column += 4) {
        store<f32>(c + column, load<f32>(from + column) + load<f32>(addend + column));
      }
      c += cRow;
      addend += addendRow;
    }
    a += 6 * aRow;
  }
}

/** As `multiplyFullPanel` with an A packed by `packTiles`, of which the last rows are read in place. */
export function multiplyPackedPanel(
  m: i32, k: i32, tiles: usize, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize,
  c: usize, cRow: usize, addend: usize, addendRow: usize, alpha: f32,
): void {
  for (; tileRows == 6 && m >= 6; m -= 6) {
    packedTile6(k, tiles, b, bStep, c, cRow, addend, addendRow, alpha);
    tiles += <usize>k * 24;
    a += 6 * aRow; c += 6 * cRow; addend += 6 * addendRow;
  }
  for (; m >= 4; m -= 4) {
    packedTile4(k, tiles, b, bStep, c, cRow, addend, addendRow, alpha);
    tiles += <usize>k * 16;
    a += 4 * aRow; c += 4 * cRow; addend += 4 * addendRow;
  }
  if (m > 0) multiplyFullPanel(m, k, a, aRow, aStep, b, bStep, c, cRow, addend, addendRow, alpha);
}

/** C [m, n] = alpha·A·B + addend, panel by panel: panel j of B starts at b + j·bPanel. No addend: 0, with addendRow 0. */
export function multiply(
  m: i32, n: i32, k: i32, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize, bPanel: usize,
  c: usize, cRow: usize, addend: usize, addendRow: usize, alpha: f32,
): void {
  const across: usize = addend == 0 ? 0 : panelRow;
  if (addend == 0) addend = zeroRow();
  for (; n >= panelColumns; n -= panelColumns) {
    multiplyFullPanel(m, k, a, aRow, aStep, b, bStep, c, cRow, addend, addendRow, alpha);
    b += bPanel;
    c += panelRow;
    addend += across;
  }
  if (n > 0) multiplyNarrowPanel(m, n, k, a, aRow, aStep, b, bStep, c, cRow, addend, addendRow, alpha);
}
