// As matmul.wgsl, for products so large that tiles of 128 by 128 are enough for a GPU: a number that is read from workgroup memory
// serves eight products instead of four. One workgroup of 256 lanes steps through k by 8 at a time. Lane (x, y) of 16 by 16 computes
// rows y, y + 16, y + 32, ... y + 112 and columns x, x + 16, ... x + 112; its vectors are those of the even rows and columns among
// these, 32 apart, and those of the odd ones.

fn group(index: i32, lane: i32) {
  let tile = placeOf(index);
  let product = tile.x;
  let row = tile.y;
  let column = tile.z;
  let startA = product * strideA;
  let startB = product * strideB;
  let low = lane % 16;
  let high = lane / 16;
  // Of eight rows, the products with both vectors of columns.
  var left = array<vec4f, 8>();
  var right = array<vec4f, 8>();
  var evenSums = vec4f();
  var oddSums = vec4f();
  for (var first = 0; first < k; first += depth) {
    loadTiles(startA, startB, row, column, first, lane);
    workgroupBarrier();
    for (var step = 0; step < depth; step++) {
      let even = tileA[step * pitch + high];
      let odd = tileA[step * pitch + high + 16];
      let b0 = tileB[step * pitch + low];
      let b1 = tileB[step * pitch + low + 16];
      left[0] += even.x * b0;
      left[1] += odd.x * b0;
      left[2] += even.y * b0;
      left[3] += odd.y * b0;
      left[4] += even.z * b0;
      left[5] += odd.z * b0;
      left[6] += even.w * b0;
      left[7] += odd.w * b0;
      right[0] += even.x * b1;
      right[1] += odd.x * b1;
      right[2] += even.y * b1;
      right[3] += odd.y * b1;
      right[4] += even.z * b1;
      right[5] += odd.z * b1;
      right[6] += even.w * b1;
      right[7] += odd.w * b1;
    }
    if (has_sums && column == 0) {
      for (var step = 0; step < depth; step++) {
        evenSums += tileA[step * pitch + high];
        oddSums += tileA[step * pitch + high + 16];
      }
    }
    workgroupBarrier();
  }
  let startC = product * strideC;
  // Unrolled, so that the sums stay in registers: places of an array that are known only as it runs may not.
  store(startC, row + high, column + low, left[0]);
  store(startC, row + high + 16, column + low, left[1]);
  store(startC, row + high + 32, column + low, left[2]);
  store(startC, row + high + 48, column + low, left[3]);
  store(startC, row + high + 64, column + low, left[4]);
  store(startC, row + high + 80, column + low, left[5]);
  store(startC, row + high + 96, column + low, left[6]);
  store(startC, row + high + 112, column + low, left[7]);
  store(startC, row + high, column + low + 16, right[0]);
  store(startC, row + high + 16, column + low + 16, right[1]);
  store(startC, row + high + 32, column + low + 16, right[2]);
  store(startC, row + high + 48, column + low + 16, right[3]);
  store(startC, row + high + 64, column + low + 16, right[4]);
  store(startC, row + high + 80, column + low + 16, right[5]);
  store(startC, row + high + 96, column + low + 16, right[6]);
  store(startC, row + high + 112, column + low + 16, right[7]);
  if (has_sums && column == 0 && low == 0) {
    for (var i = 0; i < 4; i++) {
      let at = row + high + apart * i;
      if (at < m) { write_sums(product * m + at, evenSums[i]); }
      if (at + 16 < m) { write_sums(product * m + at + 16, oddSums[i]); }
    }
  }
}
