// Features of the time: cosines and sines of many frequencies, with angles in float64.
import { Constant, constant } from "./constants";
import { storePart } from "./simd";
import { scratchPtr, share, shareEnd, shareStart } from "./threads";
import { sinOf, sinOfAny } from "./transcendental";

const ln2: f64 = 0.6931471805599453;
/** Frequencies that are in scratch at once. */
const mostFrequencies: i32 = 8192;

/** The work is split by rows. */
export function sinusoid(y: usize, t: usize, n: i32, half: i32, maxPeriod: f32): void {
  const frequencies = scratchPtr, decay = naturalLogarithm(<f64>maxPeriod) / <f64>half;
  share(n);
  if (shareStart == shareEnd) return;
  for (let first = 0; first < half; first += mostFrequencies) {
    const count = min(half - first, mostFrequencies);
    for (let k = 0; k < (count + 3 & ~3); k++) store<f64>(frequencies + (<usize>k << 3), exponential(-<f64>(first + k) * decay));
    for (let row = shareStart; row < shareEnd; row++) {
      const time = f64x2.splat(<f64>load<f32>(t + (<usize>row << 2)));
      const cosines = y + (<usize>row * (<usize>half << 3)) + (<usize>first << 2), sines = cosines + (<usize>half << 2);
      for (let k = 0; k < count; k += 4) {
        const from = frequencies + (<usize>k << 3), to = <usize>k << 2;
        const low = f64x2.mul(time, v128.load(from)), high = f64x2.mul(time, v128.load(from, 16));
        const largest = f64x2.pmax(f64x2.abs(low), f64x2.abs(high));
        const large = v128.any_true(f64x2.gt(largest, constant(Constant.Reducible64)));
        const sine = large ? sinOfAny(low, high, 0) : sinOf(low, high, 0);
        const cosine = large ? sinOfAny(low, high, 1) : sinOf(low, high, 1);
        if (count - k >= 4) {
          v128.store(cosines + to, cosine);
          v128.store(sines + to, sine);
        } else {
          storePart(cosines + to, cosine, count - k);
          storePart(sines + to, sine, count - k);
        }
      }
    }
  }
}

/** ln x for a normal x > 0: x = m·2ᵉ with m in [1, 2), ln m = 2 artanh((m - 1)/(m + 1)) as a series. */
function naturalLogarithm(x: f64): f64 {
  const bits = reinterpret<i64>(x), exponent = (bits >> 52) - 1023;
  const m = reinterpret<f64>(bits - (exponent << 52)), z = (m - 1) / (m + 1), square = z * z;
  let sum: f64 = 0;
  for (let n = 39; n >= 1; n -= 2) sum = sum * square + 1 / <f64>n;
  return 2 * z * sum + <f64>exponent * ln2;
}

/** eˣ for x whose result is a normal number: x = n ln 2 + r, eʳ as a series. */
function exponential(x: f64): f64 {
  const n = nearest<f64>(x / ln2), r = x - n * ln2;
  let sum: f64 = 1;
  for (let i = 16; i >= 1; i--) sum = 1 + (sum * r) / <f64>i;
  return sum * reinterpret<f64>((<i64>n + 1023) << 52);
}
