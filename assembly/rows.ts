// Kernels that treat every row on its own: softmax, layer norm, and their gradients. The work is split by rows.
import { deviationSum, productSum, runFloats, sumDeviations, sumOf, sumProductsOfRun, sumSquares } from "./row-sums";
import { fillFloats, fma, hmax, hsum, loadPart, storePart, vdecay } from "./simd";
import { scratchPtr, share, shareEnd, shareStart } from "./threads";

// @ts-ignore: decorator
@inline
function zero(): v128 {
  return i32x4.splat(0);
}

export function softmax(y: usize, x: usize, rows: i32, columns: i32): void {
  const row = <usize>columns << 2;
  share(rows);
  for (let index = shareStart; index < shareEnd; index++) softmaxRow(y + <usize>index * row, x + <usize>index * row, columns);
}

function softmaxRow(y: usize, x: usize, columns: i32): void {
  const bytes = <usize>columns << 2, vectors = bytes & ~15, pairs = bytes & ~31, rest = columns & 3;
  const nothing = f32x4.splat(-Infinity);
  let top = nothing, otherTop = nothing;
  let at: usize = 0;
  for (; at < pairs; at += 32) {
    top = f32x4.pmax(top, v128.load(x + at));
    otherTop = f32x4.pmax(otherTop, v128.load(x + at, 16));
  }
  if (at < vectors) top = f32x4.pmax(top, v128.load(x + at));
  if (rest != 0) otherTop = f32x4.pmax(otherTop, loadPart(x + vectors, rest, nothing));
  const largest = f32x4.splat(hmax(f32x4.pmax(top, otherTop)));

  let sum = zero(), otherSum = sum;
  for (at = 0; at < pairs; at += 32) {
    const first = vdecay(f32x4.sub(v128.load(x + at), largest)), second = vdecay(f32x4.sub(v128.load(x + at, 16), largest));
    v128.store(y + at, first);
    v128.store(y + at, second, 16);
    sum = f32x4.add(sum, first);
    otherSum = f32x4.add(otherSum, second);
  }
  if (at < vectors) {
    const power = vdecay(f32x4.sub(v128.load(x + at), largest));
    v128.store(y + at, power);
    sum = f32x4.add(sum, power);
  }
  if (rest != 0) {
    const power = vdecay(f32x4.sub(loadPart(x + vectors, rest, nothing), largest));
    storePart(y + vectors, power, rest);
    otherSum = f32x4.add(otherSum, power);
  }

  const factor = f32x4.splat(<f32>1 / hsum(f32x4.add(sum, otherSum)));
  for (at = 0; at < vectors; at += 16) v128.store(y + at, f32x4.mul(v128.load(y + at), factor));
  if (rest != 0) storePart(y + vectors, f32x4.mul(loadPart(y + vectors, rest, zero()), factor), rest);
}

export function softmaxGrad(dx: usize, y: usize, dy: usize, rows: i32, columns: i32): void {
  const bytes = <usize>columns << 2, vectors = bytes & ~15, pairs = bytes & ~31, rest = columns & 3;
  share(rows);
  for (let index = shareStart; index < shareEnd; index++) {
    const start = <usize>index * bytes, target = dx + start, own = y + start, gradient = dy + start;
    let sum = zero(), otherSum = sum;
    let at: usize = 0;
    for (; at < pairs; at += 32) {
      sum = fma(v128.load(own + at), v128.load(gradient + at), sum);
      otherSum = fma(v128.load(own + at, 16), v128.load(gradient + at, 16), otherSum);
    }
    if (at < vectors) sum = fma(v128.load(own + at), v128.load(gradient + at), sum);
    if (rest != 0) otherSum = fma(loadPart(own + vectors, rest, zero()), loadPart(gradient + vectors, rest, zero()), otherSum);
    const total = hsum(f32x4.add(sum, otherSum)), dot = f32x4.splat(total);
    if (total != total && isZero(gradient, columns)) {
      fillFloats(target, 0, columns);
      continue;
    }
    for (at = 0; at < vectors; at += 16) {
      v128.store(target + at, f32x4.mul(v128.load(own + at), f32x4.sub(v128.load(gradient + at), dot)));
    }
    if (rest != 0) {
      const difference = f32x4.sub(loadPart(gradient + vectors, rest, zero()), dot);
      storePart(target + vectors, f32x4.mul(loadPart(own + vectors, rest, zero()), difference), rest);
    }
  }
}

