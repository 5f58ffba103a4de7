// What attention and its gradients share: who sees whom, and how keys come in. What is in workgroup memory stands with each kernel.

const dimsPerLane: i32 = chunk / 8;

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
