// The instructions of fused kernels: an operation over a run of floats. A run is a whole number of vectors, and y may be an operand.
import { Constant, constant } from "./constants";
import { Cos, Sin } from "./operations";
import { sinRun } from "./transcendental";

/** y = operation(a), two vectors at a time, which overlap in the processor. */
export function unary<Operation>(y: usize, a: usize, bytes: usize): void {
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
export function binary<Operation>(y: usize, a: usize, b: usize, bytes: usize): void {
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
export function ternary<Operation>(y: usize, a: usize, b: usize, c: usize, bytes: usize): void {
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

/** y = sin(a). */
export function sin(y: usize, a: usize, bytes: usize): void { hasLarge(a, bytes) ? sinRun(y, a, bytes, 0) : unary<Sin>(y, a, bytes); }

/** y = cos(a). */
export function cos(y: usize, a: usize, bytes: usize): void { hasLarge(a, bytes) ? sinRun(y, a, bytes, 1) : unary<Cos>(y, a, bytes); }
