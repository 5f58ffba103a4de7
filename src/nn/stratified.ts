import { add, div, greater, log, maximum, minimum, mul, neg, sqrt, sub, where } from "../autograd/ops/elementwise.js";
import { randomUniform } from "../autograd/ops/random.js";
import { checkTensor, constant, type Tensor } from "../autograd/tensor.js";
import { checkSizes } from "./checks.js";

/** Polynomials of the inverse error function, highest power first: near the middle, and in the tails.
 *  @source Giles, "Approximating the erfinv function", GPU Computing Gems (2011), single precision */
const middle = [
  ...[2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087],
  ...[-0.00125372503, -0.00417768164, 0.246640727, 1.50140941],
];
const tails = [
  ...[-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773],
  ...[-0.0076224613, 0.00943887047, 1.00167406, 2.83297682],
];
/** Nearer to 0 and 1 the quantile is that of here. */
const edge = 1e-7;

/** The number that a normal random number stays below with probability p: the inverse of its distribution.
 *  @shape p [...] -> [...]
 *  @units p in 0..1; in float64 within 3e-6 of the exact number for p from 1e-6 to 1 - 1e-6
 *  @throws ShapeError when p is no tensor
 *  @source Giles, "Approximating the erfinv function", GPU Computing Gems (2011) */
export function normalQuantile(p: Tensor): Tensor {
  checkTensor("normalQuantile", "p", p);
  const inside = minimum(maximum(p, edge), 1 - edge);
  const w = neg(log(mul(mul(inside, sub(1, inside)), 4)));
  const polynomial = (coefficients: readonly number[], x: Tensor): Tensor =>
    coefficients.slice(1).reduce<Tensor>((sum, own) => add(mul(sum, x), own), constant(coefficients[0]));
  const factor = where(greater(5, w), polynomial(middle, sub(w, 2.5)), polynomial(tails, sub(sqrt(w), 3)));
  return mul(mul(factor, sub(mul(inside, 2), 1)), Math.SQRT2);
}

/** Normal random numbers, one from every n-th part of the distribution, in order.
 *  @shape -> [n]
 *  @throws ConfigError when n is no whole number of at least 1 */
export function stratifiedNormal(n: number, random: { readonly seed: number; readonly stream: number }): Tensor {
  checkSizes("stratifiedNormal", { n });
  const first = constant(
    Float32Array.from({ length: n }, (_, i) => i),
    [n],
  );
  return normalQuantile(div(add(first, randomUniform([n], random)), n)); // [n]
}
