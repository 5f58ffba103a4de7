fn element(i: i32) {
  let batch = i / (outRows * columns);
  let row = read_index(batch % indexBatches * outRows + i / columns % outRows);
  var value = 0.0;
  if (row >= 0 && row < inRows) { value = read_x((batch * inRows + row) * columns + i % columns); }
  write_y(i, value);
}
