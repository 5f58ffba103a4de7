// AdamW: one pass over a parameter, its gradient, its moments and the average of its weights.
import { Constant, constant } from "./constants";
import { copyFloats, fma, loadPart, storePart } from "./simd";
import { share, shareEnd, shareStart } from "./threads";

/** Floats that are one unit of work. */
const runFloats: i32 = 4096;

// The step's numbers in all lanes. Globals are read again in every turn of a loop, from the first cache, which leaves registers free.
let factor: v128 = i32x4.splat(0), stepSize: v128 = factor, rootCorrection: v128 = factor, remainder: v128 = factor, rate: v128 = factor;
let decay1: v128 = factor, decay2: v128 = factor, share1: v128 = factor, share2: v128 = factor, epsilon: v128 = factor;

export function adamW(
  p1: usize, m1: usize, v1: usize, e1: usize, p: usize, g: usize, m: usize, v: usize, e: usize,
  factorPtr: usize, stepSizePtr: usize, rootCorrectionPtr: usize, remainderPtr: usize, guardPtr: usize, ratePtr: usize,
  n: i32, beta1: f32, beta2: f32, eps: f32,
): void {
  share((n + runFloats - 1) / runFloats);
  const start = shareStart * runFloats, count = min(n, shareEnd * runFloats) - start;
  if (count <= 0) return;
  const skipped = <usize>start << 2;
  p1 += skipped; m1 += skipped; v1 += skipped; p += skipped; g += skipped; m += skipped; v += skipped;
  if (e1 != 0) { e1 += skipped; e += skipped; }
  if (load<f32>(guardPtr) == 0) {
    keep(p1, p, count);
    keep(m1, m, count);
    keep(v1, v, count);
    if (e1 != 0) keep(e1, e, count);
    return;
  }
  factor = v128.load32_splat(factorPtr);
  stepSize = v128.load32_splat(stepSizePtr);
  rootCorrection = v128.load32_splat(rootCorrectionPtr);
  remainder = v128.load32_splat(remainderPtr);
  rate = e1 == 0 ? f32x4.splat(0) : v128.load32_splat(ratePtr);
  decay1 = f32x4.splat(beta1);
  decay2 = f32x4.splat(beta2);
  share1 = f32x4.splat(1 - beta1);
  share2 = f32x4.splat(1 - beta2);
  epsilon = f32x4.splat(eps);
  const vectors = (<usize>count << 2) & ~15, rest = count & 3;
  if (e1 == 0) {
    for (let at: usize = 0; at < vectors; at += 16) {
      const gradient = f32x4.mul(v128.load(g + at), factor);
      const square = second(v128.load(v + at), gradient), moment = first(v128.load(m + at), gradient, square);
      v128.store(m1 + at, moment);
      v128.store(v1 + at, square);
      v128.store(p1 + at, moved(v128.load(p + at), moment, square));
    }
  } else {
    for (let at: usize = 0; at < vectors; at += 16) {
      const gradient = f32x4.mul(v128.load(g + at), factor);
      const square = second(v128.load(v + at), gradient), moment = first(v128.load(m + at), gradient, square);
      v128.store(m1 + at, moment);
      v128.store(v1 + at, square);
      const weight = moved(v128.load(p + at), moment, square), average = v128.load(e + at);
      v128.store(p1 + at, weight);
      v128.store(e1 + at, fma(f32x4.sub(weight, average), rate, average));
    }
  }
  if (rest == 0) return;
  const zero = f32x4.splat(0);
  const gradient = f32x4.mul(loadPart(g + vectors, rest, zero), factor);
  const square = second(loadPart(v + vectors, rest, zero), gradient), moment = first(loadPart(m + vectors, rest, zero), gradient, square);
  storePart(m1 + vectors, moment, rest);
  storePart(v1 + vectors, square, rest);
  const weight = moved(loadPart(p + vectors, rest, zero), moment, square);
  storePart(p1 + vectors, weight, rest);
  if (e1 == 0) return;
  const average = loadPart(e + vectors, rest, zero);
  storePart(e1 + vectors, fma(f32x4.sub(weight, average), rate, average), rest);
}

/** The second moment with a gradient added; 0 instead of a denormal, with which processors compute several times slower. */
// @ts-ignore: decorator
@inline
function second(v: v128, gradient: v128): v128 {
  const square = fma(v, decay2, f32x4.mul(f32x4.mul(gradient, gradient), share2));
  return v128.andnot(square, f32x4.lt(square, constant(Constant.Smallest)));
}

/** The first moment likewise. Where the second has vanished, it has nothing to be divided by and vanishes too. */
// @ts-ignore: decorator
@inline
function first(m: v128, gradient: v128, square: v128): v128 {
  const moment = fma(m, decay1, f32x4.mul(gradient, share1));
  return v128.andnot(moment, v128.or(f32x4.le(f32x4.abs(moment), constant(Constant.Negligible)), f32x4.eq(square, f32x4.splat(0))));
}

/** The weight after its decay and its step. */
// @ts-ignore: decorator
@inline
function moved(weight: v128, moment: v128, square: v128): v128 {
  const step = f32x4.div(f32x4.mul(moment, stepSize), fma(f32x4.sqrt(square), rootCorrection, epsilon));
  // Without an epsilon, 0/0 is no step.
  return f32x4.sub(f32x4.mul(weight, remainder), v128.andnot(step, f32x4.eq(moment, f32x4.splat(0))));
}

function keep(target: usize, source: usize, count: i32): void {
  if (target != source) copyFloats(target, source, count);
}
