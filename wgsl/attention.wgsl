// o = softmax(scale·q kᵀ) v and lse, for one block of queries of one head of one group a workgroup, of 64 lanes. It goes
// through the keys by tiles, keeping of each query the largest logit so far and the sum of exponentials beside it, by which
// earlier sums are scaled down when a larger one comes; logits are never stored. Lane (x, y) of 8 by 8 has the queries y,
// y + 8, … of the block: of the logits, the keys x, x + 8, … of the tile; of the result, the elements x, x + 8, … of a chunk.

const blocks: i32 = (lq + tileQueries - 1) / tileQueries;
// Stands for the logit of a pair that is masked; smaller than any other, and still finite in a difference.
const hidden: f32 = -1e30;

// In workgroup memory: queryTile; keyTile, keys, then values; weights, exp(logit - largest); shares, what each of the 8 lanes that
// share a query knows of it.

// Puts a chunk of q's rows from `first` on into the tile of queries, 0 beyond its edges.
fn loadQueries(groupIndex: i32, head: i32, first: i32, part: i32, lane: i32) {
  for (var t = lane; t < tileQueries * chunk; t += lanes) {
    let row = first + t / chunk;
    let d = part * chunk + t % chunk;
    var value = 0.0;
    if (row < lq && d < headDim) { value = read_q((groupIndex * lq + row) * queryRow + head * headDim + d); }
    queryTile[t / chunk * pitch + t % chunk] = value;
  }
}

fn group(index: i32, lane: i32) {
  let firstQuery = index % blocks * tileQueries;
  let head = index / blocks % heads;
  let groupIndex = index / (blocks * heads);
  let x = lane % 8;
  let y = lane / 8;
  var masked = false;
  if (has_keep) { masked = hasKept(groupIndex, lane); }
  var largest: array<f32, queriesPerLane>;
  for (var a = 0; a < queriesPerLane; a++) { largest[a] = hidden; }
  // This lane's share of each sum.
  var total: array<f32, queriesPerLane>;
  var result: array<f32, chunks * queriesPerLane * dimsPerLane>;

  for (var firstKey = 0; firstKey < lk; firstKey += tileKeys) {
    // Set to 0 by name: a variable of a loop that is only declared was seen to keep what it held.
    var logits = array<f32, queriesPerLane * keysPerLane>();
    for (var part = 0; part < chunks; part++) {
      // The only chunk of the queries is there from the first tile on.
      if (chunks > 1 || firstKey == 0) { loadQueries(groupIndex, head, firstQuery, part, lane); }
      loadKeys(false, groupIndex, head, firstKey, part, lane);
      workgroupBarrier();
      for (var d = 0; d < chunk; d++) {
        for (var a = 0; a < queriesPerLane; a++) {
          for (var b = 0; b < keysPerLane; b++) {
            logits[a * keysPerLane + b] += queryTile[(y + 8 * a) * pitch + d] * keyTile[(x + 8 * b) * pitch + d];
          }
        }
      }
      workgroupBarrier();
    }

    for (var a = 0; a < queriesPerLane; a++) {
      var own = hidden;
      for (var b = 0; b < keysPerLane; b++) {
        let at = a * keysPerLane + b;
        let seen = sees(groupIndex, masked, firstQuery + y + 8 * a, firstKey + x + 8 * b);
        logits[at] = select(hidden, logits[at] * scale, seen);
        own = max(own, logits[at]);
      }
      shares[(y + 8 * a) * 9 + x] = own;
    }
    workgroupBarrier();

    var factor: array<f32, queriesPerLane>;
    for (var a = 0; a < queriesPerLane; a++) {
      let row = y + 8 * a;
      var peak = largest[a];
      for (var i = 0; i < 8; i++) { peak = max(peak, shares[row * 9 + i]); }
      factor[a] = exact_exp(largest[a] - peak);
      largest[a] = peak;
      total[a] *= factor[a];
      for (var b = 0; b < keysPerLane; b++) {
        let logit = logits[a * keysPerLane + b];
        // Of NaN too, so that what went wrong is seen.
        var weight = 0.0;
        if (!(logit <= 0.5 * hidden)) { weight = exact_exp(logit - peak); }
        total[a] += weight;
        weights[row * pairPitch + x + 8 * b] = weight;
      }
    }

    for (var part = 0; part < chunks; part++) {
      loadKeys(true, groupIndex, head, firstKey, part, lane);
      workgroupBarrier();
      // Taken out of the long array, so that they stay in registers.
      var own: array<f32, queriesPerLane * dimsPerLane>;
      for (var a = 0; a < queriesPerLane; a++) {
        for (var e = 0; e < dimsPerLane; e++) {
          own[a * dimsPerLane + e] = factor[a] * result[(part * queriesPerLane + a) * dimsPerLane + e];
        }
      }
      for (var j = 0; j < tileKeys; j++) {
        for (var a = 0; a < queriesPerLane; a++) {
          for (var e = 0; e < dimsPerLane; e++) {
            own[a * dimsPerLane + e] += weights[(y + 8 * a) * pairPitch + j] * keyTile[j * pitch + x + 8 * e];
          }
        }
      }
      for (var i = 0; i < queriesPerLane * dimsPerLane; i++) { result[part * queriesPerLane * dimsPerLane + i] = own[i]; }
      workgroupBarrier();
    }
  }

  for (var a = 0; a < queriesPerLane; a++) { shares[(y + 8 * a) * 9 + x] = total[a]; }
  workgroupBarrier();
  for (var a = 0; a < queriesPerLane; a++) {
    let row = firstQuery + y + 8 * a;
    var sum = 0.0;
    for (var i = 0; i < 8; i++) { sum += shares[(y + 8 * a) * 9 + i]; }
    // A query that sees nothing has 0.
    sum = select(1.0, sum, sum > 0.0);
    if (row < lq) {
      if (x == 0) { write_lse((groupIndex * heads + head) * lq + row, largest[a] + exact_log(sum)); }
      for (var part = 0; part < chunks; part++) {
        for (var e = 0; e < dimsPerLane; e++) {
          let d = part * chunk + x + 8 * e;
          if (d < headDim) {
            let value = result[(part * queriesPerLane + a) * dimsPerLane + e] / sum;
            write_o(((groupIndex * lq + row) * heads + head) * headDim + d, value);
          }
        }
      }
    }
  }
}
