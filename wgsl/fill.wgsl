fn element(i: i32) {
  write_y(i, value);
}
