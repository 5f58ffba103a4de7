// Floats as IEEE binary16, two a word.
import { share, shareEnd, shareStart } from "./threads";

/** Words that are one unit of work. */
const runWords: i32 = 1024;

/** The kernel `packHalves`. */
export function packHalves(y: usize, x: usize, n: i32): void {
  const words = (n + 1) >> 1;
  share((words + runWords - 1) / runWords);
  const end = min(words, shareEnd * runWords);
  for (let i = shareStart * runWords; i < end; i++) {
    const at = x + (<usize>i << 3);
    const high = 2 * i + 1 < n ? halfOf(load<u32>(at, 4)) : 0;
    store<u32>(y + (<usize>i << 2), halfOf(load<u32>(at)) | (high << 16));
  }
}

/** The kernel `unpackHalves`. */
export function unpackHalves(y: usize, x: usize, n: i32): void {
  const words = (n + 1) >> 1;
  share((words + runWords - 1) / runWords);
  const end = min(words, shareEnd * runWords);
  for (let i = shareStart * runWords; i < end; i++) {
    const word = load<u32>(x + (<usize>i << 2)), at = y + (<usize>i << 3);
    store<f32>(at, floatOf(word & 0xffff));
    if (2 * i + 1 < n) store<f32>(at, floatOf(word >> 16), 4);
  }
}

/** The nearest half, ties to even, of a float's bits. */
function halfOf(bits: u32): u32 {
  const sign = (bits >> 16) & 0x8000, size = bits & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00;
  if (size >= 0x47800000) return sign | 0x7c00;
  if (size >= 0x38800000) return sign | rounded(size - (112 << 23), 13);
  if (size >= 0x33000000) return sign | rounded((size & 0x7fffff) | 0x800000, 126 - (size >> 23));
  return sign;
}

/** bits / 2^shift to nearest, ties to even. */
// @ts-ignore: decorator
@inline
function rounded(bits: u32, shift: u32): u32 {
  const floor = bits >> shift, rest = bits - (floor << shift), middle: u32 = 1 << (shift - 1);
  return floor + u32(rest > middle || (rest == middle && (floor & 1) != 0));
}

/** The float of a half: its exponent is moved up, and what was below the smallest normal half is scaled there by arithmetic. */
function floatOf(half: u32): f32 {
  const sign = (half & 0x8000) << 16, size = half & 0x7fff;
  if (size >= 0x7c00) return reinterpret<f32>(sign | 0x7f800000 | ((size & 0x3ff) << 13));
  if (size < 0x400) return (sign != 0 ? <f32>-1 : <f32>1) * <f32>size * reinterpret<f32>(0x33800000);
  return reinterpret<f32>(sign | ((size << 13) + (112 << 23)));
}
