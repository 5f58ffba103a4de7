// Random numbers by counter: element i depends on the seed, the stream, the run and i alone, whoever computes it.
import { Constant, constant } from "./constants";
import { copyFloats } from "./simd";
import { scratchPtr, share, shareEnd, shareStart } from "./threads";
import { sinReduced, vlog } from "./transcendental";

/** Four blocks of four numbers are made at once, and are one unit of work. */
const unitFloats: i32 = 16;

export function uniform(y: usize, run: usize, n: i32, seedLow: i32, seedHigh: i32, stream: i32): void {
  share((n + unitFloats - 1) / unitFloats);
  for (let unit = shareStart; unit < shareEnd; unit++) {
    writeUniforms(unit << 2, stream, load<i32>(run), seedLow, seedHigh);
    storeBlocks(y, unit, n);
  }
}

export function normal(y: usize, run: usize, n: i32, seedLow: i32, seedHigh: i32, stream: i32): void {
  share((n + unitFloats - 1) / unitFloats);
  for (let unit = shareStart; unit < shareEnd; unit++) {
    writeUniforms(unit << 2, stream, load<i32>(run), seedLow, seedHigh);
    boxMuller(scratchPtr);
    boxMuller(scratchPtr + 32);
    storeBlocks(y, unit, n);
  }
}

/**
 * Writes the uniform numbers of four blocks, from number `block` on, to scratch: the first of each block, the second, and so on.
 * @source Philox4x32-10: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011
 */
function writeUniforms(block: i32, stream: i32, run: i32, key0: i32, key1: i32): void {
  const multiplier0 = i32x4.splat(0xd2511f53), multiplier1 = i32x4.splat(0xcd9e8d57);
  let c0 = i32x4.add(i32x4.splat(block), i32x4(0, 1, 2, 3)), c1 = i32x4.splat(stream), c2 = i32x4.splat(run), c3 = i32x4.splat(0);
  for (let round = 0; round < 10; round++) {
    const low0 = i64x2.extmul_low_i32x4_u(c0, multiplier0), high0 = i64x2.extmul_high_i32x4_u(c0, multiplier0);
    const low1 = i64x2.extmul_low_i32x4_u(c2, multiplier1), high1 = i64x2.extmul_high_i32x4_u(c2, multiplier1);
    c0 = v128.xor(v128.xor(v128.shuffle<i32>(low1, high1, 1, 3, 5, 7), c1), i32x4.splat(key0));
    c2 = v128.xor(v128.xor(v128.shuffle<i32>(low0, high0, 1, 3, 5, 7), c3), i32x4.splat(key1));
    c1 = v128.shuffle<i32>(low1, high1, 0, 2, 4, 6);
    c3 = v128.shuffle<i32>(low0, high0, 0, 2, 4, 6);
    key0 += 0x9e3779b9;
    key1 += 0xbb67ae85;
  }
  v128.store(scratchPtr, uniformOf(c0));
  v128.store(scratchPtr, uniformOf(c1), 16);
  v128.store(scratchPtr, uniformOf(c2), 32);
  v128.store(scratchPtr, uniformOf(c3), 48);
}

/** ((w >>> 9) + ½)·2⁻²³, which is exact. */
// @ts-ignore: decorator
@inline
function uniformOf(words: v128): v128 {
  const steps = f32x4.convert_i32x4_s(i32x4.shr_u(words, 9));
  return f32x4.div(f32x4.add(steps, constant(Constant.Half)), constant(Constant.TwoTo23));
}

/** Turns two vectors of uniform numbers u, v into √(-2 ln u)·cos 2πv and √(-2 ln u)·sin 2πv. */
function boxMuller(at: usize): void {
  const radius = f32x4.sqrt(f32x4.neg(f32x4.mul(vlog(v128.load(at)), constant(Constant.Two))));
  const v = v128.load(at, 16), quarters = f32x4.mul(v, f32x4.splat(4));
  const nearest = f32x4.nearest(quarters), quadrant = i32x4.trunc_sat_f32x4_s(nearest);
  const angle = f32x4.mul(f32x4.sub(quarters, nearest), constant(Constant.HalfPi));
  v128.store(at, f32x4.mul(radius, sinReduced(angle, i32x4.add(quadrant, constant(Constant.OneInteger)))));
  v128.store(at, f32x4.mul(radius, sinReduced(angle, quadrant)), 16);
}

/** Takes four blocks from scratch to where they belong. */
function storeBlocks(y: usize, unit: i32, n: i32): void {
  const a = v128.load(scratchPtr), b = v128.load(scratchPtr, 16), c = v128.load(scratchPtr, 32), d = v128.load(scratchPtr, 48);
  const lowAB = v128.shuffle<f32>(a, b, 0, 4, 1, 5), highAB = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const lowCD = v128.shuffle<f32>(c, d, 0, 4, 1, 5), highCD = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(scratchPtr, v128.shuffle<i64>(lowAB, lowCD, 0, 2));
  v128.store(scratchPtr, v128.shuffle<i64>(lowAB, lowCD, 1, 3), 16);
  v128.store(scratchPtr, v128.shuffle<i64>(highAB, highCD, 0, 2), 32);
  v128.store(scratchPtr, v128.shuffle<i64>(highAB, highCD, 1, 3), 48);
  const start = unit * unitFloats;
  copyFloats(y + (<usize>start << 2), scratchPtr, min(unitFloats, n - start));
}
