// By whole numbers: how pack2x16float rounds is the driver's choice.

fn element(i: i32) {
  var word = half(read_x(2 * i));
  if (2 * i + 1 < n) { word |= half(read_x(2 * i + 1)) << 16; }
  write_y(i, bitcast<i32>(word));
}

fn half(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  let sign = (bits >> 16) & 0x8000;
  let size = bits & 0x7fffffff;
  if (size > 0x7f800000) { return sign | 0x7e00; }
  if (size >= 0x47800000) { return sign | 0x7c00; }
  if (size >= 0x38800000) { return sign | rounded(size - (112 << 23), 13); }
  if (size >= 0x33000000) { return sign | rounded((size & 0x7fffff) | 0x800000, 126 - (size >> 23)); }
  return sign;
}

// bits / 2^shift to nearest, ties to even.
fn rounded(bits: u32, shift: u32) -> u32 {
  let floor = bits >> shift;
  let rest = bits - (floor << shift);
  let middle = 1u << (shift - 1);
  return select(floor, floor + 1, rest > middle || (rest == middle && floor % 2 == 1));
}
