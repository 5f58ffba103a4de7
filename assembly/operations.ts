// What an opcode does to vectors, in a class of its name. Operations are types, so that a loop over one is compiled for it alone; nothing is ever made of them.
import { gelu, geluErf, geluErfGrad, geluGrad, silu, siluGrad } from "./activations";
import { Constant, constant } from "./constants";
import { fma, vexp } from "./simd";
import { verf, vexpm1, vlog, vsigmoid, vsin, vtanh } from "./transcendental";

/** ±1; what has no sign, ±0 and NaN, is itself. */
// @ts-ignore: decorator
@inline
function sign(x: v128): v128 {
  const unit = v128.or(v128.and(x, constant(Constant.Sign)), constant(Constant.One));
  return v128.bitselect(unit, x, f32x4.gt(f32x4.abs(x), i32x4.splat(0)));
}

/** 1 where a comparison holds, else 0. */
// @ts-ignore: decorator
@inline
function truth(mask: v128): v128 {
  return v128.and(mask, constant(Constant.One));
}

/** Where a number is 0. */
// @ts-ignore: decorator
@inline
function isZero(x: v128): v128 {
  return f32x4.eq(x, i32x4.splat(0));
}

/** ln(1 + eˣ) = ln(1 + u) + max(x, 0), u = e^-|x|, which cannot overflow. What rounding takes from 1 + u, the quotient gives back. */
// @ts-ignore: decorator
@inline
function softplus(x: v128): v128 {
  const one = constant(Constant.One), u = vexp(f32x4.neg(f32x4.abs(x)));
  const sum = f32x4.add(one, u), rest = f32x4.sub(sum, one);
  const log = v128.bitselect(u, f32x4.mul(vlog(sum), f32x4.div(u, rest)), isZero(rest));
  return f32x4.add(log, f32x4.max(x, i32x4.splat(0)));
}

@unmanaged export class Copy { @inline of(x: v128): v128 { return x; } }
@unmanaged export class Neg { @inline of(x: v128): v128 { return f32x4.neg(x); } }
@unmanaged export class Abs { @inline of(x: v128): v128 { return f32x4.abs(x); } }
@unmanaged export class Sign { @inline of(x: v128): v128 { return sign(x); } }
@unmanaged export class Floor { @inline of(x: v128): v128 { return f32x4.floor(x); } }
@unmanaged export class Sqrt { @inline of(x: v128): v128 { return f32x4.sqrt(x); } }
@unmanaged export class Reciprocal { @inline of(x: v128): v128 { return f32x4.div(constant(Constant.One), x); } }
@unmanaged export class Square { @inline of(x: v128): v128 { return f32x4.mul(x, x); } }
@unmanaged export class Exp { @inline of(x: v128): v128 { return vexp(x); } }
@unmanaged export class Expm1 { @inline of(x: v128): v128 { return vexpm1(x); } }
@unmanaged export class Log { @inline of(x: v128): v128 { return vlog(x); } }
@unmanaged export class Sin { @inline of(x: v128): v128 { return vsin(x, 0); } }
@unmanaged export class Cos { @inline of(x: v128): v128 { return vsin(x, 1); } }
@unmanaged export class Tanh { @inline of(x: v128): v128 { return vtanh(x); } }
@unmanaged export class Sigmoid { @inline of(x: v128): v128 { return vsigmoid(x); } }
@unmanaged export class Erf { @inline of(x: v128): v128 { return verf(x); } }
@unmanaged export class Gelu { @inline of(x: v128): v128 { return gelu(x); } }
@unmanaged export class GeluGrad { @inline of(x: v128): v128 { return geluGrad(x); } }
@unmanaged export class GeluErf { @inline of(x: v128): v128 { return geluErf(x); } }
@unmanaged export class GeluErfGrad { @inline of(x: v128): v128 { return geluErfGrad(x); } }
@unmanaged export class Silu { @inline of(x: v128): v128 { return silu(x); } }
@unmanaged export class SiluGrad { @inline of(x: v128): v128 { return siluGrad(x); } }
@unmanaged export class Softplus { @inline of(x: v128): v128 { return softplus(x); } }

@unmanaged export class Add { @inline of(a: v128, b: v128): v128 { return f32x4.add(a, b); } }
@unmanaged export class Sub { @inline of(a: v128, b: v128): v128 { return f32x4.sub(a, b); } }
@unmanaged export class Mul { @inline of(a: v128, b: v128): v128 { return f32x4.mul(a, b); } }
@unmanaged export class Div { @inline of(a: v128, b: v128): v128 { return f32x4.div(a, b); } }
@unmanaged export class MulOrZero {
  @inline of(a: v128, b: v128): v128 { return v128.andnot(f32x4.mul(a, b), v128.or(isZero(a), isZero(b))); }
}
@unmanaged export class DivOrZero { @inline of(a: v128, b: v128): v128 { return v128.andnot(f32x4.div(a, b), isZero(a)); } }
@unmanaged export class Min { @inline of(a: v128, b: v128): v128 { return f32x4.min(a, b); } }
@unmanaged export class Max { @inline of(a: v128, b: v128): v128 { return f32x4.max(a, b); } }
@unmanaged export class Greater { @inline of(a: v128, b: v128): v128 { return truth(f32x4.gt(a, b)); } }
@unmanaged export class GreaterEqual { @inline of(a: v128, b: v128): v128 { return truth(f32x4.ge(a, b)); } }
@unmanaged export class Equal { @inline of(a: v128, b: v128): v128 { return truth(f32x4.eq(a, b)); } }

@unmanaged export class MulAdd { @inline of(a: v128, b: v128, c: v128): v128 { return fma(a, b, c); } }
@unmanaged export class MulOrZeroAdd {
  @inline of(a: v128, b: v128, c: v128): v128 { return v128.bitselect(c, fma(a, b, c), v128.or(isZero(a), isZero(b))); }
}
@unmanaged export class Select {
  @inline of(a: v128, b: v128, c: v128): v128 { return v128.bitselect(b, c, f32x4.ne(a, i32x4.splat(0))); }
}
