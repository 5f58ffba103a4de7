fn element(i: i32) {
  let weight = read_p(i);
  let m0 = read_m(i);
  let v0 = read_v(i);
  let gradient = read_g(i) * read_factor(0);
  let sum = beta2 * v0 + (1.0 - beta2) * gradient * gradient;
  let square = select(sum, 0.0, sum < 1.17549435e-38);
  let mean = beta1 * m0 + (1.0 - beta1) * gradient;
  let moment = select(mean, 0.0, abs(mean) <= 1e-30 || square == 0.0);
  // 0/0 is 0.
  let scale = sqrt(square) * read_rootCorrection(0) + eps;
  let step = select(moment * read_stepSize(0) / select(scale, 1.0, moment == 0.0), 0.0, moment == 0.0);
  let stays = read_guard(0) == 0.0;
  let next = select(weight * read_remainder(0) - step, weight, stays);
  let average = read_e(i);
  write_m1(i, select(moment, m0, stays));
  write_v1(i, select(square, v0, stays));
  write_p1(i, next);
  write_e1(i, select(average + read_rate(0) * (next - average), average, stays));
}