/** A row whose mean is 8 standard deviations and more away from 0 varies little. */
const littleVaried: f32 = 64;

/**
 * The mean of a row that varies little: what rounding takes from a sum of large numbers would be large beside their deviations. Those
 * from a number of the row itself are small, and add up to what is missing.
 */
function meanOfLittleVaried(x: usize, columns: i32, inverseColumns: f32): f32 {
  const from = load<f32>(x);
  return from + sumDeviations(x, columns, f32x4.splat(from)) * inverseColumns;
}

export function layerNorm(
  y: usize, mean: usize, rstd: usize, x: usize, scale: usize, shift: usize,
  rows: i32, columns: i32, rowsPerGroup: i32, offset: f32, eps: f32,
): void {
  const bytes = <usize>columns << 2;
  const zeros = runOfZeros(columns, scale == 0 || shift == 0);
  const base = f32x4.splat(scale == 0 ? 1 : offset), inverseColumns: f32 = <f32>1 / <f32>columns;
  share(rows);
  for (let index = shareStart; index < shareEnd; index++) {
    const own = x + <usize>index * bytes, target = y + <usize>index * bytes, group = <usize>(index / rowsPerGroup) * bytes;
    let average: f32 = mean == 0 ? 0 : sumOf(own, columns) * inverseColumns, center = f32x4.splat(average);
    let variance = sumSquares(own, columns, center) * inverseColumns;
    if (variance * littleVaried < average * average) {
      average = meanOfLittleVaried(own, columns, inverseColumns);
      center = f32x4.splat(average);
      variance = sumSquares(own, columns, center) * inverseColumns;
    }
    const inverse: f32 = <f32>1 / sqrt<f32>(variance + eps);
    if (mean != 0) store<f32>(mean + (<usize>index << 2), average);
    store<f32>(rstd + (<usize>index << 2), inverse);
    const unit = f32x4.splat(inverse);
    const factor = scale == 0 ? zeros : scale + group, addend = shift == 0 ? zeros : shift + group;
    if (columns <= runFloats) writeNormals(target, own, factor, base, addend, center, unit, columns);
    else writeLongNormals(target, own, factor, scale != 0, base, addend, shift != 0, center, unit, columns);
  }
}

function writeLongNormals(
  y: usize, x: usize, factor: usize, hasFactor: bool, base: v128, addend: usize, hasAddend: bool, center: v128, unit: v128, columns: i32,
): void {
  for (let start = 0; start < columns; start += runFloats) {
    const at = <usize>start << 2;
    writeNormals(
      y + at, x + at, hasFactor ? factor + at : factor, base, hasAddend ? addend + at : addend, center, unit, min(columns - start, runFloats),
    );
  }
}

/** y = x̂·(base + factor) + addend, for a run. */
// @ts-ignore: decorator
@inline
function writeNormals(y: usize, x: usize, factor: usize, base: v128, addend: usize, center: v128, unit: v128, columns: i32): void {
  const vectors = (<usize>columns << 2) & ~15, rest = columns & 3;
  for (let at: usize = 0; at < vectors; at += 16) {
    const normal = f32x4.mul(f32x4.sub(v128.load(x + at), center), unit);
    v128.store(y + at, fma(normal, f32x4.add(base, v128.load(factor + at)), v128.load(addend + at)));
  }
  if (rest != 0) {
    const normal = f32x4.mul(f32x4.sub(loadPart(x + vectors, rest, center), center), unit);
    const slope = f32x4.add(base, loadPart(factor + vectors, rest, zero()));
    storePart(y + vectors, fma(normal, slope, loadPart(addend + vectors, rest, zero())), rest);
  }
}

