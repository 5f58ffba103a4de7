// y = x̂·(offset + scale) + shift with x̂ = (x - mean)·rstd along each row; without mean the RMS norm, with 0 in its place. One
// workgroup of 64 lanes a row: lane l has the elements l, l + 64, …. A lane reads only what it writes itself, after all have read, so
// that y may lie where x does.

fn group(index: i32, lane: i32) {
  let at = index * columns;
  var average = 0.0;
  if (has_mean) {
    // Deviations from the first element: of a constant row they are 0, and its mean is exactly itself.
    let first = read_x(at);
    var sum = 0.0;
    for (var j = lane; j < columns; j += lanes) { sum += read_x(at + j) - first; }
    average = first + sumOf(sum, lane) / f32(columns);
  }
  var squares = 0.0;
  for (var j = lane; j < columns; j += lanes) {
    let deviation = read_x(at + j) - average;
    squares += deviation * deviation;
  }
  let inverse = 1.0 / sqrt(sumOf(squares, lane) / f32(columns) + eps);
  if (lane == 0) {
    write_mean(index, average);
    write_rstd(index, inverse);
  }
  let groupAt = index / rowsPerGroup * columns;
  for (var j = lane; j < columns; j += lanes) {
    var value = (read_x(at + j) - average) * inverse;
    if (has_scale) { value *= offset + read_scale(groupAt + j); }
    if (has_shift) { value += read_shift(groupAt + j); }
    write_y(at + j, value);
  }
}
