// What attention and its gradients share: how their tiles are cut, who sees whom, and how keys come in. The tiles themselves, and
// `shares`, stand with each kernel.

// Rows of queries and of keys that a lane has. Few where there are few; fewer where heads are wide, for its registers.
const queriesPerLane: i32 = select(select(4, 2, lq <= 16 || headDim > 64), 1, lq <= 8);
const keysPerLane: i32 = select(select(4, 2, lk <= 16 || headDim > 64), 1, lk <= 8);
const tileQueries: i32 = 8 * queriesPerLane;
const tileKeys: i32 = 8 * keysPerLane;
// The width of a head is gone through in chunks of at most 32, of which a lane has every eighth element.
const chunks: i32 = (headDim + 31) / 32;
const chunk: i32 = ((headDim + chunks - 1) / chunks + 7) / 8 * 8;
const dimsPerLane: i32 = chunk / 8;
// Elements from one row of a tile to the next: odd, so that the same element of several rows is in different banks.
const pitch: i32 = chunk + 1;

// Whether keep masks keys of a group: one that would mask all of them masks none.
fn hasKept(groupIndex: i32, lane: i32) -> bool {
  var kept = 0.0;
  for (var j = lane; j < lk; j += lanes) {
    if (read_keep(groupIndex * lk + j) != 0.0) { kept = 1.0; }
  }
  shares[lane] = kept;
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0; i < lanes; i++) { sum += shares[i]; }
  workgroupBarrier();
  return sum > 0.0;
}

// Whether query i sees key j; none beyond the last is seen.
fn sees(groupIndex: i32, masked: bool, i: i32, j: i32) -> bool {
  if (i >= lq || j >= lk) { return false; }
  if (masked && read_keep(groupIndex * lk + j) == 0.0) { return false; }
  if (has_labels) {
    let own = groupIndex % max(labelGroups, 1) * lk;
    return read_labels(own + i) == read_labels(own + j);
  }
  return true;
}

// Puts a chunk of the rows from `first` on into the tile of keys, 0 beyond its edges: of k, or of v if `asValues`.
fn loadKeys(asValues: bool, groupIndex: i32, head: i32, first: i32, part: i32, lane: i32) {
  for (var t = lane; t < tileKeys * chunk; t += lanes) {
    let row = first + t / chunk;
    let d = part * chunk + t % chunk;
    var value = 0.0;
    if (row < lk && d < headDim) {
      if (asValues) {
        value = read_v((groupIndex * lk + row) * valueRow + head * headDim + d);
      } else {
        value = read_k((groupIndex * lk + row) * keyRow + head * headDim + d);
      }
    }
    keyTile[t / chunk * pitch + t % chunk] = value;
  }
}
