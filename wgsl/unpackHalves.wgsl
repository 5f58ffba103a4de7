fn element(i: i32) {
  let pair = unpack2x16float(bitcast<u32>(read_x(i / 2)));
  write_y(i, select(pair.x, pair.y, i % 2 == 1));
}
