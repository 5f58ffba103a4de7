// The machine that runs fused kernels: operands are tiles, short runs of floats that stay in the first cache, and every
// instruction runs over a whole tile. What is contiguous in memory is used where it lies; what is broadcast is laid out in scratch.
import { runInstruction } from "./instructions.generated";
import { copyFloats, fillFloats } from "./simd";
import { scratchPtr } from "./threads";

/** Floats in a tile. */
export const tileFloats: i32 = 512;

// The command, as src/backend/wasm/encode.ts writes it: a head of numbers, then reads (address and four strides), constants,
// writes (addresses), and instructions (opcode and four operands).
export const enum Head {
  Reads = 0, Constants = 4, Writes = 8, Temporaries = 12, Instructions = 16,
  D0 = 20, D1 = 24, D2 = 28, D3 = 32,
  // of reductions only
  Length = 36, Result = 40, Mode = 44, Output = 48,
}
const HEAD_BYTES: usize = 52;
const READ_BYTES: usize = 20;
const INSTRUCTION_BYTES: usize = 20;

// Scratch: where every operand's current tile is; what the tiles of reads hold; a tile of every operand, and one for sums.
const MOST_OPERANDS: usize = 64;
const HELD: usize = MOST_OPERANDS << 2;
const HELD_BYTES: usize = 8;
const TILES: usize = 1024;
/** A tile and a vector, for the ends of rows to spill into. */
const TILE_BYTES: usize = (tileFloats << 2) + 64;
/** Tiles of a reduction, behind those of the operands. */
export const SUMS: usize = TILES + MOST_OPERANDS * TILE_BYTES;

let readsAt: usize = 0;
let readsEnd: usize = 0;
let writesAt: usize = 0;
let codeAt: usize = 0;
let codeEnd: usize = 0;
let firstWrite: usize = 0;

// @ts-ignore: decorator
@inline
function ownTile(operand: usize): usize {
  return scratchPtr + TILES + operand * TILE_BYTES;
}

/** Address of an operand's current tile. */
// @ts-ignore: decorator
@inline
export function tileOf(operand: usize): usize {
  return load<usize>(scratchPtr + (operand << 2));
}

// @ts-ignore: decorator
@inline
function place(operand: usize, address: usize): void {
  store<usize>(scratchPtr + (operand << 2), address);
}

/** Takes up a command whose tiles have at most `elements` floats: constants are laid out, temporaries get their tiles. */
export function begin(args: usize, elements: i32): void {
  const reads = load<usize>(args, Head.Reads), constants = load<usize>(args, Head.Constants);
  const writes = load<usize>(args, Head.Writes), temporaries = load<usize>(args, Head.Temporaries);
  readsAt = args + HEAD_BYTES;
  readsEnd = readsAt + reads * READ_BYTES;
  writesAt = readsEnd + (constants << 2);
  codeAt = writesAt + (writes << 2);
  codeEnd = codeAt + load<usize>(args, Head.Instructions) * INSTRUCTION_BYTES;
  firstWrite = reads + constants;
  for (let read: usize = 0; read < reads; read++) store<i32>(scratchPtr + HELD + read * HELD_BYTES, 0, 4);
  for (let i: usize = 0; i < constants; i++) {
    place(reads + i, ownTile(reads + i));
    fillFloats(ownTile(reads + i), load<f32>(readsEnd + (i << 2)), (elements + 3) & ~3);
  }
  const end = firstWrite + writes + temporaries;
  for (let operand = firstWrite + writes; operand < end; operand++) place(operand, ownTile(operand));
}

/** Finds the reads of the tile of `rows` × `columns` elements that starts at these indices of the domain. A ragged tile's last
 *  vectors reach beyond it, so it works on copies. */
export function placeReads(i0: i32, i1: i32, row: i32, column: i32, rows: i32, columns: i32, ragged: bool): void {
  let operand: usize = 0;
  for (let read = readsAt; read < readsEnd; read += READ_BYTES) {
    const rowStride = load<i32>(read, 12), columnStride = load<i32>(read, 16);
    const start = i0 * load<i32>(read, 4) + i1 * load<i32>(read, 8) + row * rowStride + column * columnStride;
    const address = load<usize>(read) + (<usize>start << 2);
    if (columnStride == 1 && !ragged && (rows == 1 || rowStride == columns)) place(operand, address);
    else layOut(operand, address, rowStride, columnStride, rows, columns);
    operand++;
  }
}

/** Copies or repeats a read into its own tile, unless that holds it from the tile before. */
function layOut(operand: usize, address: usize, rowStride: i32, columnStride: i32, rows: i32, columns: i32): void {
  const tile = ownTile(operand), held = scratchPtr + HELD + operand * HELD_BYTES;
  const elements = rows * columns, lasting = rowStride == 0 || rows == 1;
  place(operand, tile);
  if (lasting && load<usize>(held) == address && load<i32>(held, 4) >= elements) return;
  store<usize>(held, address);
  store<i32>(held, lasting ? elements : 0, 4);
  if (columnStride == 0 && rowStride == 0) {
    fillFloats(tile, load<f32>(address), (elements + 3) & ~3);
    return;
  }
  const rowBytes = <usize>columns << 2, step = <usize>rowStride << 2;
  for (let at = tile, end = tile + (<usize>elements << 2); at < end; at += rowBytes) {
    if (columnStride == 1) copyFloats(at, address, columns);
    else fillFloats(at, load<f32>(address), (columns + 3) & ~3);
    address += step;
  }
}

/** Lets the writes go to element `start` of their buffers, or into scratch where the last vector would reach beyond the tile. */
export function placeWrites(start: i32, ragged: bool): void {
  let operand = firstWrite;
  for (let write = writesAt; write < codeAt; write += 4) {
    place(operand, ragged ? ownTile(operand) : load<usize>(write) + (<usize>start << 2));
    operand++;
  }
}

/** Takes the writes of a ragged tile to where they belong. */
export function copyWrites(start: i32, elements: i32): void {
  let operand = firstWrite;
  for (let write = writesAt; write < codeAt; write += 4) {
    copyFloats(load<usize>(write) + (<usize>start << 2), ownTile(operand), elements);
    operand++;
  }
}

/** Runs all instructions over the current tiles. */
export function runCode(elements: i32): void {
  const bytes = <usize>((elements + 3) & ~3) << 2;
  for (let at = codeAt; at < codeEnd; at += INSTRUCTION_BYTES) {
    runInstruction(
      load<i32>(at), tileOf(load<usize>(at, 4)), tileOf(load<usize>(at, 8)), tileOf(load<usize>(at, 12)), tileOf(load<usize>(at, 16)),
      bytes,
    );
  }
}
