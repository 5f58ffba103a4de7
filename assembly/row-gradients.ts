// Gradients of what rows share: the scale and the shift of a normalisation.
import { loadPart, storePart } from "./simd";
import { share, shareEnd, shareStart } from "./threads";

/** Rows that are added up before they are added to the rest: long sums keep their digits. */
const chunk: i32 = 128;
/** Columns of a unit of work: a cache line of every row. */
const unitColumns: i32 = 16;

/** The kernel: see src/backend/kernels/layerNormSums.ts. A unit is some columns of a group; its rows are added in their order. */
export function layerNormSums(
  dScale: usize, dShift: usize, dy: usize, x: usize, mean: usize, rstd: usize, rows: i32, columns: i32, rowsPerGroup: i32,
): void {
  const row = <usize>columns << 2, units = (columns + unitColumns - 1) / unitColumns;
  const groups = (rows + rowsPerGroup - 1) / rowsPerGroup;
  share(groups * units);
  for (let unit = shareStart; unit < shareEnd; unit++) {
    const group = unit / units, column = (unit - group * units) * unitColumns;
    const end = min(columns, column + unitColumns), first = group * rowsPerGroup, last = min(rows, first + rowsPerGroup);
    for (let from = column; from < end; from += 4) {
      const at = <usize>from << 2, target = <usize>group * row + at;
      sumColumns(dScale + target, dShift == 0 ? 0 : dShift + target, dy + at, x + at, mean, rstd, first, last, row, end - from);
    }
  }
}

/** Up to four columns, `count` where they are fewer, over rows first..last-1. */
function sumColumns(
  dScale: usize, dShift: usize, dy: usize, x: usize, mean: usize, rstd: usize, first: i32, last: i32, row: usize, count: i32,
): void {
  const zero = f32x4.splat(0), isWhole = count >= 4;
  let scales = zero, shifts = zero;
  for (let start = first; start < last; start += chunk) {
    let ownScales = zero, ownShifts = zero;
    const end = min(last, start + chunk);
    for (let index = start; index < end; index++) {
      const at = <usize>index * row, statistic = <usize>index << 2;
      const slope = isWhole ? v128.load(dy + at) : loadPart(dy + at, count, zero);
      const own = isWhole ? v128.load(x + at) : loadPart(x + at, count, zero);
      const center = mean == 0 ? zero : v128.load32_splat(mean + statistic);
      const normal = f32x4.mul(f32x4.sub(own, center), v128.load32_splat(rstd + statistic));
      // Nothing times what is not finite is nothing.
      ownScales = f32x4.add(ownScales, v128.andnot(f32x4.mul(slope, normal), f32x4.eq(slope, zero)));
      ownShifts = f32x4.add(ownShifts, slope);
    }
    scales = f32x4.add(scales, ownScales);
    shifts = f32x4.add(shifts, ownShifts);
  }
  if (isWhole) {
    v128.store(dScale, scales);
    if (dShift != 0) v128.store(dShift, shifts);
  } else {
    storePart(dScale, scales, count);
    if (dShift != 0) storePart(dShift, shifts, count);
  }
}
