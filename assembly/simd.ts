// The vocabulary of the kernels: fused multiply-add, functions of four numbers at once, horizontal sums, partial vectors.
//
// Constants are loaded from a table in memory: V8 rebuilds every v128 constant inside a loop, which halves the speed of exp.
// Coefficients are those of the Cephes library's single-precision functions (S. L. Moshier).

const table: usize = 1024;

// @ts-ignore: decorator
@inline function k(index: i32): v128 {
  return v128.load(table + (<usize>index << 4));
}

function put(index: i32, value: f32): void {
  v128.store(table + (<usize>index << 4), f32x4.splat(value));
}

// Places in the table.
const half = 0, one = 1, two = 2, nan = 3, infinity = 4, signBit = 5, expLow = 6, expHigh = 7, log2e = 8, magic = 9, ln2High = 10, ln2Low = 11,
  exp0 = 12, tanh0 = 18, tanhLimit = 23, geluA = 24, geluB = 25, geluC = 26, rootHalf = 27, log0 = 28, leastNormal = 37, two23 = 38,
  erf0 = 39, erfc0 = 46, erfcTail0 = 55, twoOverPi = 63, pi1 = 64, pi2 = 65, pi3 = 66, sin0 = 67, cos0 = 70, inverseRootTwoPi = 73, expTop = 74;

/** Writes the table; once, before any kernel runs. */
export function initialiseConstants(): void {
  put(half, 0.5); put(one, 1); put(two, 2); put(nan, NaN); put(infinity, Infinity); put(signBit, -0.0);
  put(expLow, -87.33654); put(expHigh, 88.37); put(expTop, 88.72284); put(log2e, 1.44269504088896341); put(magic, 12582912);
  put(ln2High, -0.693359375); put(ln2Low, 2.12194440e-4);
  put(exp0, 1.9875691500e-4); put(exp0 + 1, 1.3981999507e-3); put(exp0 + 2, 8.3334519073e-3); put(exp0 + 3, 4.1665795894e-2);
  put(exp0 + 4, 1.6666665459e-1); put(exp0 + 5, 0.5);
  put(tanh0, -5.70498872745e-3); put(tanh0 + 1, 2.06390887954e-2); put(tanh0 + 2, -5.37397155531e-2); put(tanh0 + 3, 1.33314422036e-1);
  put(tanh0 + 4, -3.33332819422e-1); put(tanhLimit, 0.625);
  // 2√(2/π), times 0.044715, and times 3 of that.
  put(geluA, 1.5957691216057308); put(geluB, 0.07135481282652544); put(geluC, 0.21406443847957633);
  put(rootHalf, 0.70710678118654752); put(leastNormal, 1.17549435e-38); put(two23, 8388608);
  put(log0, 7.0376836292e-2); put(log0 + 1, -1.1514610310e-1); put(log0 + 2, 1.1676998740e-1); put(log0 + 3, -1.2420140846e-1);
  put(log0 + 4, 1.4249322787e-1); put(log0 + 5, -1.6668057665e-1); put(log0 + 6, 2.0000714765e-1); put(log0 + 7, -2.4999993993e-1);
  put(log0 + 8, 3.3333331174e-1);
  put(erf0, 7.853861353153693e-5); put(erf0 + 1, -8.010193625184903e-4); put(erf0 + 2, 5.188327685732524e-3); put(erf0 + 3, -2.685381193529856e-2);
  put(erf0 + 4, 1.128358514861418e-1); put(erf0 + 5, -3.761262582423300e-1); put(erf0 + 6, 1.128379165726710);
  put(erfc0, 2.326819970068386e-2); put(erfc0 + 1, -1.387039388740657e-1); put(erfc0 + 2, 3.687424674597105e-1); put(erfc0 + 3, -5.824733027278666e-1);
  put(erfc0 + 4, 6.210004621745983e-1); put(erfc0 + 5, -4.944515323274145e-1); put(erfc0 + 6, 3.404879937665872e-1); put(erfc0 + 7, -2.741127028184656e-1);
  put(erfc0 + 8, 5.638259427386472e-1);
  put(erfcTail0, -1.047766399936249e1); put(erfcTail0 + 1, 1.297719955372516e1); put(erfcTail0 + 2, -7.495518717768503); put(erfcTail0 + 3, 2.921019019210786);
  put(erfcTail0 + 4, -1.015265279202700); put(erfcTail0 + 5, 4.218463358204948e-1); put(erfcTail0 + 6, -2.820767439740514e-1); put(erfcTail0 + 7, 5.641895067754075e-1);
  put(twoOverPi, 0.63661977236758134); put(pi1, -1.5703125); put(pi2, -4.837512969970703125e-4); put(pi3, -7.54978995489188e-8);
  put(sin0, -1.9515295891e-4); put(sin0 + 1, 8.3321608736e-3); put(sin0 + 2, -1.6666654611e-1);
  put(cos0, 2.443315711809948e-5); put(cos0 + 1, -1.388731625493765e-3); put(cos0 + 2, 4.166664568298827e-2);
  put(inverseRootTwoPi, 0.3989422804014327);
}

