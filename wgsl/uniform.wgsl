fn element(block: i32) {
  write_block(block, uniforms(block));
}
