// Packing a matrix once for many products.
import { share, shareEnd, shareStart } from "./threads";

/** Columns of a stored panel: of those that micro-kernels read, one or two. */
const storedColumns: i32 = 16;
/** Bytes from row to row of a stored panel. */
export const storedRow: usize = storedColumns << 2;

/** Where a column, of a whole panel of the micro-kernels, begins in panels of k rows. */
// @ts-ignore: decorator
@inline
export function storedColumn(column: i32, k: i32): usize {
  return (<usize>(column / storedColumns) * k) * storedRow + (<usize>(column % storedColumns) << 2);
}

/** The kernel. The work is split by panels. */
export function packPanels(y: usize, b: usize, n: i32, k: i32, transposed: i32): void {
  const rowStep = <usize>(transposed ? 1 : n) << 2, columnStep = <usize>(transposed ? k : 1) << 2;
  share((n + storedColumns - 1) / storedColumns);
  for (let panel = shareStart; panel < shareEnd; panel++) {
    const first = panel * storedColumns, columns = min(storedColumns, n - first);
    let target = y + <usize>panel * k * storedRow, row = b + <usize>first * columnStep;
    for (let left = k; left > 0; left--) {
      let from = row;
      for (let column = 0; column < columns; column++) {
        store<f32>(target + (<usize>column << 2), load<f32>(from));
        from += columnStep;
      }
      for (let column = columns; column < storedColumns; column++) store<f32>(target + (<usize>column << 2), 0);
      target += storedRow;
      row += rowStep;
    }
  }
}
