// dq of attention: with P = exp(S - lse), dq = scale·P (dO vᵀ - Σ dO·o) k, for one block of queries of one head of one group a
// workgroup, of 64 lanes. It goes through the keys by tiles, computing the logits again. Lane (x, y) of 8 by 8 has the queries
// y, y + 8, … of the block: of the pairs, the keys x, x + 8, … of the tile; of dq, the elements x, x + 8, … of a chunk.

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
const blocks: i32 = (lq + tileQueries - 1) / tileQueries;
const pairs: i32 = queriesPerLane * keysPerLane;
const pairPitch: i32 = tileKeys + 1;

// q, then dO.
var<workgroup> queryTile: array<f32, tileQueries * pitch>;
// k, then v, then k again.
var<workgroup> keyTile: array<f32, tileKeys * pitch>;
// Gradients of the products of q and k.
var<workgroup> slopesOfPairs: array<f32, tileQueries * pairPitch>;
// What each of the 8 lanes that share a query knows of it.
var<workgroup> shares: array<f32, tileQueries * 9>;

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

// Products of the tiles' rows: q kᵀ, or dO vᵀ if `slopes`. Of query y + 8a and key x + 8b at a·keysPerLane + b.
fn products(slopes: bool, groupIndex: i32, head: i32, firstQuery: i32, firstKey: i32, lane: i32) -> array<f32, pairs> {
  let x = lane % 8;
  let y = lane / 8;
  var sums = array<f32, pairs>();
  for (var part = 0; part < chunks; part++) {
    loadQueries(slopes, groupIndex, head, firstQuery, part, lane);
    loadKeys(slopes, groupIndex, head, firstKey, part, lane);
    workgroupBarrier();
    for (var d = 0; d < chunk; d++) {
      for (var a = 0; a < queriesPerLane; a++) {
        for (var b = 0; b < keysPerLane; b++) {
          sums[a * keysPerLane + b] += queryTile[(y + 8 * a) * pitch + d] * keyTile[(x + 8 * b) * pitch + d];
        }
      }
    }
    workgroupBarrier();
  }
  return sums;
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

fn group(index: i32, lane: i32) {
  let firstQuery = index % blocks * tileQueries;
  let head = index / blocks % heads;
  let groupIndex = index / (blocks * heads);
  let x = lane % 8;
  let y = lane / 8;
  var masked = false;
  if (has_keep) { masked = hasKept(groupIndex, lane); }
  shareDeltas(groupIndex, head, firstQuery, lane);
  workgroupBarrier();
  var delta: array<f32, queriesPerLane>;
  var logSum: array<f32, queriesPerLane>;
  for (var a = 0; a < queriesPerLane; a++) {
    delta[a] = deltaOf(y + 8 * a);
    logSum[a] = logSumOf(groupIndex, head, firstQuery + y + 8 * a);
  }
  var result: array<f32, chunks * queriesPerLane * dimsPerLane>;

  for (var firstKey = 0; firstKey < lk; firstKey += tileKeys) {
    let logits = products(false, groupIndex, head, firstQuery, firstKey, lane);
    let slopes = products(true, groupIndex, head, firstQuery, firstKey, lane);
    for (var a = 0; a < queriesPerLane; a++) {
      for (var b = 0; b < keysPerLane; b++) {
        let at = a * keysPerLane + b;
        var slope = 0.0;
        if (sees(groupIndex, masked, firstQuery + y + 8 * a, firstKey + x + 8 * b)) {
          slope = exp(min(logits[at] * scale - logSum[a], 80.0)) * (slopes[at] - delta[a]) * scale;
        }
        slopesOfPairs[(y + 8 * a) * pairPitch + x + 8 * b] = slope;
      }
    }
    for (var part = 0; part < chunks; part++) {
      loadKeys(false, groupIndex, head, firstKey, part, lane);
      workgroupBarrier();
      // Taken out of the long array, so that they stay in registers.
      var own: array<f32, queriesPerLane * dimsPerLane>;
      for (var i = 0; i < queriesPerLane * dimsPerLane; i++) { own[i] = result[part * queriesPerLane * dimsPerLane + i]; }
      for (var j = 0; j < tileKeys; j++) {
        for (var a = 0; a < queriesPerLane; a++) {
          for (var e = 0; e < dimsPerLane; e++) {
            own[a * dimsPerLane + e] += slopesOfPairs[(y + 8 * a) * pairPitch + j] * keyTile[j * pitch + x + 8 * e];
          }
        }
      }
      for (var i = 0; i < queriesPerLane * dimsPerLane; i++) { result[part * queriesPerLane * dimsPerLane + i] = own[i]; }
      workgroupBarrier();
    }
  }

  for (var a = 0; a < queriesPerLane; a++) {
    let row = firstQuery + y + 8 * a;
    for (var part = 0; part < chunks; part++) {
      for (var e = 0; e < dimsPerLane; e++) {
        let d = part * chunk + x + 8 * e;
        if (row < lq && d < headDim) {
          let value = result[(part * queriesPerLane + a) * dimsPerLane + e];
          write_dq((groupIndex * lq + row) * queryRow + head * headDim + d, value);
        }
      }
    }
  }
}
