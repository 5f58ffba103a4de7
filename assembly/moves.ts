// Filling memory, and rows chosen by an index.
import { copyFloats, fillFloats } from "./simd";
import { share, shareEnd, shareStart } from "./threads";

/** Floats of `fill` that are one unit of work. */
const runFloats: i32 = 4096;
/** Columns of `scatterAddRows` that are one unit of work where there are few batches. */
const bandColumns: i32 = 16;
const enoughBatches: i32 = 8;

export function fill(y: usize, n: i32, value: f32): void {
  share((n + runFloats - 1) / runFloats);
  const start = shareStart * runFloats, end = min(n, shareEnd * runFloats);
  if (start < end) fillFloats(y + (<usize>start << 2), value, end - start);
}

export function gatherRows(
  y: usize, x: usize, index: usize, batches: i32, outRows: i32, inRows: i32, columns: i32, indexBatches: i32,
): void {
  const bytes = <usize>columns << 2;
  share(batches * outRows);
  for (let unit = shareStart; unit < shareEnd; unit++) {
    const batch = unit / outRows, place = (batch % indexBatches) * outRows + unit - batch * outRows;
    const row = load<i32>(index + (<usize>place << 2)), target = y + <usize>unit * bytes;
    if (<u32>row < <u32>inRows) copyFloats(target, x + <usize>(batch * inRows + row) * bytes, columns);
    else fillFloats(target, 0, columns);
  }
}

/** The work is split by bands of columns: two rows of x may go to the same row of y, and must do so in their order. */
export function scatterAddRows(
  y: usize, x: usize, index: usize, batches: i32, outRows: i32, inRows: i32, columns: i32, indexBatches: i32,
): void {
  const band = batches >= enoughBatches ? columns : bandColumns, bands = (columns + band - 1) / band;
  const bytes = <usize>columns << 2;
  share(batches * bands);
  for (let unit = shareStart; unit < shareEnd; unit++) {
    const batch = unit / bands, column = (unit - batch * bands) * band, count = min(band, columns - column);
    const target = y + <usize>(batch * outRows) * bytes + (<usize>column << 2);
    const own = index + (<usize>((batch % indexBatches) * inRows) << 2);
    let from = x + <usize>(batch * inRows) * bytes + (<usize>column << 2);
    for (let row = 0; row < outRows; row++) fillFloats(target + <usize>row * bytes, 0, count);
    for (let i = 0; i < inRows; i++) {
      const row = load<i32>(own + (<usize>i << 2));
      if (<u32>row < <u32>outRows) addFloats(target + <usize>row * bytes, from, count);
      from += bytes;
    }
  }
}

/** y += x. */
// @ts-ignore: decorator
@inline
function addFloats(y: usize, x: usize, count: i32): void {
  const bytes = <usize>count << 2;
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) v128.store(y + at, f32x4.add(v128.load(y + at), v128.load(x + at)));
  for (; at < bytes; at += 4) store<f32>(y + at, load<f32>(y + at) + load<f32>(x + at));
}
