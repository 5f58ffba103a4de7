fn element(i: i32) {
  let start = i / inner * length * inner + i % inner;
  var best = 0;
  var largest = read_x(start);
  for (var j = 1; j < length; j++) {
    let value = read_x(start + j * inner);
    if (value > largest) {
      best = j;
      largest = value;
    }
  }
  write_y(i, best);
}
