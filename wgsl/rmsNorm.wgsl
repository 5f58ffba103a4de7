// y = x·rstd·scale, rstd = 1/√(mean(x²) + eps) along each row. One workgroup of 64 lanes a row: lane l has the elements
// l, l + 64, …. A lane reads only what it writes itself, after all have read, so that y may lie where x does.

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
