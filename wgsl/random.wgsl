// Philox4x32-10: element i depends on the seed, the stream, the run and i alone.

/// The upper 32 bits of a product, by halves of 16 bits.
fn multiply_high(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let carry = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (carry >> 16u);
}

/// The four uniform numbers of a block: ((w >>> 9) + ½)·2⁻²³ of its words, which is exact.
fn uniforms(block: i32) -> vec4<f32> {
  var c = vec4<u32>(u32(block), bitcast<u32>(stream), bitcast<u32>(read_run(0)), 0u);
  var key = vec2<u32>(bitcast<u32>(seedLow), bitcast<u32>(seedHigh));
  for (var round = 0; round < 10; round++) {
    let high0 = multiply_high(0xd2511f53u, c.x);
    let high1 = multiply_high(0xcd9e8d57u, c.z);
    c = vec4<u32>(high1 ^ c.y ^ key.x, 0xcd9e8d57u * c.z, high0 ^ c.w ^ key.y, 0xd2511f53u * c.x);
    key += vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
  }
  return (vec4<f32>(c >> vec4<u32>(9u)) + 0.5) / 8388608.0;
}

fn write_block(block: i32, numbers: vec4<f32>) {
  for (var j = 0; j < 4; j++) {
    if (4 * block + j < n) { write_y(4 * block + j, numbers[j]); }
  }
}
