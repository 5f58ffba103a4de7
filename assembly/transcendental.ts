// Logarithm, hyperbolic tangent, error function, sine and cosine of four floats. Special values as IEEE 754 has them.
import { reduceAngle, reducedQuadrant } from "./angles";
import { Constant, constant } from "./constants";
import { expReduced, fma, vexp } from "./simd";

/** eˣ - 1, precise near 0. */
// @ts-ignore: decorator
@inline
export function vexpm1(x: v128): v128 {
  const clamped = f32x4.pmin(f32x4.pmax(x, constant(Constant.ExpLowest)), constant(Constant.ExpM1Highest));
  const shifted = fma(clamped, constant(Constant.Log2E), constant(Constant.ExpM1Shift));
  const n = f32x4.sub(shifted, constant(Constant.ExpM1Shift));
  const r = fma(n, constant(Constant.Ln2Low), fma(n, constant(Constant.Ln2High), clamped));
  const power = i32x4.shl(shifted, 23); // 2ⁿ
  const y = fma(expReduced(r), power, f32x4.sub(power, constant(Constant.One)));
  return v128.bitselect(vexp(x), y, f32x4.gt(x, constant(Constant.ExpM1Highest)));
}

/** ln x: x = m·2ᵉ with m in [√½, √2), ln x = ln(1 + (m - 1)) + e ln 2. */
// @ts-ignore: decorator
@inline
export function vlog(x: v128): v128 {
  const denormal = f32x4.lt(x, constant(Constant.Smallest));
  const normal = v128.bitselect(f32x4.mul(x, constant(Constant.TwoTo23)), x, denormal);
  const exponent = i32x4.shr_s(i32x4.sub(normal, constant(Constant.RootHalfBits)), 23);
  const f = f32x4.sub(i32x4.sub(normal, i32x4.shl(exponent, 23)), constant(Constant.One));
  const e = f32x4.sub(f32x4.convert_i32x4_s(exponent), v128.and(denormal, constant(Constant.TwentyThree)));
  const z = f32x4.mul(f, f);
  let p = fma(constant(Constant.LogP0), f, constant(Constant.LogP1));
  p = fma(p, f, constant(Constant.LogP2));
  p = fma(p, f, constant(Constant.LogP3));
  p = fma(p, f, constant(Constant.LogP4));
  p = fma(p, f, constant(Constant.LogP5));
  p = fma(p, f, constant(Constant.LogP6));
  p = fma(p, f, constant(Constant.LogP7));
  p = fma(p, f, constant(Constant.LogP8));
  let y = f32x4.mul(f32x4.mul(p, f), z);
  y = f32x4.sub(y, f32x4.mul(e, constant(Constant.Ln2Low)));
  y = f32x4.sub(y, f32x4.mul(z, constant(Constant.Half)));
  y = f32x4.sub(f32x4.add(f, y), f32x4.mul(e, constant(Constant.Ln2High)));
  // ∞ and NaN are their own logarithms; 0 gives -∞, and what is below it NaN.
  y = v128.bitselect(y, x, f32x4.lt(x, constant(Constant.Infinity)));
  const zero = i32x4.splat(0);
  y = v128.bitselect(f32x4.neg(constant(Constant.Infinity)), y, f32x4.eq(x, zero));
  return v128.bitselect(constant(Constant.QuietNaN), y, f32x4.lt(x, zero));
}

/** tanh x to a few units in the last place. */
// @ts-ignore: decorator
@inline
export function vtanh(x: v128): v128 {
  const limit = constant(Constant.TanhLimit);
  const clamped = f32x4.pmax(f32x4.pmin(x, limit), f32x4.neg(limit));
  const z = f32x4.mul(clamped, clamped);
  let p = fma(constant(Constant.TanhP0), z, constant(Constant.TanhP1));
  p = fma(p, z, constant(Constant.TanhP2));
  p = fma(p, z, constant(Constant.TanhP3));
  p = fma(p, z, constant(Constant.TanhP4));
  p = fma(p, z, constant(Constant.TanhP5));
  p = fma(p, z, constant(Constant.TanhP6));
  let q = fma(constant(Constant.TanhQ0), z, constant(Constant.TanhQ1));
  q = fma(q, z, constant(Constant.TanhQ2));
  q = fma(q, z, constant(Constant.TanhQ3));
  return withinOne(f32x4.div(f32x4.mul(clamped, p), q));
}

/** erf x to a few units in the last place. */
// @ts-ignore: decorator
@inline
export function verf(x: v128): v128 {
  const limit = constant(Constant.ErfLimit);
  const clamped = f32x4.pmax(f32x4.pmin(x, limit), f32x4.neg(limit));
  const z = f32x4.mul(clamped, clamped);
  let p = fma(constant(Constant.ErfP0), z, constant(Constant.ErfP1));
  p = fma(p, z, constant(Constant.ErfP2));
  p = fma(p, z, constant(Constant.ErfP3));
  p = fma(p, z, constant(Constant.ErfP4));
  p = fma(p, z, constant(Constant.ErfP5));
  p = fma(p, z, constant(Constant.ErfP6));
  let q = fma(constant(Constant.ErfQ0), z, constant(Constant.ErfQ1));
  q = fma(q, z, constant(Constant.ErfQ2));
  q = fma(q, z, constant(Constant.ErfQ3));
  q = fma(q, z, constant(Constant.ErfQ4));
  return withinOne(f32x4.div(f32x4.mul(clamped, p), q));
}

