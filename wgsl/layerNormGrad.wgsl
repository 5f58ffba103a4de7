// With g = dy·(offset + scale): dx = rstd·(g - mean(g) - x̂·mean(g·x̂)) along each row; 0 in a row whose dy is 0. Without mean that
// of the RMS norm, in which mean(g) is not subtracted. One workgroup of 64 lanes a row: lane l has the elements l, l + 64, …. A lane
// reads only what it writes itself, after all have read, so that dx may lie where dy or x does.

// g at column j of a row.
fn slopeAt(row: i32, j: i32) -> f32 {
  let slope = read_dy(row * columns + j);
  if (has_scale) { return slope * (offset + read_scale(row / rowsPerGroup * columns + j)); }
  return slope;
}

fn group(index: i32, lane: i32) {
  let at = index * columns;
  let average = read_mean(index);
  let inverse = read_rstd(index);
  // Deviations from the first: where all are alike, their mean is exactly that.
  let first = slopeAt(index, 0);
  // Of deviations of g, of g·x̂, and of how many elements of dy are not 0.
  var sums = vec3f();
  for (var j = lane; j < columns; j += lanes) {
    let slope = slopeAt(index, j);
    let normal = (read_x(at + j) - average) * inverse;
    sums += vec3f(slope - first, slope * normal, select(0.0, 1.0, read_dy(at + j) != 0.0));
  }
  sums = sumOf(sums, lane);
  var level = 0.0;
  if (has_mean) { level = first + sums.x / f32(columns); }
  let tilt = sums.y / f32(columns);
  for (var j = lane; j < columns; j += lanes) {
    var slope = 0.0;
    if (sums.z > 0.0) { slope = inverse * (slopeAt(index, j) - level - (read_x(at + j) - average) * inverse * tilt); }
    write_dx(at + j, slope);
  }
}