export function layerNormGrad(
  dx: usize, dy: usize, x: usize, mean: usize, rstd: usize, scale: usize, rows: i32, columns: i32, rowsPerGroup: i32, offset: f32,
): void {
  const bytes = <usize>columns << 2;
  const zeros = runOfZeros(columns, scale == 0), baseFactor: f32 = scale == 0 ? 1 : offset;
  const base = f32x4.splat(baseFactor), inverseColumns: f32 = <f32>1 / <f32>columns;
  share(rows);
  for (let index = shareStart; index < shareEnd; index++) {
    const start = <usize>index * bytes, own = x + start, gradient = dy + start, target = dx + start;
    const factor = scale == 0 ? zeros : scale + <usize>(index / rowsPerGroup) * bytes;
    const statistic = <usize>index << 2, center = mean == 0 ? zero() : v128.load32_splat(mean + statistic);
    const unit = v128.load32_splat(rstd + statistic);
    const from = load<f32>(gradient) * (baseFactor + load<f32>(factor));
    let deviations: f32 = 0, products: f32 = 0;
    for (let run = 0; run < columns; run += runFloats) {
      const at = <usize>run << 2, count = min(columns - run, runFloats);
      sumProductsOfRun(gradient + at, scale == 0 ? zeros : factor + at, base, own + at, center, unit, count, f32x4.splat(from));
      deviations += deviationSum;
      products += productSum;
    }
    if (products != products && isZero(gradient, columns)) {
      fillFloats(target, 0, columns);
      continue;
    }
    const level = f32x4.splat(mean == 0 ? 0 : from + deviations * inverseColumns);
    const minusSlope = f32x4.splat(-products * inverseColumns);
    for (let run = 0; run < columns; run += runFloats) {
      const at = <usize>run << 2, ownFactor = scale == 0 ? zeros : factor + at;
      writeSlopes(target + at, gradient + at, ownFactor, base, own + at, center, unit, level, minusSlope, min(columns - run, runFloats));
    }
  }
}

/** dx = unit·((g - level) - x̂·slope), g = dy·(base + factor), for a run; the terms may cancel, so the factor they share comes last. */
// @ts-ignore: decorator
@inline
function writeSlopes(
  dx: usize, dy: usize, factor: usize, base: v128, x: usize, center: v128, unit: v128, level: v128, minusSlope: v128, columns: i32,
): void {
  const vectors = (<usize>columns << 2) & ~15, rest = columns & 3;
  for (let at: usize = 0; at < vectors; at += 16) {
    const normal = f32x4.mul(f32x4.sub(v128.load(x + at), center), unit);
    const g = f32x4.mul(v128.load(dy + at), f32x4.add(base, v128.load(factor + at)));
    v128.store(dx + at, f32x4.mul(unit, fma(normal, minusSlope, f32x4.sub(g, level))));
  }
  if (rest != 0) {
    const normal = f32x4.mul(f32x4.sub(loadPart(x + vectors, rest, center), center), unit);
    const slope = f32x4.add(base, loadPart(factor + vectors, rest, zero()));
    const g = f32x4.mul(loadPart(dy + vectors, rest, zero()), slope);
    storePart(dx + vectors, f32x4.mul(unit, fma(normal, minusSlope, f32x4.sub(g, level))), rest);
  }
}

/** Whether a row is all zeros: no gradient comes to it, so none goes on, not even times what is not finite. */
function isZero(row: usize, columns: i32): bool {
  for (let at: usize = 0; at < <usize>columns << 2; at += 4) if (load<f32>(row + at) != 0) return false;
  return true;
}

/** Zeros in scratch behind its first vector, which stand for any run of an absent scale or shift. */
function runOfZeros(columns: i32, wanted: bool): usize {
  if (wanted) fillFloats(scratchPtr + 16, 0, min(columns, runFloats));
  return scratchPtr + 16;
}
