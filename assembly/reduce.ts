// Reductions, with elementwise instructions in front of them: see src/backend/kernels/reduce.ts.
import { rowsPerTile } from "./fused";
import { copyFloats, fillFloats, loadPart } from "./simd";
import { scratchPtr, share, shareEnd, shareStart } from "./threads";
import { begin, Head, placeReads, runCode, SUMS, tileFloats, tileOf } from "./tiles";

/** Bits of the command's mode. */
const MAX: i32 = 1;
/** The reduced axis is the last one: rows become single numbers. */
const ALONG_ROWS: i32 = 2;

/** More rows than this are summed in blocks of so many. */
const mostRowsAtOnce: i32 = 256;
const blockRows: i32 = 128;

/** The kernel. Sums have an order of their own, set by the shape: the threads only share out who computes which. */
export function reduce(args: usize): void {
  const mode = load<i32>(args, Head.Mode);
  if ((mode & ALONG_ROWS) == 0) reduceRows(args, (mode & MAX) != 0);
  else if (load<i32>(args, Head.D0) * load<i32>(args, Head.D1) == 1 && load<i32>(args, Head.D3) <= tileFloats) reduceShort(args, (mode & MAX) != 0);
  else reduceLong(args, (mode & MAX) != 0);
}

// @ts-ignore: decorator
@inline
function combine(isMax: bool, a: v128, b: v128): v128 {
  return isMax ? f32x4.max(a, b) : f32x4.add(a, b);
}

// @ts-ignore: decorator
@inline
function neutral(isMax: bool): f32 {
  return isMax ? -Infinity : 0;
}

/** Address of an output. */
// @ts-ignore: decorator
@inline
function outputOf(args: usize, index: i32): usize {
  return load<usize>(args, Head.Output) + (<usize>index << 2);
}

/** Rows of [d0, d1, d2, d3] summed over d2, whose parts of d2 rows make up `length` rows together: a unit is a column of tiles. */
function reduceRows(args: usize, isMax: bool): void {
  const chunks = load<i32>(args, Head.D1), chunk = load<i32>(args, Head.D2), inner = load<i32>(args, Head.D3);
  const length = load<i32>(args, Head.Length), result = load<usize>(args, Head.Result);
  const columnsInTile = min(inner, tileFloats), rowsInTile = min(rowsPerTile(inner), chunk);
  const tilesAcross = (inner + columnsInTile - 1) / columnsInTile;
  share(load<i32>(args, Head.D0) * chunks * tilesAcross);
  if (shareStart == shareEnd) return;
  begin(args, rowsInTile * columnsInTile);
  // Many rows are summed in blocks, and the blocks' sums then.
  const sums = scratchPtr + SUMS, inBlocks = chunk > mostRowsAtOnce, block = inBlocks ? sums + (tileFloats << 2) : sums;
  for (let unit = shareStart; unit < shareEnd; unit++) {
    const part = unit / tilesAcross, column = (unit - part * tilesAcross) * columnsInTile;
    const i0 = part / chunks, i1 = part - i0 * chunks;
    const columns = min(columnsInTile, inner - column), end = min(chunk, length - i1 * chunk);
    const padded = (columns + 3) & ~3;
    fillFloats(sums, neutral(isMax), padded);
    let blockEnd = 0;
    for (let row = 0; row < end; row += rowsInTile) {
      const rows = min(rowsInTile, end - row);
      placeReads(i0, i1, row, column, rows, columns, padded != columns);
      runCode(rows * columns);
      if (inBlocks && row >= blockEnd) {
        if (row > 0) addRows(isMax, sums, block, 1, columns);
        fillFloats(block, neutral(isMax), padded);
        blockEnd = row + blockRows;
      }
      if (isMax) addRows(true, block, tileOf(result), rows, columns);
      else addRows(false, block, tileOf(result), rows, columns);
    }
    if (inBlocks) addRows(isMax, sums, block, 1, columns);
    copyFloats(outputOf(args, part * inner + column), sums, columns);
  }
}

/** sums += the rows of a tile, four at a time. */
// @ts-ignore: decorator
@inline
function addRows(isMax: bool, sums: usize, tile: usize, rows: i32, columns: i32): void {
  const row = <usize>columns << 2, bytes = <usize>((columns + 3) & ~3) << 2;
  for (; rows >= 4; rows -= 4) {
    let a = tile, b = tile + row, c = b + row, d = c + row;
    for (let at = sums, end = sums + bytes; at < end; at += 16) {
      const pairs = combine(isMax, combine(isMax, v128.load(a), v128.load(b)), combine(isMax, v128.load(c), v128.load(d)));
      v128.store(at, combine(isMax, v128.load(at), pairs));
      a += 16; b += 16; c += 16; d += 16;
    }
    tile += 4 * row;
  }
  for (; rows > 0; rows--) {
    for (let at: usize = 0; at < bytes; at += 16) v128.store(sums + at, combine(isMax, v128.load(sums + at), v128.load(tile + at)));
    tile += row;
  }
}

