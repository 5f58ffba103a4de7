// dScale = Σ dy·x̂ and dShift = Σ dy over the rows of each group; dy·x̂ is 0 where dy is. One workgroup of 256 lanes a block of
// columns of a group: neighbouring lanes have neighbouring columns, and the rows are dealt out among parts of the lanes, more
// of them the more rows there are. The parts' sums, in `shares` of workgroup memory, are added in a fixed order.

const longestGroup: i32 = min(rows, rowsPerGroup);
const parts: i32 = select(select(1, 8, longestGroup >= 16), 32, longestGroup >= 512);
const blockColumns: i32 = lanes / parts;
const blocks: i32 = (columns + blockColumns - 1) / blockColumns;
// So many rows are summed for themselves, so that small numbers are not lost in a long sum.
const run: i32 = 64;

fn group(index: i32, lane: i32) {
  let column = index % blocks * blockColumns + lane % blockColumns;
  let part = lane / blockColumns;
  let first = index / blocks * rowsPerGroup;
  let last = min(first + rowsPerGroup, rows);
  // Of dy·x̂, of dy.
  var sums = vec2f();
  if (column < columns) {
    for (var start = first + part; start < last; start += parts * run) {
      var runSums = vec2f();
      for (var row = start; row < min(start + parts * run, last); row += parts) {
        let slope = read_dy(row * columns + column);
        let normal = (read_x(row * columns + column) - read_mean(row)) * read_rstd(row);
        runSums += vec2f(select(slope * normal, 0.0, slope == 0.0), slope);
      }
      sums += runSums;
    }
  }
  shares[lane] = sums;
  workgroupBarrier();
  if (part == 0 && column < columns) {
    for (var other = 1; other < parts; other++) { sums += shares[other * blockColumns + lane]; }
    write_dScale(index / blocks * columns + column, sums.x);
    write_dShift(index / blocks * columns + column, sums.y);
  }
}
