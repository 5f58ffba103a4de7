// The activation functions of the fused kernels and their derivatives. GELU and SiLU and their slopes are 0 where they are below
// 1e-19: what is multiplied with them would soon be denormal, and with denormals processors compute many times slower.
import { Constant, constant } from "./constants";
import { fma, vexp } from "./simd";
import { verf } from "./transcendental";

/** `value`, but 0 where x is below -limit; what belongs to NaN stays. */
// @ts-ignore: decorator
@inline
function vanishing(value: v128, x: v128, limit: v128): v128 {
  return v128.andnot(value, f32x4.lt(x, f32x4.neg(limit)));
}

// @ts-ignore: decorator
@inline
function within(x: v128, limit: v128): v128 {
  return f32x4.pmax(f32x4.pmin(x, limit), f32x4.neg(limit));
}

/** x·σ(x). */
// @ts-ignore: decorator
@inline
export function silu(x: v128): v128 {
  return f32x4.div(vanishing(x, x, constant(Constant.SiluLimit)), f32x4.add(constant(Constant.One), vexp(f32x4.neg(x))));
}

/** σ (1 + x (1 - σ)). Beyond the limit it is 0 or 1, and within it 1 - σ = e⁻ˣσ, without a difference. */
// @ts-ignore: decorator
@inline
export function siluGrad(x: v128): v128 {
  const one = constant(Constant.One), limit = constant(Constant.SiluLimit), bounded = within(x, limit);
  const power = vexp(f32x4.neg(bounded)), s = f32x4.div(one, f32x4.add(one, power));
  return vanishing(f32x4.mul(s, fma(bounded, f32x4.mul(power, s), one)), x, limit);
}

/** ½x (1 + tanh u), u = √(2/π)(x + 0.044715 x³), as x·σ(2u): the same function, and no difference of nearly equal numbers. */
// @ts-ignore: decorator
@inline
export function gelu(x: v128): v128 {
  const minus2u = f32x4.mul(x, fma(f32x4.mul(x, x), constant(Constant.GeluCubic), constant(Constant.GeluLinear)));
  return f32x4.div(vanishing(x, x, constant(Constant.GeluLimit)), f32x4.add(constant(Constant.One), vexp(minus2u)));
}

/** σ (1 + x (1 - σ) (2u)′) with σ = σ(2u), bounded as in `siluGrad`. */
// @ts-ignore: decorator
@inline
export function geluGrad(x: v128): v128 {
  const one = constant(Constant.One), limit = constant(Constant.GeluLimit);
  const bounded = within(x, limit), square = f32x4.mul(bounded, bounded);
  const power = vexp(f32x4.mul(bounded, fma(square, constant(Constant.GeluCubic), constant(Constant.GeluLinear))));
  const slope = fma(square, constant(Constant.GeluCubicSlope), constant(Constant.GeluSlope));
  const s = f32x4.div(one, f32x4.add(one, power));
  return vanishing(f32x4.mul(s, fma(f32x4.mul(bounded, slope), f32x4.mul(power, s), one)), x, limit);
}

/** ½x (1 + erf(x/√2)). */
// @ts-ignore: decorator
@inline
export function geluErf(x: v128): v128 {
  // The error function is -1 from -4√2 on: what is below makes no difference, but for -∞, of which it would make NaN.
  const half = f32x4.mul(f32x4.pmax(x, f32x4.neg(constant(Constant.GeluErfLimit))), constant(Constant.Half));
  return fma(half, verf(f32x4.mul(x, constant(Constant.RootHalf))), half);
}

/** ½(1 + erf(x/√2)) + x exp(-½x²)/√(2π). Beyond the limit it is 0 or 1. */
// @ts-ignore: decorator
@inline
export function geluErfGrad(x: v128): v128 {
  const half = constant(Constant.Half), bounded = within(x, constant(Constant.GeluErfLimit));
  const cdf = fma(verf(f32x4.mul(bounded, constant(Constant.RootHalf))), half, half);
  const density = f32x4.mul(vexp(f32x4.neg(f32x4.mul(f32x4.mul(bounded, bounded), half))), constant(Constant.InverseRootTwoPi));
  return fma(bounded, density, cdf);
}
