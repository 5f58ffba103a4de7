// Counter-based random numbers, and sinusoidal features.
import { storeTail, vcos, vlog, vsin } from "./simd";
import { share, shareEnd, shareStart } from "./threads";

/** One block of Philox4x32-10 (Salmon, Moraes, Dror and Shaw, 2011). */
function philox(c0: u32, c1: u32, c2: u32, k0: u32, k1: u32): v128 {
  let c3: u32 = 0;
  for (let round = 0; round < 10; round++) {
    const p0 = <u64>0xd2511f53 * c0, p1 = <u64>0xcd9e8d57 * c2;
    c0 = <u32>(p1 >> 32) ^ c1 ^ k0;
    c1 = <u32>p1;
    c2 = <u32>(p0 >> 32) ^ c3 ^ k1;
    c3 = <u32>p0;
    k0 += 0x9e3779b9;
    k1 += 0xbb67ae85;
  }
  let v = i32x4.splat(c0);
  v = i32x4.replace_lane(v, 1, c1);
  v = i32x4.replace_lane(v, 2, c2);
  return i32x4.replace_lane(v, 3, c3);
}

/** The four uniform numbers of block `block`, in (0, 1). */
// @ts-ignore: decorator
@inline function uniformBlock(block: i32, run: usize, seedLow: i32, seedHigh: i32, stream: i32): v128 {
  const words = philox(block, stream, load<u32>(run), seedLow, seedHigh);
  return f32x4.mul(f32x4.add(f32x4.convert_i32x4_u(i32x4.shr_u(words, 9)), f32x4.splat(0.5)), f32x4.splat(1.1920928955078125e-7));
}

// @ts-ignore: decorator
@inline function put(y: usize, block: i32, n: i32, v: v128): void {
  const at = y + (<usize>block << 4), count = n - block * 4;
  if (count >= 4) v128.store(at, v);
  else storeTail(at, count, v);
}

export function uniform(y: usize, run: usize, n: i32, seedLow: i32, seedHigh: i32, stream: i32): void {
  share((n + 3) >> 2);
  for (let block = shareStart; block < shareEnd; block++) put(y, block, n, uniformBlock(block, run, seedLow, seedHigh, stream));
}

export function normal(y: usize, run: usize, n: i32, seedLow: i32, seedHigh: i32, stream: i32): void {
  share((n + 3) >> 2);
  for (let block = shareStart; block < shareEnd; block++) {
    const u = uniformBlock(block, run, seedLow, seedHigh, stream);
    const radius = f32x4.sqrt(f32x4.mul(f32x4.splat(-2), vlog(v128.shuffle<f32>(u, u, 0, 0, 2, 2))));
    const angle = f32x4.mul(v128.shuffle<f32>(u, u, 1, 1, 3, 3), f32x4.splat(6.283185307179586));
    const turned = v128.shuffle<f32>(vcos(angle), vsin(angle), 0, 5, 2, 7);
    put(y, block, n, f32x4.mul(radius, turned));
  }
}

/** eˣ in float64 for |x| up to 700. */
function exp(x: f64): f64 {
  const n = nearest<f64>(x * 1.4426950408889634);
  const r = x - n * 0.6931471803691238 - n * 1.9082149292705877e-10;
  let term: f64 = 1, sum: f64 = 1;
  for (let i = 1; i <= 16; i++) {
    term *= r / <f64>i;
    sum += term;
  }
  return sum * reinterpret<f64>((<i64>n + 1023) << 52);
}

/** ln x in float64, by Halley's iteration on exp. */
function log(x: f64): f64 {
  let y: f64 = <f64>((reinterpret<i64>(x) >> 52) - 1023) * 0.6931471805599453;
  for (let i = 0; i < 6; i++) {
    const e = exp(y);
    y += (2 * (x - e)) / (x + e);
  }
  return y;
}

/** sin(x + quarter·π/2) in float64, |x| up to about 10⁶: reduced to ±π/4, then Taylor's series. */
function sine(x: f64, quarter: i64): f64 {
  const n = nearest<f64>(x * 0.6366197723675814);
  const r = x - n * 1.5707963267341256 - n * 6.077100506506192e-11;
  const turns = <i64>n + quarter, odd = (turns & 1) != 0;
  let term: f64 = odd ? 1 : r, sum = term;
  for (let i = odd ? 1 : 2; i <= 18; i += 2) {
    term *= (-r * r) / (<f64>i * <f64>(i + 1));
    sum += term;
  }
  return (turns & 2) != 0 ? -sum : sum;
}

export function sinusoid(y: usize, t: usize, n: i32, half: i32, maxPeriod: f32): void {
  share(n * half);
  const step = -log(<f64>maxPeriod) / <f64>half;
  for (let unit = shareStart; unit < shareEnd; unit++) {
    const i = unit / half, k = unit % half;
    const angle = <f64>load<f32>(t + (<usize>i << 2)) * exp(step * <f64>k);
    const at = y + (<usize>(i * 2 * half + k) << 2);
    store<f32>(at, <f32>sine(angle, 1));
    store<f32>(at + (<usize>half << 2), <f32>sine(angle, 0));
  }
}
