// Functions whose accuracy WGSL leaves open, as the WASM kernels have them: a few units in the last place.

/// ∞, -∞ or NaN by their bits: the compiler refuses them as constants, so it must not see that they are.
fn not_finite(bits: u32) -> f32 {
  return bitcast<f32>(bits ^ no_bits);
}
var<private> no_bits: u32 = 0u;

/// Whether x is ∞, -∞ or NaN, by its bits: comparisons may take for granted that it is not.
fn is_not_finite(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u;
}

/// x - x: 0, or NaN where x is not finite.
fn self_difference(x: f32) -> f32 {
  if (is_not_finite(x)) { return not_finite(0x7fc00000u); }
  return 0.0;
}

/// As clamp, which may make a number of NaN: what went wrong would go on as if it had not.
fn bounded(x: f32, low: f32, high: f32) -> f32 {
  return select(select(x, low, x < low), high, x > high);
}

/// eˣ: x = n ln 2 + r, eʳ of degree 5 after Cephes. 0 below -87.3; what would overflow is the largest number.
fn exact_exp(x: f32) -> f32 {
  if (x < -87.3) { return 0.0; }
  let a = select(x, 88.72283, x > 88.72283);
  let n = round(a * 1.4426950408889634);
  let r = (a - n * 0.693359375) + n * 2.12194440e-4;
  // In two factors, since 2ⁿ itself may be too large.
  let half = i32(n) / 2;
  return (exp_reduced(r) + 1.0) * power_of_two(half) * power_of_two(i32(n) - half);
}

/// eʳ - 1 for |r| up to ½ ln 2.
fn exp_reduced(r: f32) -> f32 {
  let p = ((((1.9875691500e-4 * r + 1.3981999507e-3) * r + 8.3334519073e-3) * r + 4.1665795894e-2) * r + 1.6666665459e-1) * r + 0.5;
  return (p * r) * r + r;
}

/// 2ⁿ for n from -126 to 127.
fn power_of_two(n: i32) -> f32 {
  return bitcast<f32>((n + 127) << 23u);
}

/// eˣ - 1, precise near 0.
fn exact_expm1(x: f32) -> f32 {
  if (x > 80.0) { return exact_exp(x); }
  let a = select(x, -80.0, x < -80.0);
  let n = round(a * 1.4426950408889634);
  let r = (a - n * 0.693359375) + n * 2.12194440e-4;
  let power = power_of_two(i32(n));
  return exp_reduced(r) * power + (power - 1.0);
}

/// ln x: x = m·2ᵉ with m in [√½, √2), of degree 8 in m - 1 after Cephes. -∞ of 0, NaN below; ∞ and NaN are their own logarithms.
fn exact_log(x: f32) -> f32 {
  let own = bitcast<u32>(x);
  if ((own & 0x7fffffffu) == 0u) { return not_finite(0xff800000u); }
  if (own > 0x80000000u) { return not_finite(0x7fc00000u); }
  if (is_not_finite(x)) { return x; }
  let is_small = x < 1.17549435e-38;
  let bits = bitcast<i32>(select(x, x * 8388608.0, is_small));
  let exponent = (bits - 0x3f3504f3) >> 23u;
  let f = bitcast<f32>(bits - (exponent << 23u)) - 1.0;
  let e = f32(exponent) - select(0.0, 23.0, is_small);
  let z = f * f;
  var p = 7.0376836292e-2 * f - 1.1514610310e-1;
  p = p * f + 1.1676998740e-1;
  p = p * f - 1.2420140846e-1;
  p = p * f + 1.4249322787e-1;
  p = p * f - 1.6668057665e-1;
  p = p * f + 2.0000714765e-1;
  p = p * f - 2.4999993993e-1;
  p = p * f + 3.3333331174e-1;
  let y = ((p * f) * z - e * 2.12194440e-4) - 0.5 * z;
  return (f + y) + e * 0.693359375;
}

/// A rational approximation after Eigen; at 9.1 it reaches 1.
fn exact_tanh(x: f32) -> f32 {
  let a = bounded(x, -9.5, 9.5);
  let z = a * a;
  var p = -2.76076847742355e-16 * z + 2.00018790482477e-13;
  p = p * z - 8.60467152213735e-11;
  p = p * z + 5.12229709037114e-8;
  p = p * z + 1.48572235717979e-5;
  p = p * z + 6.37261928875436e-4;
  p = p * z + 4.89352455891786e-3;
  var q = 1.19825839466702e-6 * z + 1.18534705686654e-4;
  q = q * z + 2.26843463243900e-3;
  q = q * z + 4.89352518554385e-3;
  return bounded((a * p) / q, -1.0, 1.0);
}

/// A rational approximation on [-4, 4] after Eigen.
fn exact_erf(x: f32) -> f32 {
  let a = bounded(x, -4.0, 4.0);
  let z = a * a;
  var p = -2.72614225801306e-10 * z + 2.77068142495902e-8;
  p = p * z - 2.10102402082508e-6;
  p = p * z - 5.69250639462346e-5;
  p = p * z - 7.34990630326855e-4;
  p = p * z - 2.95459980854025e-3;
  p = p * z - 1.60960333262415e-2;
  var q = -1.45660718464996e-5 * z - 2.13374055278905e-4;
  q = q * z - 1.68282697438203e-3;
  q = q * z - 7.37332916720468e-3;
  q = q * z - 1.42647390514189e-2;
  return bounded((a * p) / q, -1.0, 1.0);
}

/// (cos, sin) of 2π·turns for turns of at most a few: the nearest quarter is taken off exactly.
fn circle(turns: f32) -> vec2<f32> {
  let quarter = round(4.0 * turns);
  return circle_from(i32(quarter), 4.0 * turns - quarter);
}

/// (cos, sin) of a whole number of quarters of a turn and of a rest of at most half of one, in quarters; after Cephes.
fn circle_from(quarter: i32, rest: f32) -> vec2<f32> {
  let r = rest * 1.5707963267948966;
  let z = r * r;
  let s = (((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z) * r + r;
  let c = (((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z) * z + (1.0 - 0.5 * z);
  let quadrant = quarter & 3;
  let swapped = select(vec2<f32>(c, s), vec2<f32>(-s, c), (quadrant & 1) == 1);
  return select(swapped, -swapped, quadrant >= 2);
}

/// What x exceeds a number of 12 bits by is a number of 12 bits: products of such halves are exact, with or without fused
/// multiply-adds.
fn upper_half(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u);
}

/// (cos, sin) of x·factor quarters of a turn; the factor comes in four parts of 12 bits each. Within 2e-7 for angles up to 2²⁰.
fn circle_of_product(x: f32, factor: vec4<f32>) -> vec2<f32> {
  let high = upper_half(x);
  let halves = vec2<f32>(x - high, high);
  var quarter = 0;
  var rest = 0.0;
  // Small terms first, and the rest stays within half a quarter: only so is it rounded finely.
  for (var i = 3; i >= 0; i--) {
    for (var j = 0; j < 2; j++) {
      let part = halves[j] * factor[i];
      rest += part - round(part);
      let over = round(rest);
      rest -= over;
      quarter += i32(round(part)) + i32(over);
    }
  }
  return circle_from(quarter, rest);
}

/// (cos x, sin x): 2/π in parts of 12 bits.
fn circle_of(x: f32) -> vec2<f32> {
  return circle_of_product(x, vec4<f32>(0.636474609375, 1.4513731002807617e-4, 2.567685442045331e-8, 5.6985527407960035e-12));
}
