// y = exp(x - max) / Σ along each row. One workgroup of 64 lanes a row: lane l has the elements l, l + 64, ….
// A lane reads only what it writes itself, after all have read, so that y may lie where x does.

fn group(index: i32, lane: i32) {
  let at = index * columns;
  var largest = read_x(at);
  for (var j = lane; j < columns; j += lanes) { largest = max(largest, read_x(at + j)); }
  largest = largestOf(largest, lane);
  var sum = 0.0;
  for (var j = lane; j < columns; j += lanes) { sum += exact_exp(read_x(at + j) - largest); }
  let total = sumOf(sum, lane);
  for (var j = lane; j < columns; j += lanes) { write_y(at + j, exact_exp(read_x(at + j) - largest) / total); }
}
