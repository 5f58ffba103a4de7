// Tiles: where the operands of a fused kernel are while it runs. Each operand is a pointer: straight into memory where its numbers lie
// as the tile needs them, else to a tile of its own in this thread's scratch.
import { instruct } from "./elementwise";
import { scratchPtr } from "./threads";
/** Numbers in a tile: a handful of tiles stays in the first cache. */
export const tileLength: i32 = 256;
const tileBytes: usize = <usize>tileLength << 2;
/** `maxOperands` of src/backend/kernels.ts. */
const mostOperands: usize = 64;

// Scratch: a pointer an operand, the address that each operand's tile was filled from, the tiles.
const filledFrom: usize = mostOperands << 2;
const tiles: usize = 512;
/** Bytes of scratch that tiles take; kernels keep what else they need behind. */
export const tilesEnd: usize = tiles + mostOperands * tileBytes;

// @ts-ignore: decorator
@inline export function tileOf(operand: i32): usize {
  return scratchPtr + tiles + <usize>operand * tileBytes;
}

// @ts-ignore: decorator
@inline export function pointAt(operand: i32, address: usize): void {
  store<usize>(scratchPtr + (<usize>operand << 2), address);
}

// @ts-ignore: decorator
@inline export function pointerOf(operand: i32): usize {
  return load<usize>(scratchPtr + (<usize>operand << 2));
}

/** Points every operand at its own tile, and forgets what was in it. */
export function resetTiles(operands: i32): void {
  for (let operand = 0; operand < operands; operand++) {
    pointAt(operand, tileOf(operand));
    store<usize>(scratchPtr + filledFrom + (<usize>operand << 2), 0);
  }
}

/** Fills whole tiles with the constants: operands `first`, `first` + 1, … */
export function loadConstants(values: usize, count: i32, first: i32): void {
  for (let i = 0; i < count; i++) splat(tileOf(first + i), load<f32>(values + (<usize>i << 2)), tileLength);
}

/** `count` times the number, rounded up to whole vectors. */
function splat(y: usize, value: f32, count: i32): void {
  const v = f32x4.splat(value);
  for (let i: usize = 0, end = <usize>count << 2; i < end; i += 16) v128.store(y + i, v);
}

/** An operand that repeats one number over the tile; filled only when the number's address changes. */
export function repeatNumber(operand: i32, address: usize): void {
  const from = scratchPtr + filledFrom + (<usize>operand << 2);
  if (load<usize>(from) == address) return;
  store<usize>(from, address);
  splat(tileOf(operand), load<f32>(address), tileLength);
}

/** Copies numbers by a loop: rows are too short for a call into the engine's memory copy. */
export function move(y: usize, a: usize, count: i32): void {
  const end = a + (<usize>count << 2);
  for (; a + 16 <= end; a += 16, y += 16) v128.store(y, v128.load(a));
  for (; a < end; a += 4, y += 4) store<f32>(y, load<f32>(a));
}

/** An operand of several rows: row r, column j at address + 4 (r rowStride + j columnStride). A repeated row is copied once. */
export function spreadRows(operand: i32, address: usize, rows: i32, columns: i32, rowStride: i32, columnStride: i32): void {
  const from = scratchPtr + filledFrom + (<usize>operand << 2);
  let y = tileOf(operand);
  if (rowStride == 0) {
    if (load<usize>(from) == address) return;
    store<usize>(from, address);
    rows = tileLength / columns;
  }
  const row = <usize>columns << 2;
  for (let r = 0; r < rows; r++, y += row) {
    if (columnStride == 1) move(y, address, columns);
    else spreadNumber(y, load<f32>(address), columns);
    address += <usize>rowStride << 2;
  }
}

function spreadNumber(y: usize, value: f32, count: i32): void {
  const v = f32x4.splat(value), end = y + (<usize>count << 2);
  for (; y + 16 <= end; y += 16) v128.store(y, v);
  for (; y < end; y += 4) store<f32>(y, value);
}

/** Runs the instructions over the operands' tiles; `bytes` is a multiple of 16. */
export function runCode(code: usize, instructions: i32, bytes: usize): void {
  for (let i = 0; i < instructions; i++, code += 20) {
    instruct(
      load<i32>(code), pointerOf(load<i32>(code, 4)), pointerOf(load<i32>(code, 8)), pointerOf(load<i32>(code, 12)), pointerOf(load<i32>(code, 16)), bytes,
    );
  }
}
