// Kernels over rows: softmax, layer normalisation, and their gradients. Rows are shared among threads; each row's sums run in a
// fixed order. A last partial vector is filled with what changes no sum.
import { fma, hmax, hsum, loadTail, storeTail, vexp } from "./simd";
import { share, shareEnd, shareStart } from "./threads";

export function softmax(y: usize, x: usize, rows: i32, columns: i32): void {
  share(rows);
  const row = <usize>columns << 2, body = <usize>(columns & ~3) << 2, tail = columns & 3;
  for (let r = shareStart; r < shareEnd; r++) {
    const from = x + <usize>r * row, to = y + <usize>r * row;
    let largest = f32x4.splat(-Infinity);
    for (let i: usize = 0; i < body; i += 16) largest = f32x4.pmax(largest, v128.load(from + i));
    if (tail) largest = f32x4.pmax(largest, loadTail(from + body, tail, -Infinity));
    const m = f32x4.splat(hmax(largest));
    let s0 = f32x4.splat(0), s1 = s0;
    let i: usize = 0;
    for (; i + 32 <= body; i += 32) {
      const e0 = vexp(f32x4.sub(v128.load(from + i), m)), e1 = vexp(f32x4.sub(v128.load(from + i, 16), m));
      v128.store(to + i, e0);
      v128.store(to + i, e1, 16);
      s0 = f32x4.add(s0, e0);
      s1 = f32x4.add(s1, e1);
    }
    for (; i < body; i += 16) {
      const e = vexp(f32x4.sub(v128.load(from + i), m));
      v128.store(to + i, e);
      s0 = f32x4.add(s0, e);
    }
    if (tail) {
      const e = vexp(f32x4.sub(loadTail(from + body, tail, -Infinity), m));
      storeTail(to + body, tail, e);
      s1 = f32x4.add(s1, e);
    }
    const inverse = f32x4.splat(<f32>1 / hsum(f32x4.add(s0, s1)));
    for (let j: usize = 0; j < body; j += 16) v128.store(to + j, f32x4.mul(v128.load(to + j), inverse));
    if (tail) storeTail(to + body, tail, f32x4.mul(loadTail(to + body, tail, 0), inverse));
  }
}

export function softmaxGrad(dx: usize, y: usize, dy: usize, rows: i32, columns: i32): void {
  share(rows);
  const row = <usize>columns << 2, body = <usize>(columns & ~3) << 2, tail = columns & 3;
  for (let r = shareStart; r < shareEnd; r++) {
    const at = <usize>r * row, p = y + at, d = dy + at, to = dx + at;
    let sum = f32x4.splat(0);
    for (let i: usize = 0; i < body; i += 16) sum = fma(v128.load(p + i), v128.load(d + i), sum);
    if (tail) sum = fma(loadTail(p + body, tail, 0), loadTail(d + body, tail, 0), sum);
    const dot = f32x4.splat(hsum(sum));
    for (let i: usize = 0; i < body; i += 16) v128.store(to + i, f32x4.mul(v128.load(p + i), f32x4.sub(v128.load(d + i), dot)));
    if (tail) storeTail(to + body, tail, f32x4.mul(loadTail(p + body, tail, 0), f32x4.sub(loadTail(d + body, tail, 0), dot)));
  }
}

/** Numbers of a partial vector less their mean; the lanes beyond stay 0. */
// @ts-ignore: decorator
@inline function centredTail(p: usize, tail: i32, mean: f32): v128 {
  return f32x4.sub(loadTail(p, tail, mean), f32x4.splat(mean));
}

/** offset + scale, or 1 where there is no scale; the same for a partial vector. */
// @ts-ignore: decorator
@inline function factor(scale: usize, i: usize, offset: v128): v128 {
  return scale == 0 ? f32x4.splat(1) : f32x4.add(offset, v128.load(scale + i));
}
// @ts-ignore: decorator
@inline function factorTail(scale: usize, i: usize, tail: i32, offset: v128): v128 {
  return scale == 0 ? f32x4.splat(1) : f32x4.add(offset, loadTail(scale + i, tail, 0));
}

