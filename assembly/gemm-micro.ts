// Micro-kernels: a small tile of C stays in registers while k runs. All strides are in bytes.
//
// Every element of C is the same chain of fma over ascending k in whatever tile it falls, so how C is cut never shows.
import { fma } from "./simd";

/** Columns of a tile, and of a panel of B. */
export const panelColumns: i32 = 8;
/** Rows of the fastest tile: with fma 15 registers hold 6 x 8; a separate product needs one of them. */
export const tileRows: i32 = ASC_FEATURE_RELAXED_SIMD ? 6 : 4;

/** Writes one row of a tile: alpha·sum + addend, the product rounded first, as everywhere in the engine. */
// @ts-ignore: decorator
@inline
function finish(c: usize, addend: usize, alpha: v128, low: v128, high: v128): void {
  v128.store(c, f32x4.add(f32x4.mul(alpha, low), v128.load(addend)));
  v128.store(c, f32x4.add(f32x4.mul(alpha, high), v128.load(addend, 16)), 16);
}

/**
 * C = alpha·A·B + addend for a tile of 6 x 8: element (i, k) of A is at a + i·aRow + k·aStep, row k of B at b + k·bStep.
 *
 * The breaks between the rows are never taken. They keep V8 before 12.8 from hoisting all loads above the arithmetic, which
 * would spill the accumulators and halve the speed.
 */
export function tile6x8(
  k: i32, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize,
  c: usize, cRow: usize, addend: usize, addendRow: usize, alpha: f32,
): void {
  let a0 = a, a1 = a0 + aRow, a2 = a1 + aRow, a3 = a2 + aRow, a4 = a3 + aRow, a5 = a4 + aRow;
  let low0 = f32x4.splat(0), low1 = low0, low2 = low0, low3 = low0, low4 = low0, low5 = low0;
  let high0 = low0, high1 = low0, high2 = low0, high3 = low0, high4 = low0, high5 = low0;
  for (let left = k; left > 0; left--) {
    const low = v128.load(b), high = v128.load(b, 16);
    let x = v128.load32_splat(a0); low0 = fma(x, low, low0); high0 = fma(x, high, high0); a0 += aStep;
    if (left == -1) break;
    x = v128.load32_splat(a1); low1 = fma(x, low, low1); high1 = fma(x, high, high1); a1 += aStep;
    if (left == -2) break;
    x = v128.load32_splat(a2); low2 = fma(x, low, low2); high2 = fma(x, high, high2); a2 += aStep;
    if (left == -3) break;
    x = v128.load32_splat(a3); low3 = fma(x, low, low3); high3 = fma(x, high, high3); a3 += aStep;
    if (left == -4) break;
    x = v128.load32_splat(a4); low4 = fma(x, low, low4); high4 = fma(x, high, high4); a4 += aStep;
    if (left == -5) break;
    x = v128.load32_splat(a5); low5 = fma(x, low, low5); high5 = fma(x, high, high5); a5 += aStep;
    b += bStep;
  }
  const factor = f32x4.splat(alpha);
  finish(c, addend, factor, low0, high0); c += cRow; addend += addendRow;
  finish(c, addend, factor, low1, high1); c += cRow; addend += addendRow;
  finish(c, addend, factor, low2, high2); c += cRow; addend += addendRow;
  finish(c, addend, factor, low3, high3); c += cRow; addend += addendRow;
  finish(c, addend, factor, low4, high4); c += cRow; addend += addendRow;
  finish(c, addend, factor, low5, high5);
}