/** Rows of at most a tile, [d2, d3] -> [d2]: a unit is a tile of rows. */
function reduceShort(args: usize, isMax: bool): void {
  const outer = load<i32>(args, Head.D2), columns = load<i32>(args, Head.D3), result = load<usize>(args, Head.Result);
  const rowsInTile = min(rowsPerTile(columns), outer);
  share((outer + rowsInTile - 1) / rowsInTile);
  if (shareStart == shareEnd) return;
  begin(args, rowsInTile * columns);
  for (let unit = shareStart; unit < shareEnd; unit++) {
    const first = unit * rowsInTile, rows = min(rowsInTile, outer - first), elements = rows * columns;
    placeReads(0, 0, first, 0, rows, columns, (elements & 3) != 0);
    runCode(elements);
    const tile = tileOf(result), y = outputOf(args, first), row = <usize>columns << 2;
    for (let index: usize = 0; index < <usize>rows; index++) {
      startSums(isMax);
      if (isMax) addRun(true, tile + index * row, columns);
      else addRun(false, tile + index * row, columns);
      store<f32>(y + (index << 2), total(isMax));
    }
  }
}

/** Parts of long rows, [d0, d1, d2, d3] -> [d0, d1, d2], whose d1 parts of d3 numbers make up `length`: a unit is a part. */
function reduceLong(args: usize, isMax: bool): void {
  const chunks = load<i32>(args, Head.D1), rows = load<i32>(args, Head.D2), chunk = load<i32>(args, Head.D3);
  const length = load<i32>(args, Head.Length), result = load<usize>(args, Head.Result);
  share(load<i32>(args, Head.D0) * chunks * rows);
  if (shareStart == shareEnd) return;
  begin(args, tileFloats);
  for (let unit = shareStart; unit < shareEnd; unit++) {
    const part = unit / rows, row = unit - part * rows, i0 = part / chunks, i1 = part - i0 * chunks;
    const end = min(chunk, length - i1 * chunk);
    startSums(isMax);
    for (let column = 0; column < end; column += tileFloats) {
      const columns = min(tileFloats, end - column);
      placeReads(i0, i1, row, column, 1, columns, (columns & 3) != 0);
      runCode(columns);
      if (isMax) addRun(true, tileOf(result), columns);
      else addRun(false, tileOf(result), columns);
    }
    store<f32>(outputOf(args, unit), total(isMax));
  }
}

/** Sets the four running sums of a row, each of one vector. */
// @ts-ignore: decorator
@inline
function startSums(isMax: bool): void {
  const start = f32x4.splat(neutral(isMax)), sums = scratchPtr + SUMS;
  v128.store(sums, start);
  v128.store(sums, start, 16);
  v128.store(sums, start, 32);
  v128.store(sums, start, 48);
}

/** Adds a run of numbers, summed on its own, to the running sums. */
// @ts-ignore: decorator
@inline
function addRun(isMax: bool, at: usize, count: i32): void {
  const sums = scratchPtr + SUMS, end = at + (<usize>count << 2), start = f32x4.splat(neutral(isMax));
  let a = start, b = start, c = start, d = start;
  for (; at + 64 <= end; at += 64) {
    a = combine(isMax, a, v128.load(at));
    b = combine(isMax, b, v128.load(at, 16));
    c = combine(isMax, c, v128.load(at, 32));
    d = combine(isMax, d, v128.load(at, 48));
  }
  for (; at + 16 <= end; at += 16) a = combine(isMax, a, v128.load(at));
  if (at < end) b = combine(isMax, b, loadPart(at, <i32>((end - at) >> 2), f32x4.splat(neutral(isMax))));
  v128.store(sums, combine(isMax, v128.load(sums), a));
  v128.store(sums, combine(isMax, v128.load(sums, 16), b), 16);
  v128.store(sums, combine(isMax, v128.load(sums, 32), c), 32);
  v128.store(sums, combine(isMax, v128.load(sums, 48), d), 48);
}

/** The sum of the running sums. */
// @ts-ignore: decorator
@inline
function total(isMax: bool): f32 {
  const sums = scratchPtr + SUMS;
  const left = combine(isMax, v128.load(sums), v128.load(sums, 16)), right = combine(isMax, v128.load(sums, 32), v128.load(sums, 48));
  const lanes = combine(isMax, left, right);
  const pairs = combine(isMax, lanes, v128.shuffle<f32>(lanes, lanes, 2, 3, 0, 1));
  return f32x4.extract_lane(combine(isMax, pairs, v128.shuffle<f32>(pairs, pairs, 1, 0, 3, 2)), 0);
}