/** a·b + c: one rounding in the relaxed build, two in the plain one. */
// @ts-ignore: decorator
@inline export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  else return f32x4.add(f32x4.mul(a, b), c);
}

/** eˣ - 1 of the reduced argument r in ±ln 2 / 2. */
// @ts-ignore: decorator
@inline function expReduced(r: v128): v128 {
  let p = fma(k(exp0), r, k(exp0 + 1));
  p = fma(p, r, k(exp0 + 2));
  p = fma(p, r, k(exp0 + 3));
  p = fma(p, r, k(exp0 + 4));
  p = fma(p, r, k(exp0 + 5));
  return fma(p, f32x4.mul(r, r), r);
}

/** eˣ to 1-2 ulp up to x = 88.37, where it stays; 0 below -87.34; NaN for NaN. For sums, sigmoids and everything bounded. */
// @ts-ignore: decorator
@inline export function vexp(x0: v128): v128 {
  const x = f32x4.pmin(f32x4.pmax(x0, k(expLow)), k(expHigh));
  const t = fma(x, k(log2e), k(magic)), n = f32x4.sub(t, k(magic));
  const r = fma(n, k(ln2Low), fma(n, k(ln2High), x));
  const y = i32x4.add(f32x4.add(expReduced(r), k(one)), i32x4.shl(t, 23));
  return v128.or(v128.andnot(y, f32x4.lt(x0, k(expLow))), f32x4.ne(x0, x0));
}

/** eˣ over its whole range: ∞ above 88.72. */
// @ts-ignore: decorator
@inline export function vexpWide(x: v128): v128 {
  // Near the top the result is e^(x - ln 2)·2, which does not overflow on the way.
  const high = f32x4.gt(x, k(expHigh));
  const y = vexp(v128.bitselect(fma(k(one), k(ln2High), f32x4.add(x, k(ln2Low))), x, high));
  const doubled = v128.bitselect(f32x4.mul(y, k(two)), y, high);
  return v128.bitselect(k(infinity), doubled, f32x4.gt(x, k(expTop)));
}

/** eˣ - 1, accurate near 0. */
// @ts-ignore: decorator
@inline export function vexpm1(x0: v128): v128 {
  const x = f32x4.pmin(f32x4.pmax(x0, k(expLow)), k(expHigh));
  const t = fma(x, k(log2e), k(magic)), n = f32x4.sub(t, k(magic));
  const r = fma(n, k(ln2Low), fma(n, k(ln2High), x));
  const scale = i32x4.add(k(one), i32x4.shl(t, 23));
  const y = fma(scale, expReduced(r), f32x4.sub(scale, k(one)));
  const inside = v128.or(y, f32x4.ne(x0, x0));
  return v128.bitselect(vexpWide(x0), inside, f32x4.gt(x0, k(expHigh)));
}

/** ln x; NaN below 0, -∞ at 0. */
// @ts-ignore: decorator
@inline export function vlog(x0: v128): v128 {
  const small = f32x4.lt(x0, k(leastNormal));
  const x = v128.bitselect(f32x4.mul(x0, k(two23)), x0, small);
  // x = m 2^e with m in [√½, √2)
  const shifted = i32x4.sub(x, k(rootHalf));
  const e = i32x4.shr_s(shifted, 23);
  const m = f32x4.sub(i32x4.sub(x, i32x4.shl(e, 23)), k(one));
  const exponent = f32x4.sub(f32x4.convert_i32x4_s(e), v128.and(small, f32x4.splat(23)));
  let p = fma(k(log0), m, k(log0 + 1));
  p = fma(p, m, k(log0 + 2));
  p = fma(p, m, k(log0 + 3));
  p = fma(p, m, k(log0 + 4));
  p = fma(p, m, k(log0 + 5));
  p = fma(p, m, k(log0 + 6));
  p = fma(p, m, k(log0 + 7));
  p = fma(p, m, k(log0 + 8));
  const square = f32x4.mul(m, m);
  let y = f32x4.mul(f32x4.mul(p, m), square);
  y = fma(exponent, k(ln2Low), f32x4.neg(y));
  y = f32x4.neg(y);
  y = f32x4.sub(y, f32x4.mul(square, k(half)));
  y = f32x4.add(m, y);
  y = f32x4.sub(y, f32x4.mul(exponent, k(ln2High)));
  const zero = f32x4.eq(x0, f32x4.splat(0));
  y = v128.bitselect(f32x4.neg(k(infinity)), y, zero);
  y = v128.bitselect(k(infinity), y, f32x4.eq(x0, k(infinity)));
  return v128.bitselect(k(nan), y, v128.or(f32x4.lt(x0, f32x4.splat(0)), f32x4.ne(x0, x0)));
}