/** As `tile6x8` on an A packed by `packTiles`: the offsets are constants, no pointer a row. */
export function packedTile6x8(
  k: i32, a: usize, b: usize, bStep: usize, c: usize, cRow: usize, addend: usize, addendRow: usize, alpha: f32,
): void {
  let low0 = f32x4.splat(0), low1 = low0, low2 = low0, low3 = low0, low4 = low0, low5 = low0;
  let high0 = low0, high1 = low0, high2 = low0, high3 = low0, high4 = low0, high5 = low0;
  for (let left = k; left > 0; left--) {
    const low = v128.load(b), high = v128.load(b, 16);
    let x = v128.load32_splat(a); low0 = fma(x, low, low0); high0 = fma(x, high, high0);
    if (left == -1) break;
    x = v128.load32_splat(a, 4); low1 = fma(x, low, low1); high1 = fma(x, high, high1);
    if (left == -2) break;
    x = v128.load32_splat(a, 8); low2 = fma(x, low, low2); high2 = fma(x, high, high2);
    if (left == -3) break;
    x = v128.load32_splat(a, 12); low3 = fma(x, low, low3); high3 = fma(x, high, high3);
    if (left == -4) break;
    x = v128.load32_splat(a, 16); low4 = fma(x, low, low4); high4 = fma(x, high, high4);
    if (left == -5) break;
    x = v128.load32_splat(a, 20); low5 = fma(x, low, low5); high5 = fma(x, high, high5);
    a += 24;
    b += bStep;
  }
  const factor = f32x4.splat(alpha);
  finish(c, addend, factor, low0, high0); c += cRow; addend += addendRow;
  finish(c, addend, factor, low1, high1); c += cRow; addend += addendRow;
  finish(c, addend, factor, low2, high2); c += cRow; addend += addendRow;
  finish(c, addend, factor, low3, high3); c += cRow; addend += addendRow;
  finish(c, addend, factor, low4, high4); c += cRow; addend += addendRow;
  finish(c, addend, factor, low5, high5);
}

/** As `tile6x8`, 4 rows. */
export function tile4x8(
  k: i32, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize,
  c: usize, cRow: usize, addend: usize, addendRow: usize, alpha: f32,
): void {
  let a0 = a, a1 = a0 + aRow, a2 = a1 + aRow, a3 = a2 + aRow;
  let low0 = f32x4.splat(0), low1 = low0, low2 = low0, low3 = low0;
  let high0 = low0, high1 = low0, high2 = low0, high3 = low0;
  for (let left = k; left > 0; left--) {
    const low = v128.load(b), high = v128.load(b, 16);
    let x = v128.load32_splat(a0); low0 = fma(x, low, low0); high0 = fma(x, high, high0); a0 += aStep;
    if (left == -1) break;
    x = v128.load32_splat(a1); low1 = fma(x, low, low1); high1 = fma(x, high, high1); a1 += aStep;
    if (left == -2) break;
    x = v128.load32_splat(a2); low2 = fma(x, low, low2); high2 = fma(x, high, high2); a2 += aStep;
    if (left == -3) break;
    x = v128.load32_splat(a3); low3 = fma(x, low, low3); high3 = fma(x, high, high3); a3 += aStep;
    b += bStep;
  }
  const factor = f32x4.splat(alpha);
  finish(c, addend, factor, low0, high0); c += cRow; addend += addendRow;
  finish(c, addend, factor, low1, high1); c += cRow; addend += addendRow;
  finish(c, addend, factor, low2, high2); c += cRow; addend += addendRow;
  finish(c, addend, factor, low3, high3);
}

/** As `tile6x8`, 2 rows. */
export function tile2x8(
  k: i32, a: usize, aRow: usize, aStep: usize, b: usize, bStep: usize,
  c: usize, cRow: usize, addend: usize, addendRow: usize, alpha: f32,
): void {
  let a0 = a, a1 = a0 + aRow;
  let low0 = f32x4.splat(0), low1 = low0, high0 = low0, high1 = low0;
  for (let left = k; left > 0; left--) {
    const low = v128.load(b), high = v128.load(b, 16);
    let x = v128.load32_splat(a0); low0 = fma(x, low, low0); high0 = fma(x, high, high0); a0 += aStep;
    x = v128.load32_splat(a1); low1 = fma(x, low, low1); high1 = fma(x, high, high1); a1 += aStep;
    b += bStep;
  }
  const factor = f32x4.splat(alpha);
  finish(c, addend, factor, low0, high0);
  finish(c + cRow, addend + addendRow, factor, low1, high1);
}

/** As `tile6x8`, 1 row. */
export function tile1x8(k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, addend: usize, alpha: f32): void {
  let low = f32x4.splat(0), high = low;
  for (let left = k; left > 0; left--) {
    const x = v128.load32_splat(a);
    low = fma(x, v128.load(b), low);
    high = fma(x, v128.load(b, 16), high);
    a += aStep;
    b += bStep;
  }
  finish(c, addend, f32x4.splat(alpha), low, high);
}
