fn element(i: i32) {
  let column = 16 * (i / (16 * k)) + i % 16;
  let row = i / 16 % k;
  var value = 0.0;
  if (column < n) { value = read_b(select(row * n + column, column * k + row, transposed != 0)); }
  write_y(i, value);
}
