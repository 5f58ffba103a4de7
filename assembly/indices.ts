// Whole numbers: the places of largest elements, and whole numbers as floats.
import { share, shareEnd, shareStart } from "./threads";

/** Columns of `argMax` that are one unit of work where the axis is not the last. */
const bandColumns: i32 = 256;
/** Elements of `toF32` that are one unit of work. */
const runElements: i32 = 4096;

/** Whether a comes before b: NaN counts as the largest, and of equals the first was there before. */
// @ts-ignore: decorator
@inline
function exceeds(a: f32, b: f32): bool {
  return a > b || (a != a && b == b);
}

export function argMax(y: usize, x: usize, outer: i32, length: i32, inner: i32): void {
  const band = min(inner, bandColumns), bands = (inner + band - 1) / band, row = <usize>inner << 2;
  share(outer * bands);
  for (let unit = shareStart; unit < shareEnd; unit++) {
    const part = unit / bands, column = (unit - part * bands) * band, count = min(band, inner - column);
    const target = y + (<usize>(part * inner + column) << 2), own = x + <usize>(part * length) * row + (<usize>column << 2);
    if (inner == 1) {
      store<i32>(target, argMaxRow(own, length));
      continue;
    }
    for (let j: usize = 0, end = <usize>count << 2; j < end; j += 4) store<i32>(target + j, 0);
    for (let i = 1; i < length; i++) {
      const from = own + <usize>i * row;
      for (let j: usize = 0, end = <usize>count << 2; j < end; j += 4) {
        const best = load<f32>(own + <usize>load<i32>(target + j) * row + j);
        if (exceeds(load<f32>(from + j), best)) store<i32>(target + j, i);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function argMaxRow(x: usize, length: i32): i32 {
  let best = load<f32>(x), place = 0;
  for (let i = 1; i < length; i++) {
    const value = load<f32>(x + (<usize>i << 2));
    if (exceeds(value, best)) {
      best = value;
      place = i;
    }
  }
  return place;
}

export function toF32(y: usize, x: usize, n: i32): void {
  share((n + runElements - 1) / runElements);
  const end = min(n, shareEnd * runElements), vectors = end & ~3;
  let i = shareStart * runElements;
  for (; i < vectors; i += 4) {
    const at = <usize>i << 2;
    v128.store(y + at, f32x4.convert_i32x4_s(v128.load(x + at)));
  }
  for (; i < end; i++) store<f32>(y + (<usize>i << 2), <f32>load<i32>(x + (<usize>i << 2)));
}
