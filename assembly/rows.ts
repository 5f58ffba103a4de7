// Kernels that treat every row on its own: softmax, layer norm, and their gradients. The work is split by rows.
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
    const dot = f32x4.splat(hsum(f32x4.add(sum, otherSum)));
    for (at = 0; at < vectors; at += 16) {
      v128.store(target + at, f32x4.mul(v128.load(own + at), f32x4.sub(v128.load(gradient + at), dot)));
    }
    if (rest != 0) {
      const difference = f32x4.sub(loadPart(gradient + vectors, rest, zero()), dot);
      storePart(target + vectors, f32x4.mul(loadPart(own + vectors, rest, zero()), difference), rest);
    }
  }
}

export function layerNorm(
  y: usize, mean: usize, rstd: usize, x: usize, scale: usize, shift: usize,
  rows: i32, columns: i32, rowsPerGroup: i32, offset: f32, eps: f32,
): void {
  const bytes = <usize>columns << 2, vectors = bytes & ~15, pairs = bytes & ~31, rest = columns & 3;
  const zeros = rowOfZeros(columns, scale == 0 || shift == 0);
  const base = f32x4.splat(scale == 0 ? 1 : offset), inverseColumns: f32 = <f32>1 / <f32>columns;
  share(rows);
  for (let index = shareStart; index < shareEnd; index++) {
    const own = x + <usize>index * bytes, target = y + <usize>index * bytes, group = <usize>(index / rowsPerGroup) * bytes;
    const factor = scale == 0 ? zeros : scale + group, addend = shift == 0 ? zeros : shift + group;
    let sum = zero(), otherSum = sum;
    let at: usize = 0;
    for (; at < pairs; at += 32) {
      sum = f32x4.add(sum, v128.load(own + at));
      otherSum = f32x4.add(otherSum, v128.load(own + at, 16));
    }
    if (at < vectors) sum = f32x4.add(sum, v128.load(own + at));
    if (rest != 0) otherSum = f32x4.add(otherSum, loadPart(own + vectors, rest, zero()));
    const average = hsum(f32x4.add(sum, otherSum)) * inverseColumns, center = f32x4.splat(average);

    let squares = zero(), otherSquares = squares;
    for (at = 0; at < pairs; at += 32) {
      const first = f32x4.sub(v128.load(own + at), center), second = f32x4.sub(v128.load(own + at, 16), center);
      squares = fma(first, first, squares);
      otherSquares = fma(second, second, otherSquares);
    }
    if (at < vectors) {
      const deviation = f32x4.sub(v128.load(own + at), center);
      squares = fma(deviation, deviation, squares);
    }
    if (rest != 0) {
      // Beyond the row stands the mean: no deviation.
      const deviation = f32x4.sub(loadPart(own + vectors, rest, center), center);
      otherSquares = fma(deviation, deviation, otherSquares);
    }
    const inverse: f32 = <f32>1 / sqrt<f32>(hsum(f32x4.add(squares, otherSquares)) * inverseColumns + eps);
    store<f32>(mean + (<usize>index << 2), average);
    store<f32>(rstd + (<usize>index << 2), inverse);

    const unit = f32x4.splat(inverse);
    for (at = 0; at < vectors; at += 16) {
      const normal = f32x4.mul(f32x4.sub(v128.load(own + at), center), unit);
      v128.store(target + at, fma(normal, f32x4.add(base, v128.load(factor + at)), v128.load(addend + at)));
    }
    if (rest != 0) {
      const normal = f32x4.mul(f32x4.sub(loadPart(own + vectors, rest, center), center), unit);
      const slope = f32x4.add(base, loadPart(factor + vectors, rest, zero()));
      storePart(target + vectors, fma(normal, slope, loadPart(addend + vectors, rest, zero())), rest);
    }
  }
}

export function layerNormGrad(
  dx: usize, dy: usize, x: usize, mean: usize, rstd: usize, scale: usize, rows: i32, columns: i32, rowsPerGroup: i32, offset: f32,
): void {
  const bytes = <usize>columns << 2, vectors = bytes & ~15, rest = columns & 3;
  const zeros = rowOfZeros(columns, scale == 0);
  const base = f32x4.splat(scale == 0 ? 1 : offset), inverseColumns: f32 = <f32>1 / <f32>columns;
  share(rows);
  for (let index = shareStart; index < shareEnd; index++) {
    const start = <usize>index * bytes, own = x + start, gradient = dy + start, target = dx + start;
    const factor = scale == 0 ? zeros : scale + <usize>(index / rowsPerGroup) * bytes;
    const center = v128.load32_splat(mean + (<usize>index << 2)), unit = v128.load32_splat(rstd + (<usize>index << 2));
    let sum = zero(), product = zero();
    for (let at: usize = 0; at < vectors; at += 16) {
      const normal = f32x4.mul(f32x4.sub(v128.load(own + at), center), unit);
      const g = f32x4.mul(v128.load(gradient + at), f32x4.add(base, v128.load(factor + at)));
      sum = f32x4.add(sum, g);
      product = fma(g, normal, product);
    }
    if (rest != 0) {
      const normal = f32x4.mul(f32x4.sub(loadPart(own + vectors, rest, center), center), unit);
      const g = f32x4.mul(loadPart(gradient + vectors, rest, zero()), f32x4.add(base, loadPart(factor + vectors, rest, zero())));
      sum = f32x4.add(sum, g);
      product = fma(g, normal, product);
    }
    // dx = rstd·((g - mean(g)) - x̂·mean(g·x̂)); the terms may cancel, so the factor that they share comes last.
    const level = f32x4.splat(hsum(sum) * inverseColumns), minusSlope = f32x4.splat(-hsum(product) * inverseColumns);
    for (let at: usize = 0; at < vectors; at += 16) {
      const normal = f32x4.mul(f32x4.sub(v128.load(own + at), center), unit);
      const g = f32x4.mul(v128.load(gradient + at), f32x4.add(base, v128.load(factor + at)));
      v128.store(target + at, f32x4.mul(unit, fma(normal, minusSlope, f32x4.sub(g, level))));
    }
    if (rest != 0) {
      const normal = f32x4.mul(f32x4.sub(loadPart(own + vectors, rest, center), center), unit);
      const g = f32x4.mul(loadPart(gradient + vectors, rest, zero()), f32x4.add(base, loadPart(factor + vectors, rest, zero())));
      storePart(target + vectors, f32x4.mul(unit, fma(normal, minusSlope, f32x4.sub(g, level))), rest);
    }
  }
}

/** A row of zeros in scratch, which stands for an absent scale or shift. */
function rowOfZeros(columns: i32, wanted: bool): usize {
  if (wanted) fillFloats(scratchPtr, 0, columns);
  return scratchPtr;
}
