// Elementwise kernels: see `FusedCall` in src/backend/kernels.ts.
import { share, shareEnd, shareStart } from "./threads";
import { begin, copyWrites, Head, placeReads, placeWrites, runCode, tileFloats } from "./tiles";

/**
 * The kernel. A tile is a piece of a row, or where rows are short several rows. The work is split by tiles; what happens to an
 * element does not depend on the tile it is in.
 */
export function fused(args: usize): void {
  const d1 = load<i32>(args, Head.D1), d2 = load<i32>(args, Head.D2), d3 = load<i32>(args, Head.D3);
  const rowsInTile = min(rowsPerTile(d3), d2), columnsInTile = min(d3, tileFloats);
  const tilesDown = (d2 + rowsInTile - 1) / rowsInTile, tilesAcross = (d3 + columnsInTile - 1) / columnsInTile;
  share(load<i32>(args, Head.D0) * d1 * tilesDown * tilesAcross);
  if (shareStart == shareEnd) return;
  begin(args, rowsInTile * columnsInTile);
  for (let unit = shareStart; unit < shareEnd; unit++) {
    const down = unit / tilesAcross, plane = down / tilesDown, i0 = plane / d1;
    const column = (unit - down * tilesAcross) * columnsInTile, row = (down - plane * tilesDown) * rowsInTile;
    const columns = min(columnsInTile, d3 - column), rows = min(rowsInTile, d2 - row);
    const start = (plane * d2 + row) * d3 + column, elements = rows * columns;
    const ragged = (elements & 3) != 0;
    placeReads(i0, plane - i0 * d1, row, column, rows, columns, ragged);
    placeWrites(start, ragged);
    runCode(elements);
    if (ragged) copyWrites(start, elements);
  }
}

/** How many rows fill a tile: a multiple of four where possible, so that only the last tile can be ragged. */
// @ts-ignore: decorator
@inline
export function rowsPerTile(columns: i32): i32 {
  const rows = max(1, tileFloats / columns);
  return rows >= 4 ? rows & ~3 : rows;
}
