// C = alpha·op(A)·op(B) + bias (+ C). One workgroup of 256 lanes computes a tile of 64 by 64 elements of one product, stepping
// through k by 16 at a time. Lane (x, y) of 16 by 16 computes rows y, y + 16, y + 32, y + 48 and columns x, x + 16, x + 32,
// x + 48 of it. A vector of a tile holds four such rows or columns: so lanes read vectors from workgroup memory, and yet
// neighbouring lanes read and write neighbouring elements of A, B and C.

fn group(index: i32, lane: i32) {
  let tile = placeOf(index);
  let product = tile.x;
  let row = tile.y;
  let column = tile.z;
  let startA = product * strideA;
  let startB = product * strideB;
  let low = lane % 16;
  let high = lane / 16;
  var row0 = vec4f();
  var row1 = vec4f();
  var row2 = vec4f();
  var row3 = vec4f();
  var rowSums = vec4f();
  for (var first = 0; first < k; first += depth) {
    loadTiles(startA, startB, row, column, first, lane);
    workgroupBarrier();
    for (var step = 0; step < depth; step++) {
      let a = tileA[step * pitch + high];
      let b = tileB[step * pitch + low];
      row0 += a.x * b;
      row1 += a.y * b;
      row2 += a.z * b;
      row3 += a.w * b;
    }
    if (has_sums && column == 0) {
      for (var step = 0; step < depth; step++) { rowSums += tileA[step * pitch + high]; }
    }
    workgroupBarrier();
  }
  let startC = product * strideC;
  store(startC, row + high, column + low, row0);
  store(startC, row + high + 16, column + low, row1);
  store(startC, row + high + 32, column + low, row2);
  store(startC, row + high + 48, column + low, row3);
  if (has_sums && column == 0 && low == 0) {
    for (var i = 0; i < 4; i++) {
      let at = row + high + 16 * i;
      if (at < m) { write_sums(product * m + at, rowSums[i]); }
    }
  }
}
