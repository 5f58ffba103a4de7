// Instructions of the fused kernels, each over a tile: y = f(a, b, c) for `bytes` bytes, a multiple of 16.
// The opcodes are the places in `opcodes` of src/backend/kernels.ts.
import {
  fma, truth, vcos, verf, vexpm1, vexpWide, vgelu, vgeluErf, vgeluErfGrad, vgeluGrad, vlog, vsigmoid, vsign, vsilu, vsiluGrad, vsin, vtanh,
} from "./simd";

/** Which instruction: known when compiling, so that each loop holds just its own. */
// @ts-ignore: decorator
@inline function apply(opcode: i32, a: v128, b: v128, c: v128): v128 {
  if (opcode == 0) return a;
  else if (opcode == 1) return f32x4.neg(a);
  else if (opcode == 2) return f32x4.abs(a);
  else if (opcode == 3) return vsign(a);
  else if (opcode == 4) return f32x4.floor(a);
  else if (opcode == 5) return f32x4.sqrt(a);
  else if (opcode == 6) return f32x4.div(f32x4.splat(1), a);
  else if (opcode == 7) return f32x4.mul(a, a);
  else if (opcode == 8) return vexpWide(a);
  else if (opcode == 9) return vexpm1(a);
  else if (opcode == 10) return vlog(a);
  else if (opcode == 11) return vsin(a);
  else if (opcode == 12) return vcos(a);
  else if (opcode == 13) return vtanh(a);
  else if (opcode == 14) return vsigmoid(a);
  else if (opcode == 15) return verf(a);
  else if (opcode == 16) return vgelu(a);
  else if (opcode == 17) return vgeluGrad(a);
  else if (opcode == 18) return vgeluErf(a);
  else if (opcode == 19) return vgeluErfGrad(a);
  else if (opcode == 20) return vsilu(a);
  else if (opcode == 21) return vsiluGrad(a);
  else if (opcode == 22) return f32x4.add(a, b);
  else if (opcode == 23) return f32x4.sub(a, b);
  else if (opcode == 24) return f32x4.mul(a, b);
  else if (opcode == 25) return f32x4.div(a, b);
  else if (opcode == 26) return f32x4.min(a, b);
  else if (opcode == 27) return f32x4.max(a, b);
  else if (opcode == 28) return truth(f32x4.gt(a, b));
  else if (opcode == 29) return truth(f32x4.ge(a, b));
  else if (opcode == 30) return truth(f32x4.eq(a, b));
  else if (opcode == 31) return fma(a, b, c);
  else return v128.bitselect(b, c, f32x4.ne(a, f32x4.splat(0)));
}

// @ts-ignore: decorator
@inline function unary(opcode: i32, y: usize, a: usize, bytes: usize): void {
  let i: usize = 0;
  for (; i + 32 <= bytes; i += 32) {
    const first = apply(opcode, v128.load(a + i), v128.load(a + i), v128.load(a + i));
    const second = apply(opcode, v128.load(a + i, 16), v128.load(a + i, 16), v128.load(a + i, 16));
    v128.store(y + i, first);
    v128.store(y + i, second, 16);
  }
  if (i < bytes) v128.store(y + i, apply(opcode, v128.load(a + i), v128.load(a + i), v128.load(a + i)));
}

// @ts-ignore: decorator
@inline function binary(opcode: i32, y: usize, a: usize, b: usize, bytes: usize): void {
  let i: usize = 0;
  for (; i + 64 <= bytes; i += 64) {
    v128.store(y + i, apply(opcode, v128.load(a + i), v128.load(b + i), v128.load(b + i)));
    v128.store(y + i, apply(opcode, v128.load(a + i, 16), v128.load(b + i, 16), v128.load(b + i, 16)), 16);
    v128.store(y + i, apply(opcode, v128.load(a + i, 32), v128.load(b + i, 32), v128.load(b + i, 32)), 32);
    v128.store(y + i, apply(opcode, v128.load(a + i, 48), v128.load(b + i, 48), v128.load(b + i, 48)), 48);
  }
  for (; i < bytes; i += 16) v128.store(y + i, apply(opcode, v128.load(a + i), v128.load(b + i), v128.load(b + i)));
}

// @ts-ignore: decorator
@inline function ternary(opcode: i32, y: usize, a: usize, b: usize, c: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 16) v128.store(y + i, apply(opcode, v128.load(a + i), v128.load(b + i), v128.load(c + i)));
}

