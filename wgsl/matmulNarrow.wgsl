// As matmul.wgsl, for products that are narrow or too small for enough tiles of 64 by 64: one workgroup of 256 lanes computes a
// tile of 32 by 32 elements, stepping through k by 32 at a time. Four parts of 64 lanes share the steps out, 8 to each, and
// their sums are added in a fixed order at the end. Lane (x, y) of the 8 by 8 of a part computes rows y, y + 8, y + 16, y + 24
// and columns x, x + 8, x + 16, x + 24.

const parts: i32 = 4;
const partDepth: i32 = depth / parts;

fn group(index: i32, lane: i32) {
  let tile = placeOf(index);
  let product = tile.x;
  let row = tile.y;
  let column = tile.z;
  let startA = product * strideA;
  let startB = product * strideB;
  let part = lane / 64;
  let y = lane / 8 % 8;
  let x = lane % 8;
  var row0 = vec4f();
  var row1 = vec4f();
  var row2 = vec4f();
  var row3 = vec4f();
  var rowSums = vec4f();
  for (var first = 0; first < k; first += depth) {
    loadTiles(startA, startB, row, column, first, lane);
    workgroupBarrier();
    for (var step = part * partDepth; step < (part + 1) * partDepth; step++) {
      let a = tileA[step * pitch + y];
      let b = tileB[step * pitch + x];
      row0 += a.x * b;
      row1 += a.y * b;
      row2 += a.z * b;
      row3 += a.w * b;
      if (has_sums) { rowSums += a; }
    }
    workgroupBarrier();
  }
  // The tiles are done with: their memory carries what the other parts summed to the first.
  let place = lane % 64;
  for (var other = 1; other < parts; other++) {
    if (part == other) {
      tileA[place] = row0;
      tileA[64 + place] = row1;
      tileA[128 + place] = row2;
      tileA[192 + place] = row3;
      tileB[place] = rowSums;
    }
    workgroupBarrier();
    if (part == 0) {
      row0 += tileA[place];
      row1 += tileA[64 + place];
      row2 += tileA[128 + place];
      row3 += tileA[192 + place];
      rowSums += tileB[place];
    }
    workgroupBarrier();
  }
  if (part == 0) {
    let startC = product * strideC;
    store(startC, row + y, column + x, row0);
    store(startC, row + y + 8, column + x, row1);
    store(startC, row + y + 16, column + x, row2);
    store(startC, row + y + 24, column + x, row3);
    if (has_sums && column == 0 && x == 0) {
      for (var i = 0; i < 4; i++) {
        let at = row + y + 8 * i;
        if (at < m) { write_sums(product * m + at, rowSums[i]); }
      }
    }
  }
}
