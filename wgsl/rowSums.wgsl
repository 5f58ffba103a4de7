// How the 64 lanes of a workgroup that has a row sum up what each has of it.

var<workgroup> shares: array<f32, 64>;
var<workgroup> eighths: array<f32, 8>;

// The sum of all lanes' values, always added in the same order.
fn sumOf(value: f32, lane: i32) -> f32 {
  workgroupBarrier();
  shares[lane] = value;
  workgroupBarrier();
  if (lane < 8) {
    var sum = 0.0;
    for (var i = 0; i < 8; i++) { sum += shares[lane + 8 * i]; }
    eighths[lane] = sum;
  }
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0; i < 8; i++) { sum += eighths[i]; }
  return sum;
}
