// Sines' angles of any size: what they exceed the nearest multiple of π/2 by.
import { Constant, constant } from "./constants";

/** 2/π in binary, after 64 zeros: as many bits as the largest float64 needs. */
const twoOverPi = memory.data<u32>([
  0x00000000, 0x00000000, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041,
  0xfe5163ab, 0xdebbc561, 0xb7246e3a, 0x424dd2e0, 0x06492eea, 0x09d1921c, 0xfe1deb1c, 0xb129a73e,
  0xe88235f5, 0x2ebb4484, 0xe99c7026, 0xb45f7e41, 0x3991d639, 0x835339f4, 0x9c845f8b, 0xbdf9283b,
  0x1ff897ff, 0xde05980f, 0xef2f118b, 0x5a0a6d1f, 0x6d367ecf, 0x27cb09b7, 0x4f463f66, 0x9e5fea2d,
  0x7527bac7, 0xebe5f17b, 0x3d0739f7, 0x8a5292ea, 0x6bfb5fb1, 0x1f8d5d08
]);
/** Leading zeros of that. */
const leadingZeros: i32 = 64;
/** π/2 in units of 2⁻⁶². */
const quarterTurn: f64 = 1.5707963267948966 / 4611686018427387904.0;

/** The quadrant of the angle that was reduced last, modulo 4. */
export let reducedQuadrant: i32 = 0;

/** What an angle exceeds its quadrant by; the quadrant is left in `reducedQuadrant`. An angle that is not finite gives NaN. */
export function reduceAngle(angle: f64): f32 {
  reducedQuadrant = 0;
  const size = abs(angle);
  if (!(size < Infinity)) return NaN;
  if (size > f64x2.extract_lane(constant(Constant.Reducible64), 0)) return reduceLarge(angle);
  // As `quadrantOf` and `beyondQuadrant` have it for two angles at once.
  const count = nearest(angle * f64x2.extract_lane(constant(Constant.TwoOverPi64), 0));
  reducedQuadrant = <i32>count;
  const first = angle - count * f64x2.extract_lane(constant(Constant.HalfPiHigh64), 0);
  return <f32>(first - count * f64x2.extract_lane(constant(Constant.HalfPiLow64), 0));
}

/**
 * An angle of more than 2²⁰: m·2ᵉ·2/π modulo 4 in whole numbers, the bits of 2/π that m·2ᵉ takes to multiples of 4 left out.
 * @source Payne and Hanek, "Radian reduction for trigonometric functions", SIGNUM Newsletter 18, 1983
 */
function reduceLarge(angle: f64): f32 {
  const bits = reinterpret<u64>(abs(angle)), exponent = <i32>(bits >> 52) - 1075;
  const m = (bits & 0xfffffffffffff) | 0x10000000000000;
  // The first bit kept stands for 2, so that the product's last one stands for 2⁻⁶².
  const start = leadingZeros + exponent - 2;
  const quarters = m * bitsFrom(start) + highProduct(m, bitsFrom(start + 64));
  const quadrant = (quarters + (<u64>1 << 61)) >> 62;
  const r = <f32>(<f64><i64>(quarters - (quadrant << 62)) * quarterTurn);
  reducedQuadrant = angle < 0 ? -<i32>quadrant : <i32>quadrant;
  return angle < 0 ? -r : r;
}

/** 64 bits of 2/π from so many on. */
function bitsFrom(start: i32): u64 {
  const at = twoOverPi + (<usize>(start >> 5) << 2), shift = <u64>(start & 31);
  const high = (<u64>load<u32>(at) << 32) | load<u32>(at, 4);
  return (high << shift) | ((<u64>load<u32>(at, 8) << shift) >> 32);
}

/** The upper half of a product of 128 bits. */
function highProduct(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff, aHigh = a >> 32, bLow = b & 0xffffffff, bHigh = b >> 32;
  const middle = aHigh * bLow + ((aLow * bLow) >> 32), other = aLow * bHigh + (middle & 0xffffffff);
  return aHigh * bHigh + (middle >> 32) + (other >> 32);
}
