fn element(block: i32) {
  let u = uniforms(block);
  let first = sqrt(-2.0 * exact_log(u.x)) * circle(u.y);
  let second = sqrt(-2.0 * exact_log(u.z)) * circle(u.w);
  write_block(block, vec4<f32>(first, second));
}