/** 1 / (1 + e⁻ˣ) */
// @ts-ignore: decorator
@inline export function vsigmoid(x: v128): v128 {
  return f32x4.div(k(one), f32x4.add(k(one), vexp(f32x4.neg(x))));
}

/** tanh x: a polynomial near 0, 1 - 2/(e²ˣ + 1) beyond. */
// @ts-ignore: decorator
@inline export function vtanh(x: v128): v128 {
  const size = v128.andnot(x, k(signBit)), square = f32x4.mul(x, x);
  let p = fma(k(tanh0), square, k(tanh0 + 1));
  p = fma(p, square, k(tanh0 + 2));
  p = fma(p, square, k(tanh0 + 3));
  p = fma(p, square, k(tanh0 + 4));
  const near = fma(f32x4.mul(p, square), x, x);
  const far = f32x4.sub(k(one), f32x4.div(k(two), f32x4.add(vexp(f32x4.mul(size, k(two))), k(one))));
  const signed = v128.or(far, v128.and(x, k(signBit)));
  return v128.bitselect(near, signed, f32x4.lt(size, k(tanhLimit)));
}

/** e^(-x²), the square in two parts so that its rounding does not grow with x. */
// @ts-ignore: decorator
@inline function gaussian(x: v128): v128 {
  const high = v128.and(x, i32x4.splat(0xfffff000)), low = f32x4.sub(x, high);
  return f32x4.mul(vexp(f32x4.neg(f32x4.mul(high, high))), vexp(f32x4.neg(f32x4.mul(low, f32x4.add(x, high)))));
}

/** erf x */
// @ts-ignore: decorator
@inline export function verf(x: v128): v128 {
  const size = v128.andnot(x, k(signBit)), square = f32x4.mul(x, x);
  let p = fma(k(erf0), square, k(erf0 + 1));
  for (let i = 2; i < 7; i++) p = fma(p, square, k(erf0 + i));
  const near = f32x4.mul(p, x);
  const q = f32x4.div(k(one), f32x4.pmax(size, k(half))), y = f32x4.mul(q, q);
  let middle = fma(k(erfc0), y, k(erfc0 + 1));
  for (let i = 2; i < 9; i++) middle = fma(middle, y, k(erfc0 + i));
  let tail = fma(k(erfcTail0), y, k(erfcTail0 + 1));
  for (let i = 2; i < 8; i++) tail = fma(tail, y, k(erfcTail0 + i));
  const erfc = f32x4.mul(f32x4.mul(gaussian(size), q), v128.bitselect(middle, tail, f32x4.lt(size, k(two))));
  const far = v128.or(f32x4.sub(k(one), erfc), v128.and(x, k(signBit)));
  return v128.bitselect(v128.bitselect(near, far, f32x4.lt(size, k(one))), x, f32x4.eq(x, x));
}

/** sin x (quarter 0) or cos x (quarter 1), |x| up to about 10⁴. */
// @ts-ignore: decorator
@inline function vsinShifted(x: v128, quarter: i32): v128 {
  const n = f32x4.nearest(f32x4.mul(x, k(twoOverPi)));
  const r = fma(n, k(pi3), fma(n, k(pi2), fma(n, k(pi1), x))), square = f32x4.mul(r, r);
  const sine = fma(f32x4.mul(fma(fma(k(sin0), square, k(sin0 + 1)), square, k(sin0 + 2)), square), r, r);
  const quartic = fma(fma(k(cos0), square, k(cos0 + 1)), square, k(cos0 + 2));
  const cosine = fma(quartic, f32x4.mul(square, square), f32x4.sub(k(one), f32x4.mul(square, k(half))));
  const turns = i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(quarter));
  const odd = i32x4.ne(v128.and(turns, i32x4.splat(1)), i32x4.splat(0));
  const value = v128.bitselect(cosine, sine, odd);
  return v128.or(v128.xor(value, i32x4.shl(v128.and(turns, i32x4.splat(2)), 30)), f32x4.ne(f32x4.sub(x, x), f32x4.splat(0)));
}