// A function each, so that the engine allocates registers loop by loop.
function copy(y: usize, a: usize, n: usize): void { unary(0, y, a, n); }
function neg(y: usize, a: usize, n: usize): void { unary(1, y, a, n); }
function abs(y: usize, a: usize, n: usize): void { unary(2, y, a, n); }
function sign(y: usize, a: usize, n: usize): void { unary(3, y, a, n); }
function floor(y: usize, a: usize, n: usize): void { unary(4, y, a, n); }
function sqrt(y: usize, a: usize, n: usize): void { unary(5, y, a, n); }
function reciprocal(y: usize, a: usize, n: usize): void { unary(6, y, a, n); }
function square(y: usize, a: usize, n: usize): void { unary(7, y, a, n); }
function exp(y: usize, a: usize, n: usize): void { unary(8, y, a, n); }
function expm1(y: usize, a: usize, n: usize): void { unary(9, y, a, n); }
function log(y: usize, a: usize, n: usize): void { unary(10, y, a, n); }
function sin(y: usize, a: usize, n: usize): void { unary(11, y, a, n); }
function cos(y: usize, a: usize, n: usize): void { unary(12, y, a, n); }
function tanh(y: usize, a: usize, n: usize): void { unary(13, y, a, n); }
function sigmoid(y: usize, a: usize, n: usize): void { unary(14, y, a, n); }
function erf(y: usize, a: usize, n: usize): void { unary(15, y, a, n); }
function gelu(y: usize, a: usize, n: usize): void { unary(16, y, a, n); }
function geluGrad(y: usize, a: usize, n: usize): void { unary(17, y, a, n); }
function geluErf(y: usize, a: usize, n: usize): void { unary(18, y, a, n); }
function geluErfGrad(y: usize, a: usize, n: usize): void { unary(19, y, a, n); }
function silu(y: usize, a: usize, n: usize): void { unary(20, y, a, n); }
function siluGrad(y: usize, a: usize, n: usize): void { unary(21, y, a, n); }
function add(y: usize, a: usize, b: usize, n: usize): void { binary(22, y, a, b, n); }
function sub(y: usize, a: usize, b: usize, n: usize): void { binary(23, y, a, b, n); }
function mul(y: usize, a: usize, b: usize, n: usize): void { binary(24, y, a, b, n); }
function div(y: usize, a: usize, b: usize, n: usize): void { binary(25, y, a, b, n); }
function minimum(y: usize, a: usize, b: usize, n: usize): void { binary(26, y, a, b, n); }
function maximum(y: usize, a: usize, b: usize, n: usize): void { binary(27, y, a, b, n); }
function greater(y: usize, a: usize, b: usize, n: usize): void { binary(28, y, a, b, n); }
function greaterEqual(y: usize, a: usize, b: usize, n: usize): void { binary(29, y, a, b, n); }
function equal(y: usize, a: usize, b: usize, n: usize): void { binary(30, y, a, b, n); }
function mulAdd(y: usize, a: usize, b: usize, c: usize, n: usize): void { ternary(31, y, a, b, c, n); }
function select(y: usize, a: usize, b: usize, c: usize, n: usize): void { ternary(32, y, a, b, c, n); }

/** Runs one instruction over a tile. */
export function instruct(opcode: i32, y: usize, a: usize, b: usize, c: usize, n: usize): void {
  switch (opcode) {
    case 0: copy(y, a, n); break;
    case 1: neg(y, a, n); break;
    case 2: abs(y, a, n); break;
    case 3: sign(y, a, n); break;
    case 4: floor(y, a, n); break;
    case 5: sqrt(y, a, n); break;
    case 6: reciprocal(y, a, n); break;
    case 7: square(y, a, n); break;
    case 8: exp(y, a, n); break;
    case 9: expm1(y, a, n); break;
    case 10: log(y, a, n); break;
    case 11: sin(y, a, n); break;
    case 12: cos(y, a, n); break;
    case 13: tanh(y, a, n); break;
    case 14: sigmoid(y, a, n); break;
    case 15: erf(y, a, n); break;
    case 16: gelu(y, a, n); break;
    case 17: geluGrad(y, a, n); break;
    case 18: geluErf(y, a, n); break;
    case 19: geluErfGrad(y, a, n); break;
    case 20: silu(y, a, n); break;
    case 21: siluGrad(y, a, n); break;
    case 22: add(y, a, b, n); break;
    case 23: sub(y, a, b, n); break;
    case 24: mul(y, a, b, n); break;
    case 25: div(y, a, b, n); break;
    case 26: minimum(y, a, b, n); break;
    case 27: maximum(y, a, b, n); break;
    case 28: greater(y, a, b, n); break;
    case 29: greaterEqual(y, a, b, n); break;
    case 30: equal(y, a, b, n); break;
    case 31: mulAdd(y, a, b, c, n); break;
    case 32: select(y, a, b, c, n); break;
  }
}
