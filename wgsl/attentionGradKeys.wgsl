// dk and dv of attention: with P = exp(S - lse), dv = Pᵀ dO and dk = scale·(P (dO vᵀ - Σ dO·o))ᵀ q, for one block of keys of
// one head of one group a workgroup, of 64 lanes. It goes through the queries by tiles, computing the logits again. Lane (x, y)
// of 8 by 8 has the keys y, y + 8, … of the block: of the pairs, the queries x, x + 8, … of the tile; of dk and dv, the
// elements x, x + 8, … of a chunk.

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
const blocks: i32 = (lk + tileKeys - 1) / tileKeys;
const pairs: i32 = keysPerLane * queriesPerLane;
const pairPitch: i32 = tileQueries + 1;
const perKey: i32 = keysPerLane * dimsPerLane;

// q, dO, and each again.
var<workgroup> queryTile: array<f32, tileQueries * pitch>;
// k, then v.
var<workgroup> keyTile: array<f32, tileKeys * pitch>;
// Of a pair P, then the gradient of its product of q and k.
var<workgroup> ofPairs: array<f32, tileKeys * pairPitch>;
// What each of the 8 lanes that share a query knows of it; first of all, what each lane knows of keep.
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

// Products of the tiles' rows: q kᵀ, or dO vᵀ if `slopes`. Of key y + 8a and query x + 8b at a·queriesPerLane + b.
fn products(slopes: bool, groupIndex: i32, head: i32, firstQuery: i32, firstKey: i32, lane: i32) -> array<f32, pairs> {
  let x = lane % 8;
  let y = lane / 8;
  var sums = array<f32, pairs>();
  for (var part = 0; part < chunks; part++) {
    loadQueries(slopes, groupIndex, head, firstQuery, part, lane);
    loadKeys(slopes, groupIndex, head, firstKey, part, lane);
    workgroupBarrier();
    for (var d = 0; d < chunk; d++) {
      for (var a = 0; a < keysPerLane; a++) {
        for (var b = 0; b < queriesPerLane; b++) {
          sums[a * queriesPerLane + b] += keyTile[(y + 8 * a) * pitch + d] * queryTile[(x + 8 * b) * pitch + d];
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

// Adds to chunk `part` of sums of keys the tile's queries, or their dO if `slopes`, weighted by what `ofPairs` holds.
fn addWeighted(slopes: bool, groupIndex: i32, head: i32, firstQuery: i32, part: i32, lane: i32,
  sums: ptr<function, array<f32, chunks * perKey>>) {
  let x = lane % 8;
  let y = lane / 8;
  loadQueries(slopes, groupIndex, head, firstQuery, part, lane);
  workgroupBarrier();
  // Taken out of the long array, so that they stay in registers.
  var own: array<f32, perKey>;
  for (var i = 0; i < perKey; i++) { own[i] = (*sums)[part * perKey + i]; }
  for (var j = 0; j < tileQueries; j++) {
    for (var a = 0; a < keysPerLane; a++) {
      for (var e = 0; e < dimsPerLane; e++) {
        own[a * dimsPerLane + e] += ofPairs[(y + 8 * a) * pairPitch + j] * queryTile[j * pitch + x + 8 * e];
      }
    }
  }
  for (var i = 0; i < perKey; i++) { (*sums)[part * perKey + i] = own[i]; }
  workgroupBarrier();
}

fn group(index: i32, lane: i32) {
  let firstKey = index % blocks * tileKeys;
  let head = index / blocks % heads;
  let groupIndex = index / (blocks * heads);
  let x = lane % 8;
  let y = lane / 8;
  var masked = false;
  if (has_keep) { masked = hasKept(groupIndex, lane); }
  var slopesOfKeys: array<f32, chunks * perKey>;
  var slopesOfValues: array<f32, chunks * perKey>;

  for (var firstQuery = 0; firstQuery < lq; firstQuery += tileQueries) {
    shareDeltas(groupIndex, head, firstQuery, lane);
    let logits = products(false, groupIndex, head, firstQuery, firstKey, lane);
    let slopes = products(true, groupIndex, head, firstQuery, firstKey, lane);
    var slopesOfPairs: array<f32, pairs>;
    for (var b = 0; b < queriesPerLane; b++) {
      let query = firstQuery + x + 8 * b;
      let delta = deltaOf(x + 8 * b);
      let logSum = logSumOf(groupIndex, head, query);
      for (var a = 0; a < keysPerLane; a++) {
        let at = a * queriesPerLane + b;
        var p = 0.0;
        if (sees(groupIndex, masked, query, firstKey + y + 8 * a)) { p = exp(min(logits[at] * scale - logSum, 80.0)); }
        slopesOfPairs[at] = p * (slopes[at] - delta) * scale;
        ofPairs[(y + 8 * a) * pairPitch + x + 8 * b] = p;
      }
    }
    for (var part = 0; part < chunks; part++) {
      addWeighted(true, groupIndex, head, firstQuery, part, lane, &slopesOfValues);
    }
    for (var a = 0; a < keysPerLane; a++) {
      for (var b = 0; b < queriesPerLane; b++) {
        ofPairs[(y + 8 * a) * pairPitch + x + 8 * b] = slopesOfPairs[a * queriesPerLane + b];
      }
    }
    for (var part = 0; part < chunks; part++) {
      addWeighted(false, groupIndex, head, firstQuery, part, lane, &slopesOfKeys);
    }
  }

  for (var a = 0; a < keysPerLane; a++) {
    let row = firstKey + y + 8 * a;
    for (var part = 0; part < chunks; part++) {
      for (var e = 0; e < dimsPerLane; e++) {
        let d = part * chunk + x + 8 * e;
        if (row < lk && d < headDim) {
          let at = part * perKey + a * dimsPerLane + e;
          write_dk((groupIndex * lk + row) * keyRow + head * headDim + d, slopesOfKeys[at]);
          write_dv((groupIndex * lk + row) * valueRow + head * headDim + d, slopesOfValues[at]);
        }
      }
    }
  }
}
