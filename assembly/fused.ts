// Chains of elementwise instructions in one pass over memory: `FusedCall` of src/backend/kernels.ts.
//
// The command, in words of 4 bytes: reads, constants, writes, temporaries, instructions, d0, d1, d2, d3; for each read its address and
// four strides; the constants; the writes' addresses; five words an instruction.

import { share, shareEnd, shareStart } from "./threads";
import { loadConstants, move, pointAt, repeatNumber, resetTiles, runCode, spreadRows, tileLength, tileOf } from "./tiles";

/** The kernel. Threads share its tiles; what happens to an element does not depend on the tile it is in. */
export function fused(command: usize): void {
  const reads = load<i32>(command),
    constants = load<i32>(command, 4),
    writes = load<i32>(command, 8),
    temporaries = load<i32>(command, 12);
  const instructions = load<i32>(command, 16);
  const d1 = load<i32>(command, 24),
    d2 = load<i32>(command, 28),
    d3 = load<i32>(command, 32),
    outer = load<i32>(command, 20) * d1;
  const readList = command + 36;
  const constantList = readList + <usize>reads * 20;
  const writeList = constantList + ((<usize>constants) << 2);
  const code = writeList + ((<usize>writes) << 2);
  const firstWrite = reads + constants;

  // Short rows share a tile, long ones are cut into several.
  const rowsPerTile = d3 <= tileLength / 2 ? min(d2, tileLength / d3) : 1;
  const tilesPerRow = (d3 + tileLength - 1) / tileLength;
  const tilesDeep = (d2 + rowsPerTile - 1) / rowsPerTile;
  share(outer * tilesDeep * tilesPerRow);
  if (shareStart >= shareEnd) return;

  resetTiles(firstWrite + writes + temporaries);
  loadConstants(constantList, constants, reads);
  for (let unit = shareStart; unit < shareEnd; unit++) {
    const column = (unit % tilesPerRow) * tileLength,
      deep = unit / tilesPerRow;
    const row = (deep % tilesDeep) * rowsPerTile,
      plane = deep / tilesDeep;
    const i0 = plane / d1,
      i1 = plane % d1;
    const rows = min(rowsPerTile, d2 - row),
      columns = rowsPerTile > 1 ? d3 : min(tileLength, d3 - column);
    const count = rows * columns;
    for (let r = 0; r < reads; r++) {
      const read = readList + <usize>r * 20;
      const s2 = load<i32>(read, 12),
        s3 = load<i32>(read, 16);
      const address =
        load<usize>(read) + ((<usize>(i0 * load<i32>(read, 4) + i1 * load<i32>(read, 8) + row * s2 + column * s3)) << 2);
      if (s3 == 1 && (rows == 1 || s2 == d3)) pointAt(r, address);
      else {
        pointAt(r, tileOf(r));
        if (s3 == 0 && (rows == 1 || s2 == 0)) repeatNumber(r, address);
        else spreadRows(r, address, rows, columns, s2, s3);
      }
    }
    const place = <usize>((plane * d2 + row) * d3 + column);
    const whole = (count & 3) == 0;
    // A last partial vector is computed aside, so that nothing beyond the tile is written.
    for (let w = 0; w < writes; w++) {
      const operand = firstWrite + w;
      pointAt(operand, whole ? load<usize>(writeList + ((<usize>w) << 2)) + (place << 2) : tileOf(operand));
    }
    runCode(code, instructions, (<usize>((count + 3) & ~3)) << 2);
    if (!whole)
      for (let w = 0; w < writes; w++)
        move(load<usize>(writeList + ((<usize>w) << 2)) + (place << 2), tileOf(firstWrite + w), count);
  }
}
