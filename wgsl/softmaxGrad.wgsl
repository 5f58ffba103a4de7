// dx = y (dy - Σ dy·y) along each row; 0 in a row whose dy is 0. One workgroup of 64 lanes a row: lane l has the elements
// l, l + 64, …. A lane reads only what it writes itself, after all have read, so that dx may lie where y or dy does.

fn group(index: i32, lane: i32) {
  let at = index * columns;
  // Of dy·y, and of how many elements of dy are not 0.
  var sums = vec2f();
  for (var j = lane; j < columns; j += lanes) {
    let slope = read_dy(at + j);
    sums += vec2f(read_y(at + j) * slope, select(0.0, 1.0, slope != 0.0));
  }
  sums = sumOf(sums, lane);
  for (var j = lane; j < columns; j += lanes) {
    var slope = 0.0;
    if (sums.y > 0.0) { slope = read_y(at + j) * (read_dy(at + j) - sums.x); }
    write_dx(at + j, slope);
  }
}
