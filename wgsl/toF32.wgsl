fn element(i: i32) {
  write_y(i, f32(read_x(i)));
}