export function layerNorm(
  y: usize, mean: usize, rstd: usize, x: usize, scale: usize, shift: usize, rows: i32, columns: i32, rowsPerGroup: i32, offset: f32, eps: f32,
): void {
  share(rows);
  const row = <usize>columns << 2, body = <usize>(columns & ~3) << 2, tail = columns & 3;
  const inverse: f32 = <f32>1 / <f32>columns, base = f32x4.splat(offset);
  for (let r = shareStart; r < shareEnd; r++) {
    const from = x + <usize>r * row, to = y + <usize>r * row, group = <usize>(r / rowsPerGroup) * row;
    const a = scale == 0 ? 0 : scale + group, b = shift == 0 ? 0 : shift + group;
    let s0 = f32x4.splat(0), s1 = s0;
    let i: usize = 0;
    for (; i + 32 <= body; i += 32) {
      s0 = f32x4.add(s0, v128.load(from + i));
      s1 = f32x4.add(s1, v128.load(from + i, 16));
    }
    for (; i < body; i += 16) s0 = f32x4.add(s0, v128.load(from + i));
    if (tail) s1 = f32x4.add(s1, loadTail(from + body, tail, 0));
    const average = hsum(f32x4.add(s0, s1)) * inverse, centre = f32x4.splat(average);

    s0 = f32x4.splat(0);
    s1 = s0;
    for (i = 0; i + 32 <= body; i += 32) {
      const d0 = f32x4.sub(v128.load(from + i), centre), d1 = f32x4.sub(v128.load(from + i, 16), centre);
      s0 = fma(d0, d0, s0);
      s1 = fma(d1, d1, s1);
    }
    for (; i < body; i += 16) {
      const d = f32x4.sub(v128.load(from + i), centre);
      s0 = fma(d, d, s0);
    }
    if (tail) {
      const d = centredTail(from + body, tail, average);
      s1 = fma(d, d, s1);
    }
    const reciprocal: f32 = <f32>1 / sqrt<f32>(hsum(f32x4.add(s0, s1)) * inverse + eps), spread = f32x4.splat(reciprocal);
    store<f32>(mean + (<usize>r << 2), average);
    store<f32>(rstd + (<usize>r << 2), reciprocal);

    if (a != 0 && b != 0) {
      for (i = 0; i < body; i += 16) {
        const normal = f32x4.mul(f32x4.sub(v128.load(from + i), centre), spread);
        v128.store(to + i, fma(normal, f32x4.add(base, v128.load(a + i)), v128.load(b + i)));
      }
    } else {
      for (i = 0; i < body; i += 16) {
        const normal = f32x4.mul(f32x4.mul(f32x4.sub(v128.load(from + i), centre), spread), factor(a, i, base));
        v128.store(to + i, b == 0 ? normal : f32x4.add(normal, v128.load(b + i)));
      }
    }
    if (tail) {
      const normal = f32x4.mul(centredTail(from + body, tail, average), spread);
      storeTail(to + body, tail, fma(normal, factorTail(a, body, tail, base), b == 0 ? f32x4.splat(0) : loadTail(b + body, tail, 0)));
    }
  }
}

export function layerNormGrad(
  dx: usize, dy: usize, x: usize, mean: usize, rstd: usize, scale: usize, rows: i32, columns: i32, rowsPerGroup: i32, offset: f32,
): void {
  share(rows);
  const row = <usize>columns << 2, body = <usize>(columns & ~3) << 2, tail = columns & 3;
  const inverse: f32 = <f32>1 / <f32>columns, base = f32x4.splat(offset);
  for (let r = shareStart; r < shareEnd; r++) {
    const from = x + <usize>r * row, d = dy + <usize>r * row, to = dx + <usize>r * row;
    const a = scale == 0 ? 0 : scale + <usize>(r / rowsPerGroup) * row;
    const average = load<f32>(mean + (<usize>r << 2)), centre = f32x4.splat(average), spread = f32x4.splat(load<f32>(rstd + (<usize>r << 2)));
    // With g = dy (offset + scale): the sums of g and of g times the normalised x.
    let sum = f32x4.splat(0), dot = sum;
    for (let i: usize = 0; i < body; i += 16) {
      const g = f32x4.mul(v128.load(d + i), factor(a, i, base));
      sum = f32x4.add(sum, g);
      dot = fma(g, f32x4.mul(f32x4.sub(v128.load(from + i), centre), spread), dot);
    }
    if (tail) {
      const g = f32x4.mul(loadTail(d + body, tail, 0), factorTail(a, body, tail, base));
      sum = f32x4.add(sum, g);
      dot = fma(g, f32x4.mul(centredTail(from + body, tail, average), spread), dot);
    }
    const meanG = f32x4.splat(hsum(sum) * inverse), meanDot = f32x4.splat(hsum(dot) * inverse);
    for (let i: usize = 0; i < body; i += 16) {
      const g = f32x4.sub(f32x4.mul(v128.load(d + i), factor(a, i, base)), meanG);
      const normal = f32x4.mul(f32x4.sub(v128.load(from + i), centre), spread);
      v128.store(to + i, f32x4.mul(spread, f32x4.sub(g, f32x4.mul(normal, meanDot))));
    }
    if (tail) {
      const g = f32x4.sub(f32x4.mul(loadTail(d + body, tail, 0), factorTail(a, body, tail, base)), meanG);
      const normal = f32x4.mul(centredTail(from + body, tail, average), spread);
      storeTail(to + body, tail, f32x4.mul(spread, f32x4.sub(g, f32x4.mul(normal, meanDot))));
    }
  }
}
