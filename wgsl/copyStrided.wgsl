fn element(i: i32) {
  let f = i % d5;
  let e = i / d5 % d4;
  let d = i / (d5 * d4) % d3;
  let c = i / (d5 * d4 * d3) % d2;
  let b = i / (d5 * d4 * d3 * d2) % d1;
  let a = i / (d5 * d4 * d3 * d2 * d1);
  let to = yOffset + a * y0 + b * y1 + c * y2 + d * y3 + e * y4 + f * y5;
  write_y(to, read_x(xOffset + a * x0 + b * x1 + c * x2 + d * x3 + e * x4 + f * x5));
}
