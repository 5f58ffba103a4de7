// dk and dv of attention: with P = exp(S - lse), dv = Pᵀ dO and dk = scale·(P (dO vᵀ - Σ dO·o))ᵀ q, for one block of keys of
// one head of one group a workgroup, of 64 lanes. It goes through the queries by tiles, computing the logits again. Lane (x, y)
// of 8 by 8 has the keys y, y + 8, … of the block: of the pairs, the queries x, x + 8, … of the tile; of dk and dv, the
// elements x, x + 8, … of a chunk.

const blocks: i32 = (lk + tileKeys - 1) / tileKeys;
const pairs: i32 = keysPerLane * queriesPerLane;
const perKey: i32 = keysPerLane * dimsPerLane;

// In workgroup memory: queryTile, q, dO, and each again; keyTile, k, then v; ofPairs, of a pair P, then the gradient of its product of
// q and k; shares, what each of the 8 lanes that share a query knows of it, and first of all what each lane knows of keep.

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
        if (sees(groupIndex, masked, query, firstKey + y + 8 * a)) { p = exact_exp(min(logits[at] * scale - logSum, 80.0)); }
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
