// Vectors of four floats: multiply-add, exp, horizontal sums, and the ends of rows that do not fill a vector.
import { Constant, constant } from "./constants";

export { initialiseConstants } from "./constants";

/** a·b + c: rounded once where the engine has relaxed SIMD, else twice. */
// @ts-ignore: decorator
@inline
export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  else return f32x4.add(f32x4.mul(a, b), c);
}

/** eʳ - 1 for |r| ≤ ½ ln 2. */
// @ts-ignore: decorator
@inline
export function expReduced(r: v128): v128 {
  let p = fma(constant(Constant.ExpP0), r, constant(Constant.ExpP1));
  p = fma(p, r, constant(Constant.ExpP2));
  p = fma(p, r, constant(Constant.ExpP3));
  p = fma(p, r, constant(Constant.ExpP4));
  p = fma(p, r, constant(Constant.Half));
  return fma(p, f32x4.mul(r, r), r);
}

/**
 * eˣ to 1-2 units in the last place; 0 below -87.0 (no denormals), ∞ above 88.73, NaN for NaN.
 * x = n ln 2 + r. Adding the shift rounds x·log₂e to n, and leaves n + 126 in the low bits: moved into the exponent they are
 * 2ⁿ⁻¹, which still is a normal number where eˣ barely is finite.
 */
// @ts-ignore: decorator
@inline
export function vexp(x: v128): v128 {
  // In this order of operands a NaN passes through.
  const clamped = f32x4.pmin(f32x4.pmax(x, constant(Constant.ExpLowest)), constant(Constant.ExpHighest));
  const shifted = fma(clamped, constant(Constant.Log2E), constant(Constant.ExpShift));
  const n = f32x4.sub(shifted, constant(Constant.ExpShift));
  const r = fma(n, constant(Constant.Ln2Low), fma(n, constant(Constant.Ln2High), clamped));
  const twice = fma(expReduced(r), constant(Constant.Two), constant(Constant.Two));
  return f32x4.mul(twice, i32x4.shl(shifted, 23));
}

/**
 * eˣ for x ≤ 0, to 2 units in the last place where x ≥ -1, and to |x| of them below; 0 below -87.7, NaN for NaN. What softmax needs,
 * in three quarters of the instructions of `vexp`: x·log₂e = n + f, 2ᶠ as a polynomial, 2ⁿ from the low bits as there.
 */
// @ts-ignore: decorator
@inline
export function vdecay(x: v128): v128 {
  const t = f32x4.pmax(f32x4.mul(x, constant(Constant.Log2E)), constant(Constant.DecayLowest));
  const shifted = f32x4.add(t, constant(Constant.DecayShift));
  const f = f32x4.sub(t, f32x4.sub(shifted, constant(Constant.DecayShift)));
  let p = fma(constant(Constant.DecayP5), f, constant(Constant.DecayP4));
  p = fma(p, f, constant(Constant.DecayP3));
  p = fma(p, f, constant(Constant.DecayP2));
  p = fma(p, f, constant(Constant.DecayP1));
  p = fma(p, f, constant(Constant.One));
  return f32x4.mul(p, i32x4.shl(shifted, 23));
}

/** Sum of the lanes. */
// @ts-ignore: decorator
@inline
export function hsum(v: v128): f32 {
  const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** Largest lane. */
// @ts-ignore: decorator
@inline
export function hmax(v: v128): f32 {
  const pairs = f32x4.pmax(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.pmax(pairs, v128.shuffle<f32>(pairs, pairs, 1, 0, 3, 2)), 0);
}

/** The `count` (1 to 3) floats at `address`, and `rest` in the lanes after them: the end of a row, without reading beyond it. */
// @ts-ignore: decorator
@inline
export function loadPart(address: usize, count: i32, rest: v128): v128 {
  let v = v128.load_lane<f32>(address, rest, 0);
  if (count > 1) v = v128.load_lane<f32>(address, v, 1, 4);
  if (count > 2) v = v128.load_lane<f32>(address, v, 2, 8);
  return v;
}

/** Stores the first `count` (1 to 3) lanes. */
// @ts-ignore: decorator
@inline
export function storePart(address: usize, v: v128, count: i32): void {
  v128.store_lane<f32>(address, v, 0);
  if (count > 1) v128.store_lane<f32>(address, v, 1, 4);
  if (count > 2) v128.store_lane<f32>(address, v, 2, 8);
}

/** Copies floats or integers, reading and writing nothing beyond them. */
export function copyFloats(y: usize, x: usize, count: i32): void {
  const bytes = <usize>count << 2;
  if (bytes >= 512) {
    memory.copy(y, x, bytes);
    return;
  }
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) v128.store(y + at, v128.load(x + at));
  for (; at < bytes; at += 4) store<i32>(y + at, load<i32>(x + at));
}

/** Fills floats with one number. */
export function fillFloats(y: usize, value: f32, count: i32): void {
  const bytes = <usize>count << 2, vector = f32x4.splat(value);
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) v128.store(y + at, vector);
  for (; at < bytes; at += 4) store<f32>(y + at, value);
}
