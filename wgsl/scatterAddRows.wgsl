// Every element gathers what is added to it, in the order of the rows: no atomics, so that runs equal each other.
fn element(i: i32) {
  let batch = i / (outRows * columns);
  let row = i / columns % outRows;
  let indices = batch % indexBatches * inRows;
  var sum = 0.0;
  for (var at = 0; at < inRows; at++) {
    if (read_index(indices + at) == row) { sum += read_x((batch * inRows + at) * columns + i % columns); }
  }
  write_y(i, sum);
}
