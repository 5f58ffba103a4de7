// What the two gradients of attention share: how queries come in, and what is known of a query beforehand.

// Puts a chunk of the rows from `first` on into the tile of queries, 0 beyond its edges: of q, or of dO if `slopes`.
fn loadQueries(slopes: bool, groupIndex: i32, head: i32, first: i32, part: i32, lane: i32) {
  for (var t = lane; t < tileQueries * chunk; t += lanes) {
    let row = first + t / chunk;
    let d = part * chunk + t % chunk;
    var value = 0.0;
    if (row < lq && d < headDim) {
      if (slopes) {
        value = read_dO(((groupIndex * lq + row) * heads + head) * headDim + d);
      } else {
        value = read_q((groupIndex * lq + row) * queryRow + head * headDim + d);
      }
    }
    queryTile[t / chunk * pitch + t % chunk] = value;
  }
}

// Leaves in `shares` the parts, of each of the 8 lanes that share a query, of Σ dO·o.
fn shareDeltas(groupIndex: i32, head: i32, firstQuery: i32, lane: i32) {
  for (var a = 0; a < queriesPerLane; a++) {
    let row = lane / 8 + 8 * a;
    var sum = 0.0;
    if (firstQuery + row < lq) {
      let at = ((groupIndex * lq + firstQuery + row) * heads + head) * headDim;
      for (var d = lane % 8; d < headDim; d += 8) { sum += read_dO(at + d) * read_o(at + d); }
    }
    shares[row * 9 + lane % 8] = sum;
  }
}

// Σ dO·o of a row of the tile of queries, from its shares.
fn deltaOf(row: i32) -> f32 {
  var sum = 0.0;
  for (var i = 0; i < 8; i++) { sum += shares[row * 9 + i]; }
  return sum;
}

// The log of the sum of exponentials of a query, 0 beyond the last.
fn logSumOf(groupIndex: i32, head: i32, query: i32) -> f32 {
  if (query >= lq) { return 0.0; }
  return read_lse((groupIndex * heads + head) * lq + query);
}
