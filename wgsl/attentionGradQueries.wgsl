// dq of attention: with P = exp(S - lse), dq = scale·P (dO vᵀ - Σ dO·o) k, for one block of queries of one head of one group a
// workgroup, of 64 lanes. It goes through the keys by tiles, computing the logits again. Lane (x, y) of 8 by 8 has the queries
// y, y + 8, … of the block: of the pairs, the keys x, x + 8, … of the tile; of dq, the elements x, x + 8, … of a chunk.

const blocks: i32 = (lq + tileQueries - 1) / tileQueries;
const pairs: i32 = queriesPerLane * keysPerLane;

// In workgroup memory: queryTile, q, then dO; keyTile, k, then v, then k again; slopesOfPairs, gradients of the products of q and k;
// shares, what each of the 8 lanes that share a query knows of it.

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
          slope = exact_exp(min(logits[at] * scale - logSum[a], 80.0)) * (slopes[at] - delta[a]) * scale;
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
