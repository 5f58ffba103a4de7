// `frequency_parts(k)`: maxPeriod^(-k/half)·2/π in four parts of 12 bits, as the header lists them.
fn element(i: i32) {
  let row = i / half;
  let k = i % half;
  let point = circle_of_product(read_t(row), frequency_parts(k));
  write_y(row * 2 * half + k, point.x);
  write_y(row * 2 * half + half + k, point.y);
}
