// Strided copies: transposes, slices, padding. Numbers move as bits, so integers are welcome.
import { copyFloats } from "./simd";
import { scratchPtr, share, shareEnd, shareStart } from "./threads";

// Scratch: the axes that are walked, outermost first, each as [index, size, stride in y, stride in x], strides in bytes.
const AXIS_BYTES: usize = 16;
const INNER: usize = 5 * AXIS_BYTES;
/** Where the walk is. */
let yAt: usize = 0;
let xAt: usize = 0;

/** Floats of a row, and rows of a plane, that are one unit of work. */
const runFloats: i32 = 4096;
const planeRows: i32 = 16;

/**
 * The kernel. The order of axes does not matter to a copy: where y is contiguous along one and x along another, these two become
 * a plane that is transposed in blocks; else the last axis is copied row by row.
 */
export function copyStrided(
  y: usize, x: usize, yOffset: i32, xOffset: i32, d0: i32, d1: i32, d2: i32, d3: i32, d4: i32, d5: i32,
  y0: i32, y1: i32, y2: i32, y3: i32, y4: i32, y5: i32, x0: i32, x1: i32, x2: i32, x3: i32, x4: i32, x5: i32,
): void {
  setAxis(0, d0, y0, x0);
  setAxis(1, d1, y1, x1);
  setAxis(2, d2, y2, x2);
  setAxis(3, d3, y3, x3);
  setAxis(4, d4, y4, x4);
  setAxis(5, d5, y5, x5);
  yAt = y + (<usize>yOffset << 2);
  xAt = x + (<usize>xOffset << 2);
  if (y5 == 1 && x5 == 1) copyRuns(d5, 4, 4);
  else if (pairUp(y5, x5)) transposePlanes();
  else copyRuns(d5, <usize>y5 << 2, <usize>x5 << 2);
}

// @ts-ignore: decorator
@inline
function axis(index: i32): usize {
  return scratchPtr + <usize>index * AXIS_BYTES;
}

// @ts-ignore: decorator
@inline
function setAxis(index: i32, size: i32, yStride: i32, xStride: i32): void {
  const at = axis(index);
  store<i32>(at, size, 4);
  store<i32>(at, yStride << 2, 8);
  store<i32>(at, xStride << 2, 12);
}

// @ts-ignore: decorator
@inline
function swapAxes(a: i32, b: i32): void {
  const first = v128.load(axis(a));
  v128.store(axis(a), v128.load(axis(b)));
  v128.store(axis(b), first);
}

/** Brings the axis along which x is contiguous to place 4 and that along which y is to place 5, if there are such. */
function pairUp(y5: i32, x5: i32): bool {
  if (y5 != 1 && x5 != 1) return false;
  const wanted: usize = y5 == 1 ? 12 : 8;
  for (let index = 4; index >= 0; index--) {
    if (load<i32>(axis(index) + wanted) != 4 || load<i32>(axis(index), 4) < 4) continue;
    swapAxes(index, 4);
    if (x5 == 1) swapAxes(4, 5);
    return true;
  }
  return false;
}

/** Replaces the innermost axis of the walk by blocks of it, and moves to this thread's first unit. */
function startWalk(length: i32, block: i32, yStride: usize, xStride: usize): void {
  const at = scratchPtr + INNER;
  store<i32>(at, (length + block - 1) / block, 4);
  store<i32>(at, <i32>yStride * block, 8);
  store<i32>(at, <i32>xStride * block, 12);
  let units = 1;
  for (let index = 0; index <= 5; index++) units *= load<i32>(axis(index), 4);
  share(units);
  let left = shareStart;
  for (let index = 5; index >= 0; index--) {
    const own = axis(index), size = load<i32>(own, 4), place = left % size;
    store<i32>(own, place);
    yAt += <usize>place * load<usize>(own, 8);
    xAt += <usize>place * load<usize>(own, 12);
    left /= size;
  }
}

/** Moves on by one unit. */
function step(): void {
  for (let at = scratchPtr + INNER; at >= scratchPtr; at -= AXIS_BYTES) {
    const next = load<i32>(at) + 1, size = load<i32>(at, 4);
    yAt += load<usize>(at, 8);
    xAt += load<usize>(at, 12);
    if (next < size) {
      store<i32>(at, next);
      return;
    }
    store<i32>(at, 0);
    yAt -= <usize>size * load<usize>(at, 8);
    xAt -= <usize>size * load<usize>(at, 12);
  }
}

/** Copies the last axis, in runs. */
function copyRuns(length: i32, yStride: usize, xStride: usize): void {
  startWalk(length, runFloats, yStride, xStride);
  for (let unit = shareStart; unit < shareEnd; unit++) {
    const count = min(runFloats, length - load<i32>(scratchPtr + INNER) * runFloats);
    if (yStride == 4 && xStride == 4) copyFloats(yAt, xAt, count);
    else copyStridedRun(yAt, xAt, yStride, xStride, count);
    step();
  }
}

function copyStridedRun(y: usize, x: usize, yStride: usize, xStride: usize, count: i32): void {
  for (; count > 0; count--) {
    store<i32>(y, load<i32>(x));
    y += yStride;
    x += xStride;
  }
}

/** Transposes the plane of axes 4 and 5, in bands of rows of y. */
function transposePlanes(): void {
  const rows = load<i32>(axis(4), 4), yRow = load<usize>(axis(4), 8);
  const columns = load<i32>(axis(5), 4), xRow = load<usize>(axis(5), 12);
  setAxis(4, 1, 0, 0);
  startWalk(rows, planeRows, yRow, 4);
  for (let unit = shareStart; unit < shareEnd; unit++) {
    transposeBand(yAt, xAt, yRow, xRow, min(planeRows, rows - load<i32>(scratchPtr + INNER) * planeRows), columns);
    step();
  }
}

/** y[row, column] = x[column, row] for a band of rows: blocks of 4×4, and single numbers at the edges. */
function transposeBand(y: usize, x: usize, yRow: usize, xRow: usize, rows: i32, columns: i32): void {
  const wholeRows = rows & ~3, wholeColumns = columns & ~3;
  for (let column = 0; column < wholeColumns; column += 4) {
    const from = x + <usize>column * xRow, to = y + (<usize>column << 2);
    for (let row = 0; row < wholeRows; row += 4) transposeBlock(to + <usize>row * yRow, from + (<usize>row << 2), yRow, xRow);
  }
  for (let row = 0; row < rows; row++) {
    const column = row < wholeRows ? wholeColumns : 0;
    copyStridedRun(y + <usize>row * yRow + (<usize>column << 2), x + (<usize>row << 2) + <usize>column * xRow, 4, xRow, columns - column);
  }
}

// @ts-ignore: decorator
@inline
function transposeBlock(y: usize, x: usize, yRow: usize, xRow: usize): void {
  const a = v128.load(x), b = v128.load(x + xRow), c = v128.load(x + 2 * xRow), d = v128.load(x + 3 * xRow);
  const lowAB = v128.shuffle<f32>(a, b, 0, 4, 1, 5), highAB = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const lowCD = v128.shuffle<f32>(c, d, 0, 4, 1, 5), highCD = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(y, v128.shuffle<i64>(lowAB, lowCD, 0, 2));
  v128.store(y + yRow, v128.shuffle<i64>(lowAB, lowCD, 1, 3));
  v128.store(y + 2 * yRow, v128.shuffle<i64>(highAB, highCD, 0, 2));
  v128.store(y + 3 * yRow, v128.shuffle<i64>(highAB, highCD, 1, 3));
}
