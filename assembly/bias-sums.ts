// Sums over an operand of a product: the gradient of a bias, beside that of its weight. The order of a sum depends on its length alone.
import { hsum } from "./simd";

/** Numbers that are added up before they are added to the rest: long sums keep their digits. */
const chunk: i32 = 512;

/** target[i] = Σ over k of A [m, k], whose rows and steps of k are so many bytes apart; one of the strides is 4. */
export function sumRows(a: usize, aRow: usize, aStep: usize, m: i32, k: i32, target: usize): void {
  if (aStep == 4) {
    for (let i = 0; i < m; i++) {
      store<f32>(target + (<usize>i << 2), rowSum(a, k));
      a += aRow;
    }
    return;
  }
  const end = target + (<usize>m << 2);
  for (; target + 64 <= end; target += 64, a += 64) sixteenSums(a, aStep, k, target);
  for (; target + 16 <= end; target += 16, a += 16) fourSums(a, aStep, k, target);
  for (; target < end; target += 4, a += 4) oneSum(a, aStep, k, target);
}

/** A row of k numbers one after the other. */
function rowSum(a: usize, k: i32): f32 {
  let total: f32 = 0;
  for (let left = k; left > 0; left -= chunk) {
    const end = a + (<usize>min(left, chunk) << 2), lastVector = end - 16;
    let sum = f32x4.splat(0);
    for (; a <= lastVector; a += 16) sum = f32x4.add(sum, v128.load(a));
    let rest = hsum(sum);
    for (; a < end; a += 4) rest += load<f32>(a);
    total += rest;
  }
  return total;
}

/** Sixteen columns, a cache line of every row. */
function sixteenSums(a: usize, step: usize, k: i32, target: usize): void {
  let t0 = f32x4.splat(0), t1 = t0, t2 = t0, t3 = t0;
  for (let left = k; left > 0; left -= chunk) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    for (let row = min(left, chunk); row > 0; row--) {
      s0 = f32x4.add(s0, v128.load(a));
      s1 = f32x4.add(s1, v128.load(a, 16));
      s2 = f32x4.add(s2, v128.load(a, 32));
      s3 = f32x4.add(s3, v128.load(a, 48));
      a += step;
    }
    t0 = f32x4.add(t0, s0);
    t1 = f32x4.add(t1, s1);
    t2 = f32x4.add(t2, s2);
    t3 = f32x4.add(t3, s3);
  }
  v128.store(target, t0);
  v128.store(target, t1, 16);
  v128.store(target, t2, 32);
  v128.store(target, t3, 48);
}

function fourSums(a: usize, step: usize, k: i32, target: usize): void {
  let total = f32x4.splat(0);
  for (let left = k; left > 0; left -= chunk) {
    let sum = f32x4.splat(0);
    for (let row = min(left, chunk); row > 0; row--) {
      sum = f32x4.add(sum, v128.load(a));
      a += step;
    }
    total = f32x4.add(total, sum);
  }
  v128.store(target, total);
}

function oneSum(a: usize, step: usize, k: i32, target: usize): void {
  let total: f32 = 0;
  for (let left = k; left > 0; left -= chunk) {
    let sum: f32 = 0;
    for (let row = min(left, chunk); row > 0; row--) {
      sum += load<f32>(a);
      a += step;
    }
    total += sum;
  }
  store<f32>(target, total);
}