/** Cuts off what rounding adds beyond ±1. */
// @ts-ignore: decorator
@inline
function withinOne(x: v128): v128 {
  const one = constant(Constant.One);
  return f32x4.pmax(f32x4.pmin(x, one), f32x4.neg(one));
}

/** 1 / (1 + e⁻ˣ). */
// @ts-ignore: decorator
@inline
export function vsigmoid(x: v128): v128 {
  const one = constant(Constant.One);
  return f32x4.div(one, f32x4.add(one, vexp(f32x4.neg(x))));
}

/** sin(r + quadrant·π/2) for |r| ≤ π/4; quadrants are int32. The cosine is the sine one quadrant on. */
// @ts-ignore: decorator
@inline
export function sinReduced(r: v128, quadrant: v128): v128 {
  const z = f32x4.mul(r, r);
  let s = fma(constant(Constant.SinP0), z, constant(Constant.SinP1));
  s = fma(s, z, constant(Constant.SinP2));
  s = fma(f32x4.mul(s, z), r, r);
  let c = fma(constant(Constant.CosP0), z, constant(Constant.CosP1));
  c = fma(c, z, constant(Constant.CosP2));
  c = fma(f32x4.mul(c, z), z, f32x4.sub(constant(Constant.One), f32x4.mul(z, constant(Constant.Half))));
  const odd = i32x4.shr_s(i32x4.shl(quadrant, 31), 31);
  const sign = v128.and(i32x4.shl(quadrant, 30), constant(Constant.Sign));
  return v128.xor(v128.bitselect(c, s, odd), sign);
}

/** The nearest multiple of π/2 to two float64 angles of at most `Constant.Reducible64`, as a count. */
// @ts-ignore: decorator
@inline
function quadrantOf(angle: v128): v128 {
  return f64x2.nearest(f64x2.mul(angle, constant(Constant.TwoOverPi64)));
}

/** What a float64 angle exceeds its quadrant by. π/2 is taken in two parts, the first exact when multiplied by a small integer. */
// @ts-ignore: decorator
@inline
function beyondQuadrant(angle: v128, quadrant: v128): v128 {
  const first = f64x2.sub(angle, f64x2.mul(quadrant, constant(Constant.HalfPiHigh64)));
  return f64x2.sub(first, f64x2.mul(quadrant, constant(Constant.HalfPiLow64)));
}

/** The low halves of two vectors of two numbers as one vector. */
// @ts-ignore: decorator
@inline
function joinHalves(a: v128, b: v128): v128 {
  return v128.shuffle<i64>(a, b, 0, 2);
}

/** sin x (turn = 0) or cos x (turn = 1) for |x| up to `Constant.Reducible`. */
// @ts-ignore: decorator
@inline
export function vsin(x: v128, turn: i32): v128 {
  return sinOf(f64x2.promote_low_f32x4(x), f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1)), turn);
}

/** `vsin` of four float64 angles. */
// @ts-ignore: decorator
@inline
export function sinOf(low: v128, high: v128, turn: i32): v128 {
  const lowQuadrant = quadrantOf(low), highQuadrant = quadrantOf(high);
  const r = joinHalves(
    f32x4.demote_f64x2_zero(beyondQuadrant(low, lowQuadrant)), f32x4.demote_f64x2_zero(beyondQuadrant(high, highQuadrant)),
  );
  const quadrant = joinHalves(i32x4.trunc_sat_f64x2_s_zero(lowQuadrant), i32x4.trunc_sat_f64x2_s_zero(highQuadrant));
  return sinReduced(r, turn == 0 ? quadrant : i32x4.add(quadrant, constant(Constant.OneInteger)));
}

/** `sinOf` angles of any size. */
export function sinOfAny(low: v128, high: v128, turn: i32): v128 {
  const a = reduceAngle(f64x2.extract_lane(low, 0)), aQuadrant = reducedQuadrant;
  const b = reduceAngle(f64x2.extract_lane(low, 1)), bQuadrant = reducedQuadrant;
  const c = reduceAngle(f64x2.extract_lane(high, 0)), cQuadrant = reducedQuadrant;
  const d = reduceAngle(f64x2.extract_lane(high, 1)), dQuadrant = reducedQuadrant;
  const r = f32x4.replace_lane(f32x4.replace_lane(f32x4.replace_lane(f32x4.splat(a), 1, b), 2, c), 3, d);
  const quadrant = i32x4.replace_lane(
    i32x4.replace_lane(i32x4.replace_lane(i32x4.splat(aQuadrant), 1, bQuadrant), 2, cQuadrant), 3, dQuadrant,
  );
  return sinReduced(r, i32x4.add(quadrant, i32x4.splat(turn)));
}

/** `vsin` of a run of floats of any size, among which some are large. */
export function sinRun(y: usize, x: usize, bytes: usize, turn: i32): void {
  for (const end = y + bytes; y < end; y += 16) {
    const angles = v128.load(x);
    v128.store(y, sinOfAny(f64x2.promote_low_f32x4(angles), f64x2.promote_low_f32x4(v128.shuffle<i64>(angles, angles, 1, 1)), turn));
    x += 16;
  }
}
