// What products share, whatever the `side` of a tile of C and the `depth` of a step are: how operands come in and how results go
// out. A vector of a tile holds four rows or columns that lie `apart` from each other; steps lie `pitch` vectors apart. tileA and
// tileB are in workgroup memory.

const apart: i32 = side / 4;
const rowTiles: i32 = (m + side - 1) / side;
const columnTiles: i32 = (n + side - 1) / side;

// The product of a workgroup, and the first row and column of its tile of C.
fn placeOf(index: i32) -> vec3<i32> {
  return vec3<i32>(index / (rowTiles * columnTiles), index / columnTiles % rowTiles * side, index % columnTiles * side);
}

// Loads the tiles of a step, a vector of each a lane: neighbours follow the axis that lies close in memory.
fn loadTiles(startA: i32, startB: i32, row: i32, column: i32, first: i32, lane: i32) {
  let quadA = select(lane / depth, lane % apart, transposeA != 0);
  let stepA = select(lane % depth, lane / apart, transposeA != 0);
  let quadB = select(lane % apart, lane / depth, transposeB == 1);
  let stepB = select(lane / apart, lane % depth, transposeB == 1);
  let i = row + quadA;
  let p = first + stepA;
  tileA[stepA * pitch + quadA] = vec4f(elementA(startA, i, p), elementA(startA, i + apart, p),
    elementA(startA, i + 2 * apart, p), elementA(startA, i + 3 * apart, p));
  let j = column + quadB;
  let q = first + stepB;
  tileB[stepB * pitch + quadB] = vec4f(elementB(startB, q, j), elementB(startB, q, j + apart),
    elementB(startB, q, j + 2 * apart), elementB(startB, q, j + 3 * apart));
}

// op(A)[row, step], 0 beyond its edges.
fn elementA(start: i32, row: i32, step: i32) -> f32 {
  if (row >= m || step >= k) { return 0.0; }
  if (transposeA != 0) { return read_a(start + step * m + row); }
  return read_a(start + row * k + step);
}

// op(B)[step, column], 0 beyond its edges.
fn elementB(start: i32, step: i32, column: i32) -> f32 {
  if (column >= n || step >= k) { return 0.0; }
  if (transposeB == 2) { return read_b(start + (column >> 4) * 16 * k + step * 16 + (column & 15)); }
  if (transposeB == 1) { return read_b(start + column * k + step); }
  return read_b(start + step * n + column);
}

// Writes four elements of a row of C, from their products.
fn store(start: i32, row: i32, firstColumn: i32, products: vec4f) {
  if (row >= m) { return; }
  for (var i = 0; i < 4; i++) {
    let column = firstColumn + apart * i;
    if (column < n) {
      let at = start + row * n + column;
      var value = alpha * products[i];
      if (has_bias) { value += read_bias(column); }
      if (accumulate != 0) { value += read_c(at); }
      write_c(at, value);
    }
  }
}
