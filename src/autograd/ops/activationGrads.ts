/** Derivatives of the activations: the first are ops; the second are made of ops, so that there are third ones. */
import type { Tensor } from "../tensor.js";
import { add, exp, maximum, minimum, mul, neg, sigmoid, square, sub } from "./elementwise.js";
import { unary } from "./pointwise.js";
import { times } from "./vanishing.js";

/** x, but not beyond where a second derivative has vanished: there ∞·0 would be NaN. */
const within = (x: Tensor, limit: number): Tensor => maximum(minimum(x, limit), -limit);

/** The tanh approximation of GELU is x·σ(linear·x + cubic·x³). */
const linear = 2 * Math.sqrt(2 / Math.PI);
const cubic = linear * 0.044715;

/** gelu″ = σ(1-σ)(2w′ + x((1-2σ)w′² + w″)) with σ = σ(w), w = linear·x + cubic·x³. */
function geluCurvature(x: Tensor): Tensor {
  const t = within(x, 30);
  const w = mul(t, add(mul(square(t), cubic), linear));
  const [above, below] = [sigmoid(w), sigmoid(neg(w))]; // σ and 1 - σ, without a difference of nearly equal numbers
  const slope = add(mul(square(t), 3 * cubic), linear); // w′
  const bend = add(mul(sub(below, above), square(slope)), mul(t, 6 * cubic));
  return mul(mul(above, below), add(mul(slope, 2), mul(t, bend)));
}

/** geluErf″ = (2 - x²) exp(-½x²)/√(2π). */
function geluErfCurvature(x: Tensor): Tensor {
  const squared = square(within(x, 40));
  return mul(sub(2, squared), mul(exp(mul(squared, -0.5)), 1 / Math.sqrt(2 * Math.PI)));
}

/** silu″ = σ(1-σ)(2 + x(1-2σ)). */
function siluCurvature(x: Tensor): Tensor {
  const t = within(x, 800);
  const [above, below] = [sigmoid(t), sigmoid(neg(t))]; // σ and 1 - σ
  return mul(mul(above, below), add(mul(t, sub(below, above)), 2));
}

export const geluGrad = unary("geluGrad", "geluGrad", (x, dy) => times(dy, geluCurvature(x)));
export const geluErfGrad = unary("geluErfGrad", "geluErfGrad", (x, dy) => times(dy, geluErfCurvature(x)));
export const siluGrad = unary("siluGrad", "siluGrad", (x, dy) => times(dy, siluCurvature(x)));
