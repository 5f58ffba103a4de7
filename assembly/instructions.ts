// The instructions of fused kernels: an operation over a run of floats. A run is a whole number of vectors, and y may be an operand.
import { Constant, constant } from "./constants";
import {
  Absolute, Add, Copy, Cos, Divide, DivideOrZero, Equal, Erf, Exp, ExpM1, Floor, Gelu, GeluErf, GeluErfGrad, GeluGrad, Greater,
  GreaterEqual, Log, Maximum, Minimum, Multiply, MultiplyAdd, MultiplyOrZero, MultiplyOrZeroAdd, Negate, Reciprocal, Select, Sigmoid, Sign,
  Silu, SiluGrad, Sin, Square, SquareRoot, Subtract, Tanh,
} from "./operations";
import { sinRun } from "./transcendental";

/** y = operation(a), two vectors at a time, which overlap in the processor. */
function unary<Operation>(y: usize, a: usize, bytes: usize): void {
  const operation = changetype<Operation>(<usize>0), end = y + bytes, lastPair = end - 32;
  while (y <= lastPair) {
    const first = operation.of(v128.load(a)), second = operation.of(v128.load(a, 16));
    v128.store(y, first);
    v128.store(y, second, 16);
    y += 32; a += 32;
  }
  if (y < end) v128.store(y, operation.of(v128.load(a)));
}

/** y = operation(a, b), four vectors at a time. */
function binary<Operation>(y: usize, a: usize, b: usize, bytes: usize): void {
  const operation = changetype<Operation>(<usize>0), end = y + bytes, lastFour = end - 64;
  while (y <= lastFour) {
    const first = operation.of(v128.load(a), v128.load(b)), second = operation.of(v128.load(a, 16), v128.load(b, 16));
    const third = operation.of(v128.load(a, 32), v128.load(b, 32)), fourth = operation.of(v128.load(a, 48), v128.load(b, 48));
    v128.store(y, first);
    v128.store(y, second, 16);
    v128.store(y, third, 32);
    v128.store(y, fourth, 48);
    y += 64; a += 64; b += 64;
  }
  while (y < end) {
    v128.store(y, operation.of(v128.load(a), v128.load(b)));
    y += 16; a += 16; b += 16;
  }
}

/** y = operation(a, b, c), two vectors at a time. */
function ternary<Operation>(y: usize, a: usize, b: usize, c: usize, bytes: usize): void {
  const operation = changetype<Operation>(<usize>0), end = y + bytes, lastPair = end - 32;
  while (y <= lastPair) {
    const first = operation.of(v128.load(a), v128.load(b), v128.load(c));
    const second = operation.of(v128.load(a, 16), v128.load(b, 16), v128.load(c, 16));
    v128.store(y, first);
    v128.store(y, second, 16);
    y += 32; a += 32; b += 32; c += 32;
  }
  if (y < end) v128.store(y, operation.of(v128.load(a), v128.load(b), v128.load(c)));
}

/** Whether sines of a run need the slow way: looked up before, as a way out of the loop over vectors would cost more. */
function hasLarge(a: usize, bytes: usize): bool {
  const end = a + bytes, lastPair = end - 32;
  let largest = f32x4.splat(0), otherLargest = largest;
  for (; a <= lastPair; a += 32) {
    largest = f32x4.pmax(largest, f32x4.abs(v128.load(a)));
    otherLargest = f32x4.pmax(otherLargest, f32x4.abs(v128.load(a, 16)));
  }
  if (a < end) largest = f32x4.pmax(largest, f32x4.abs(v128.load(a)));
  return v128.any_true(f32x4.gt(f32x4.pmax(largest, otherLargest), constant(Constant.Reducible)));
}

/** Runs one instruction over `bytes` bytes. Opcodes are numbers in the order of `opcodes` in src/backend/kernels.ts. */
export function runInstruction(opcode: i32, y: usize, a: usize, b: usize, c: usize, bytes: usize): void {
  switch (opcode) {
    case 0: unary<Copy>(y, a, bytes); break;
    case 1: unary<Negate>(y, a, bytes); break;
    case 2: unary<Absolute>(y, a, bytes); break;
    case 3: unary<Sign>(y, a, bytes); break;
    case 4: unary<Floor>(y, a, bytes); break;
    case 5: unary<SquareRoot>(y, a, bytes); break;
    case 6: unary<Reciprocal>(y, a, bytes); break;
    case 7: unary<Square>(y, a, bytes); break;
    case 8: unary<Exp>(y, a, bytes); break;
    case 9: unary<ExpM1>(y, a, bytes); break;
    case 10: unary<Log>(y, a, bytes); break;
    case 11: hasLarge(a, bytes) ? sinRun(y, a, bytes, 0) : unary<Sin>(y, a, bytes); break;
    case 12: hasLarge(a, bytes) ? sinRun(y, a, bytes, 1) : unary<Cos>(y, a, bytes); break;
    case 13: unary<Tanh>(y, a, bytes); break;
    case 14: unary<Sigmoid>(y, a, bytes); break;
    case 15: unary<Erf>(y, a, bytes); break;
    case 16: unary<Gelu>(y, a, bytes); break;
    case 17: unary<GeluGrad>(y, a, bytes); break;
    case 18: unary<GeluErf>(y, a, bytes); break;
    case 19: unary<GeluErfGrad>(y, a, bytes); break;
    case 20: unary<Silu>(y, a, bytes); break;
    case 21: unary<SiluGrad>(y, a, bytes); break;
    case 22: binary<Add>(y, a, b, bytes); break;
    case 23: binary<Subtract>(y, a, b, bytes); break;
    case 24: binary<Multiply>(y, a, b, bytes); break;
    case 25: binary<Divide>(y, a, b, bytes); break;
    case 26: binary<MultiplyOrZero>(y, a, b, bytes); break;
    case 27: binary<DivideOrZero>(y, a, b, bytes); break;
    case 28: binary<Minimum>(y, a, b, bytes); break;
    case 29: binary<Maximum>(y, a, b, bytes); break;
    case 30: binary<Greater>(y, a, b, bytes); break;
    case 31: binary<GreaterEqual>(y, a, b, bytes); break;
    case 32: binary<Equal>(y, a, b, bytes); break;
    case 33: ternary<MultiplyAdd>(y, a, b, c, bytes); break;
    case 34: ternary<MultiplyOrZeroAdd>(y, a, b, c, bytes); break;
    case 35: ternary<Select>(y, a, b, c, bytes); break;
  }
}
