// Kernels that move numbers: fill, strided copies, rows by index.

import { share, shareEnd, shareStart } from "./threads";
import { move } from "./tiles";

/** Numbers a thread moves before it is worth asking for another share. */
const blockLength: i32 = 4096;

export function fill(y: usize, n: i32, value: f32): void {
  share((n + blockLength - 1) / blockLength);
  const v = f32x4.splat(value),
    end = y + ((<usize>min(n, shareEnd * blockLength)) << 2);
  let p = y + ((<usize>(shareStart * blockLength)) << 2);
  for (; p + 16 <= end; p += 16) v128.store(p, v);
  for (; p < end; p += 4) store<f32>(p, value);
}

export function copyStrided(
  y: usize,
  x: usize,
  yOffset: i32,
  xOffset: i32,
  d0: i32,
  d1: i32,
  d2: i32,
  d3: i32,
  d4: i32,
  d5: i32,
  y0: i32,
  y1: i32,
  y2: i32,
  y3: i32,
  y4: i32,
  y5: i32,
  x0: i32,
  x1: i32,
  x2: i32,
  x3: i32,
  x4: i32,
  x5: i32,
): void {
  const blocks = (d5 + blockLength - 1) / blockLength;
  share(d0 * d1 * d2 * d3 * d4 * blocks);
  for (let unit = shareStart; unit < shareEnd; unit++) {
    const first = (unit % blocks) * blockLength,
      count = min(blockLength, d5 - first);
    let rest = unit / blocks;
    const i4 = rest % d4;
    rest /= d4;
    const i3 = rest % d3;
    rest /= d3;
    const i2 = rest % d2;
    rest /= d2;
    const i1 = rest % d1,
      i0 = rest / d1;
    let to = y + ((<usize>(yOffset + i0 * y0 + i1 * y1 + i2 * y2 + i3 * y3 + i4 * y4 + first * y5)) << 2);
    let from = x + ((<usize>(xOffset + i0 * x0 + i1 * x1 + i2 * x2 + i3 * x3 + i4 * x4 + first * x5)) << 2);
    if (y5 == 1 && x5 == 1) {
      move(to, from, count);
    } else {
      const toStep = (<usize>y5) << 2,
        fromStep = (<usize>x5) << 2;
      for (let i = 0; i < count; i++, to += toStep, from += fromStep) store<f32>(to, load<f32>(from));
    }
  }
}

export function gatherRows(
  y: usize,
  x: usize,
  index: usize,
  batches: i32,
  outRows: i32,
  inRows: i32,
  columns: i32,
  indexBatches: i32,
): void {
  share(batches * outRows);
  const row = (<usize>columns) << 2;
  for (let unit = shareStart; unit < shareEnd; unit++) {
    const batch = unit / outRows,
      i = unit % outRows;
    const from = load<i32>(index + ((<usize>((batch % indexBatches) * outRows + i)) << 2));
    const to = y + <usize>unit * row;
    if (<u32>from < <u32>inRows) move(to, x + <usize>(batch * inRows + from) * row, columns);
    else zero(to, columns);
  }
}

/** Every thread owns a range of the target's rows and reads all indices, so that sums run in the order of the source. */
export function scatterAddRows(
  y: usize,
  x: usize,
  index: usize,
  batches: i32,
  outRows: i32,
  inRows: i32,
  columns: i32,
  indexBatches: i32,
): void {
  share(batches * outRows);
  if (shareStart >= shareEnd) return;
  const row = (<usize>columns) << 2;
  for (let unit = shareStart; unit < shareEnd; unit++) zero(y + <usize>unit * row, columns);
  for (let batch = shareStart / outRows; batch <= (shareEnd - 1) / outRows; batch++) {
    const indices = index + ((<usize>((batch % indexBatches) * inRows)) << 2);
    for (let i = 0; i < inRows; i++) {
      const to = load<i32>(indices + ((<usize>i) << 2)),
        target = batch * outRows + to;
      if (<u32>to >= <u32>outRows || target < shareStart || target >= shareEnd) continue;
      addTo(y + <usize>target * row, x + <usize>(batch * inRows + i) * row, columns);
    }
  }
}

function zero(y: usize, count: i32): void {
  memory.fill(y, 0, (<usize>count) << 2);
}

function addTo(y: usize, x: usize, count: i32): void {
  const end = y + ((<usize>count) << 2);
  for (; y + 16 <= end; y += 16, x += 16) v128.store(y, f32x4.add(v128.load(y), v128.load(x)));
  for (; y < end; y += 4, x += 4) store<f32>(y, load<f32>(y) + load<f32>(x));
}
