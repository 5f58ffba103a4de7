// Sums and maxima over the middle axis of [outer, rows, inner], of numbers that elementwise instructions compute on the way:
// `ReduceCall` of src/backend/kernels.ts.
//
// The command, in words: mode (0 sum, 1 max), outer, rows, inner, chunk, reads, constants, temporaries, instructions, result, write;
// for each read its address and three strides; the constants; five words an instruction.
import { hmax, hsum, loadTail, storeTail } from "./simd";
import { scratchPtr, share, shareEnd, shareStart } from "./threads";
import { loadConstants, pointAt, pointerOf, repeatNumber, resetTiles, runCode, tileLength, tileOf, tilesEnd } from "./tiles";

/** The kernel. Threads share chunks and tiles of columns; the order within a chunk is fixed. */
export function reduce(command: usize): void {
  const mode = load<i32>(command), outer = load<i32>(command, 4), rows = load<i32>(command, 8), inner = load<i32>(command, 12);
  const chunk = load<i32>(command, 16), reads = load<i32>(command, 20), constants = load<i32>(command, 24), temporaries = load<i32>(command, 28);
  const constantList = command + ((11 + <usize>reads * 4) << 2);
  const chunks = (rows + chunk - 1) / chunk;
  const columnTiles = inner == 1 ? 1 : (inner + tileLength - 1) / tileLength;
  const write = load<usize>(command, 40);
  share(outer * chunks * columnTiles);
  if (shareStart >= shareEnd) return;
  resetTiles(reads + constants + temporaries);
  loadConstants(constantList, constants, reads);
  for (let unit = shareStart; unit < shareEnd; unit++) {
    const column = (unit % columnTiles) * tileLength, part = unit / columnTiles;
    const o = part / chunks, first = (part % chunks) * chunk, last = min(rows, first + chunk);
    const target = write + (<usize>(part * inner + column) << 2);
    if (inner == 1) store<f32>(target, reduceLine(command, mode, o, first, last));
    else reduceColumns(command, mode, o, first, last, column, min(tileLength, inner - column), target);
  }
}

// @ts-ignore: decorator
@inline function combine(mode: i32, a: v128, b: v128): v128 {
  return mode == 0 ? f32x4.add(a, b) : f32x4.max(a, b);
}

/** Points the reads at a place; `along` is where a read's innermost stride is in its words. */
function aim(command: usize, o: i32, row: i32, column: i32, along: usize): void {
  const reads = load<i32>(command, 20);
  for (let r = 0; r < reads; r++) {
    const read = command + ((11 + <usize>r * 4) << 2);
    const address = load<usize>(read) + (<usize>(o * load<i32>(read, 4) + row * load<i32>(read, 8) + column * load<i32>(read, 12)) << 2);
    if (load<i32>(read + along) == 1) {
      pointAt(r, address);
    } else {
      pointAt(r, tileOf(r));
      repeatNumber(r, address);
    }
  }
}

/** Runs the instructions and returns where the numbers to reduce are. */
function run(command: usize, count: i32): usize {
  const reads = load<i32>(command, 20), constants = load<i32>(command, 24);
  runCode(command + ((11 + <usize>reads * 4 + constants) << 2), load<i32>(command, 32), <usize>((count + 3) & ~3) << 2);
  return pointerOf(load<i32>(command, 36));
}

/** Inner size 1: numbers first..last-1 of one line; sixteen running sums, added up in a fixed order. */
function reduceLine(command: usize, mode: i32, o: i32, first: i32, last: i32): f32 {
  const start: f32 = mode == 0 ? 0 : -Infinity;
  let s0 = f32x4.splat(start), s1 = s0, s2 = s0, s3 = s0;
  for (let row = first; row < last; row += tileLength) {
    const count = min(tileLength, last - row);
    aim(command, o, row, 0, 8);
    let p = run(command, count), n = count;
    for (; n >= 16; n -= 16, p += 64) {
      s0 = combine(mode, s0, v128.load(p));
      s1 = combine(mode, s1, v128.load(p, 16));
      s2 = combine(mode, s2, v128.load(p, 32));
      s3 = combine(mode, s3, v128.load(p, 48));
    }
    for (; n >= 4; n -= 4, p += 16) s0 = combine(mode, s0, v128.load(p));
    if (n > 0) s1 = combine(mode, s1, loadTail(p, n, start));
  }
  const all = combine(mode, combine(mode, s0, s1), combine(mode, s2, s3));
  return mode == 0 ? hsum(all) : hmax(all);
}

/** A tile of columns: rows first..last-1 one after the other. */
function reduceColumns(command: usize, mode: i32, o: i32, first: i32, last: i32, column: i32, count: i32, target: usize): void {
  const sums = scratchPtr + tilesEnd, bytes = <usize>((count + 3) & ~3) << 2;
  const start = f32x4.splat(mode == 0 ? 0 : -Infinity);
  for (let i: usize = 0; i < bytes; i += 16) v128.store(sums + i, start);
  for (let row = first; row < last; row++) {
    aim(command, o, row, column, 12);
    const p = run(command, count);
    if (mode == 0) for (let i: usize = 0; i < bytes; i += 16) v128.store(sums + i, f32x4.add(v128.load(sums + i), v128.load(p + i)));
    else for (let i: usize = 0; i < bytes; i += 16) v128.store(sums + i, f32x4.max(v128.load(sums + i), v128.load(p + i)));
  }
  let i: usize = 0;
  for (; i + 16 <= <usize>count << 2; i += 16) v128.store(target + i, v128.load(sums + i));
  if (count & 3) storeTail(target + i, count & 3, v128.load(sums + i));
}
