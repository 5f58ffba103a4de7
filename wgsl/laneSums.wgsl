// What the 64 lanes of a workgroup have of a row, put together: `Value` is f32 or a vector of such. In workgroup memory: shares, a
// value a lane, and eighths, the sums of 8 of them each.

// The sum of all lanes' values, always added in the same order.
fn sumOf(value: Value, lane: i32) -> Value {
  workgroupBarrier();
  shares[lane] = value;
  workgroupBarrier();
  if (lane < 8) {
    var sum = Value();
    for (var i = 0; i < 8; i++) { sum += shares[lane + 8 * i]; }
    eighths[lane] = sum;
  }
  workgroupBarrier();
  var sum = Value();
  for (var i = 0; i < 8; i++) { sum += eighths[i]; }
  return sum;
}

// The largest of all lanes' values.
fn largestOf(value: Value, lane: i32) -> Value {
  workgroupBarrier();
  shares[lane] = value;
  workgroupBarrier();
  if (lane < 8) {
    var largest = shares[lane];
    for (var i = 1; i < 8; i++) { largest = max(largest, shares[lane + 8 * i]); }
    eighths[lane] = largest;
  }
  workgroupBarrier();
  var largest = eighths[0];
  for (var i = 1; i < 8; i++) { largest = max(largest, eighths[i]); }
  return largest;
}
