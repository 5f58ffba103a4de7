// y = x·rstd·scale, rstd = 1/√(mean(x²) + eps) along each row. One workgroup of 64 lanes a row: lane l has the elements
// l, l + 64, …. A lane reads only what it writes itself, after all have read, so that y may lie where x does.

var<workgroup> shares: array<f32, 64>;
var<workgroup> eighths: array<f32, 8>;

// The sum of all lanes' values, always added in the same order.
fn sumOf(value: f32, lane: i32) -> f32 {
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

fn group(index: i32, lane: i32) {
  let at = index * columns;
  var squares = 0.0;
  for (var j = lane; j < columns; j += lanes) {
    let value = read_x(at + j);
    squares += value * value;
  }
  let inverse = 1.0 / sqrt(sumOf(squares, lane) / f32(columns) + eps);
  if (lane == 0) { write_rstd(index, inverse); }
  for (var j = lane; j < columns; j += lanes) {
    var value = read_x(at + j) * inverse;
    if (has_scale) { value *= read_scale(j); }
    write_y(at + j, value);
  }
}
