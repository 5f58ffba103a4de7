// Elementwise kernels: see src/backend/kernels/fused.ts.
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
    runTile((plane * d2 + row) * d3 + column, i0, plane - i0 * d1, row, column, rows, columns);
  }
}

/** The kernel for elements from..to-1 of the domain alone. */
export function fusedRange(args: usize, from: i32, to: i32): void {
  const d1 = load<i32>(args, Head.D1), d2 = load<i32>(args, Head.D2), d3 = load<i32>(args, Head.D3);
  const rowsInTile = min(rowsPerTile(d3), d2), columnsInTile = min(d3, tileFloats);
  begin(args, rowsInTile * columnsInTile);
  while (from < to) {
    const line = from / d3, column = from - line * d3, plane = line / d2, row = line - plane * d2, i0 = plane / d1;
    const whole = column == 0 && d3 <= tileFloats && to - from >= d3;
    const rows = whole ? min(min(rowsInTile, d2 - row), (to - from) / d3) : 1;
    const columns = min(min(columnsInTile, d3 - column), to - from);
    runTile(from, i0, plane - i0 * d1, row, column, rows, columns);
    from += rows * columns;
  }
}

/** A tile that begins at element `start` of the domain. */
function runTile(start: i32, i0: i32, i1: i32, row: i32, column: i32, rows: i32, columns: i32): void {
  const elements = rows * columns, ragged = (elements & 3) != 0;
  placeReads(i0, i1, row, column, rows, columns, ragged);
  placeWrites(start, ragged);
  runCode(elements);
  if (ragged) copyWrites(start, elements);
}

/** How many rows fill a tile: a multiple of four where possible, so that only the last tile can be ragged. */
// @ts-ignore: decorator
@inline
export function rowsPerTile(columns: i32): i32 {
  const rows = max(1, tileFloats / columns);
  return rows >= 4 ? rows & ~3 : rows;
}