// @ts-ignore: decorator
@inline export function vsin(x: v128): v128 {
  return vsinShifted(x, 0);
}
// @ts-ignore: decorator
@inline export function vcos(x: v128): v128 {
  return vsinShifted(x, 1);
}

/** GELU, tanh form: x·sigmoid(2√(2/π)(x + 0.044715 x³)). */
// @ts-ignore: decorator
@inline export function vgelu(x: v128): v128 {
  const u = f32x4.mul(x, fma(f32x4.mul(x, x), k(geluB), k(geluA)));
  // At -∞ the product is 0·∞: the limit is 0.
  return v128.andnot(f32x4.mul(x, vsigmoid(u)), f32x4.eq(x, f32x4.neg(k(infinity))));
}

/** Derivative of `vgelu`. */
// @ts-ignore: decorator
@inline export function vgeluGrad(x: v128): v128 {
  const square = f32x4.mul(x, x);
  const s = vsigmoid(f32x4.mul(x, fma(square, k(geluB), k(geluA))));
  return fma(f32x4.mul(f32x4.mul(x, fma(square, k(geluC), k(geluA))), f32x4.mul(s, f32x4.sub(k(one), s))), k(one), s);
}

/** GELU, erf form. */
// @ts-ignore: decorator
@inline export function vgeluErf(x: v128): v128 {
  return f32x4.mul(f32x4.mul(x, k(half)), f32x4.add(k(one), verf(f32x4.mul(x, k(rootHalf)))));
}

/** Derivative of `vgeluErf`. */
// @ts-ignore: decorator
@inline export function vgeluErfGrad(x: v128): v128 {
  const cumulative = f32x4.mul(k(half), f32x4.add(k(one), verf(f32x4.mul(x, k(rootHalf)))));
  return fma(f32x4.mul(x, vexp(f32x4.mul(f32x4.mul(x, x), f32x4.neg(k(half))))), k(inverseRootTwoPi), cumulative);
}

/** x·sigmoid(x) */
// @ts-ignore: decorator
@inline export function vsilu(x: v128): v128 {
  return v128.andnot(f32x4.mul(x, vsigmoid(x)), f32x4.eq(x, f32x4.neg(k(infinity))));
}

/** Derivative of `vsilu`. */
// @ts-ignore: decorator
@inline export function vsiluGrad(x: v128): v128 {
  const s = vsigmoid(x);
  return f32x4.mul(s, fma(x, f32x4.sub(k(one), s), k(one)));
}

/** 1 where a comparison holds, else 0. */
// @ts-ignore: decorator
@inline export function truth(mask: v128): v128 {
  return v128.and(mask, k(one));
}

/** -1, 0 or 1. */
// @ts-ignore: decorator
@inline export function vsign(x: v128): v128 {
  const one_ = v128.or(k(one), v128.and(x, k(signBit)));
  return v128.or(v128.andnot(one_, f32x4.eq(x, f32x4.splat(0))), f32x4.ne(x, x));
}

/** Sum of the four lanes, in a fixed order. */
// @ts-ignore: decorator
@inline export function hsum(v: v128): f32 {
  const pairs = f32x4.add(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** Largest of the four lanes; NaN if one is. No scalar max: V8 branches there. */
// @ts-ignore: decorator
@inline export function hmax(v: v128): f32 {
  const pairs = f32x4.max(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.max(pairs, v128.shuffle<f32>(pairs, pairs, 1, 0, 3, 2)), 0);
}

/** The `count` (1 to 3) numbers at p, and `fill` in the other lanes. */
export function loadTail(p: usize, count: i32, fill: f32): v128 {
  let v = f32x4.splat(fill);
  v = f32x4.replace_lane(v, 0, load<f32>(p));
  if (count > 1) v = f32x4.replace_lane(v, 1, load<f32>(p, 4));
  if (count > 2) v = f32x4.replace_lane(v, 2, load<f32>(p, 8));
  return v;
}

/** Stores the first `count` (1 to 3) lanes. */
export function storeTail(p: usize, count: i32, v: v128): void {
  store<f32>(p, f32x4.extract_lane(v, 0));
  if (count > 1) store<f32>(p, f32x4.extract_lane(v, 1), 4);
  if (count > 2) store<f32>(p, f32x4.extract_lane(v, 2), 8);
}
