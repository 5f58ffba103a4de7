// Sums over a row, for the kernels that treat every row on its own. A long row is summed in runs and the runs' sums then, so that
// rounding errors grow little with its length.
import { fma, hsum, loadPart, storePart } from "./simd";
import { scratchPtr } from "./threads";

/** Floats of a run; most rows are one. */
export const runFloats: i32 = 4096;

/** Σ x. */
// @ts-ignore: decorator
@inline
export function sumOf(x: usize, columns: i32): f32 {
  return columns <= runFloats ? sumOfRun(x, columns) : sumOfLong(x, columns);
}

function sumOfLong(x: usize, columns: i32): f32 {
  let sum: f32 = 0;
  for (let start = 0; start < columns; start += runFloats) {
    sum += sumOfRun(x + (<usize>start << 2), min(columns - start, runFloats));
  }
  return sum;
}

// @ts-ignore: decorator
@inline
function sumOfRun(x: usize, columns: i32): f32 {
  const bytes = <usize>columns << 2, vectors = bytes & ~15, pairs = bytes & ~31, rest = columns & 3;
  let sum = i32x4.splat(0), otherSum = sum;
  let at: usize = 0;
  for (; at < pairs; at += 32) {
    sum = f32x4.add(sum, v128.load(x + at));
    otherSum = f32x4.add(otherSum, v128.load(x + at, 16));
  }
  if (at < vectors) sum = f32x4.add(sum, v128.load(x + at));
  if (rest != 0) otherSum = f32x4.add(otherSum, loadPart(x + vectors, rest, i32x4.splat(0)));
  return hsum(f32x4.add(sum, otherSum));
}

/** Σ (x - from). */
export function sumDeviations(x: usize, columns: i32, from: v128): f32 {
  let total: f32 = 0;
  for (let start = 0; start < columns; start += runFloats) {
    const own = x + (<usize>start << 2), count = min(columns - start, runFloats), rest = count & 3;
    const vectors = (<usize>count << 2) & ~15;
    let sum = i32x4.splat(0);
    for (let at: usize = 0; at < vectors; at += 16) sum = f32x4.add(sum, f32x4.sub(v128.load(own + at), from));
    if (rest != 0) sum = f32x4.add(sum, f32x4.sub(loadPart(own + vectors, rest, from), from));
    total += hsum(sum);
  }
  return total;
}

/** Σ (x - center)². */
// @ts-ignore: decorator
@inline
export function sumSquares(x: usize, columns: i32, center: v128): f32 {
  return columns <= runFloats ? squaresOfRun(x, columns, center) : squaresOfLong(x, columns, center);
}

function squaresOfLong(x: usize, columns: i32, center: v128): f32 {
  let sum: f32 = 0;
  for (let start = 0; start < columns; start += runFloats) {
    sum += squaresOfRun(x + (<usize>start << 2), min(columns - start, runFloats), center);
  }
  return sum;
}

// @ts-ignore: decorator
@inline
function squaresOfRun(x: usize, columns: i32, center: v128): f32 {
  const bytes = <usize>columns << 2, vectors = bytes & ~15, pairs = bytes & ~31, rest = columns & 3;
  let squares = i32x4.splat(0), otherSquares = squares;
  let at: usize = 0;
  for (; at < pairs; at += 32) {
    const first = f32x4.sub(v128.load(x + at), center), second = f32x4.sub(v128.load(x + at, 16), center);
    squares = fma(first, first, squares);
    otherSquares = fma(second, second, otherSquares);
  }
  if (at < vectors) {
    const deviation = f32x4.sub(v128.load(x + at), center);
    squares = fma(deviation, deviation, squares);
  }
  if (rest != 0) {
    // Beyond the row stands the center: no deviation.
    const deviation = f32x4.sub(loadPart(x + vectors, rest, center), center);
    otherSquares = fma(deviation, deviation, otherSquares);
  }
  return hsum(f32x4.add(squares, otherSquares));
}

/** What `sumProductsOfRun` leaves. */
export let deviationSum: f32 = 0;
export let productSum: f32 = 0;

/** Σ (g - from) and Σ g·x̂ of a run, with g = dy·(base + factor) and x̂ = (x - center)·unit. */
// @ts-ignore: decorator
@inline
export function sumProductsOfRun(
  dy: usize, factor: usize, base: v128, x: usize, center: v128, unit: v128, columns: i32, from: v128,
): void {
  const vectors = (<usize>columns << 2) & ~15, rest = columns & 3;
  let sum = i32x4.splat(0), product = sum;
  for (let at: usize = 0; at < vectors; at += 16) {
    const normal = f32x4.mul(f32x4.sub(v128.load(x + at), center), unit);
    const g = f32x4.mul(v128.load(dy + at), f32x4.add(base, v128.load(factor + at)));
    sum = f32x4.add(sum, f32x4.sub(g, from));
    product = fma(g, normal, product);
  }
  if (rest != 0) {
    const normal = f32x4.mul(f32x4.sub(loadPart(x + vectors, rest, center), center), unit);
    const nothing = i32x4.splat(0), slope = f32x4.add(base, loadPart(factor + vectors, rest, nothing));
    const g = f32x4.mul(loadPart(dy + vectors, rest, nothing), slope);
    sum = f32x4.add(sum, firstLanes(f32x4.sub(g, from), rest));
    product = fma(g, normal, product);
  }
  deviationSum = hsum(sum);
  productSum = hsum(product);
}

/** The first 1 to 3 lanes, and zeros. */
// @ts-ignore: decorator
@inline
function firstLanes(v: v128, count: i32): v128 {
  v128.store(scratchPtr, i32x4.splat(0));
  storePart(scratchPtr, v, count);
  return v128.load(scratchPtr);
}
