import { mul } from "../../autograd/ops/elementwise.js";
import { reshape } from "../../autograd/ops/reshape.js";
import { checkTensors, type Tensor } from "../../autograd/tensor.js";

/**
 * A way from noise to data, and what a model says of it. x_u is the sample at u in 0..1, the part of noise; s is the path's own
 * parameter, in which the way is one of an ordinary differential equation.
 */
export interface Path {
  /** Largest u at which a prediction says something about the data. */
  readonly start: number;
  /** The noisy sample at u. @shape x0, noise [B, ...], u [B] -> [B, ...] */
  addNoise(x0: Tensor, noise: Tensor, u: Tensor): Tensor;
  /** What the model should say. @shape x0, noise [B, ...], u [B] -> [B, ...] */
  target(x0: Tensor, noise: Tensor, u: Tensor): Tensor;
  /** How much the square of an error counts; everywhere alike where a path says nothing. @shape u [B] -> [B] */
  weight?(u: Tensor): Tensor;
  /** How far s goes from one u to another. @units u before and after */
  length(from: number, to: number): number;
  /** dx/ds that a prediction stands for. @shape x, prediction [B, ...], u [B] -> [B, ...] */
  velocity(x: Tensor, prediction: Tensor, u: Tensor): Tensor;
  /** The data that lie ahead where dx/ds is this velocity. @shape x, velocity [B, ...], u [B] -> x0 [B, ...] */
  ahead(x: Tensor, velocity: Tensor, u: Tensor): Tensor;
  /** The data that a prediction stands for. @shape x, prediction [B, ...], u [B] -> x0 [B, ...] */
  data(x: Tensor, prediction: Tensor, u: Tensor): Tensor;
  /** The noise that a prediction stands for. @shape x, prediction [B, ...], u [B] -> [B, ...] */
  noise(x: Tensor, prediction: Tensor, u: Tensor): Tensor;
}

/** One number a sample as [B, 1, ...] beside x. */
export function perSample(u: Tensor, x: Tensor): Tensor {
  checkTensors("path", { u, x });
  return reshape(u, [u.size, ...x.shape.slice(1).map(() => 1)]);
}

/** Angle φ = πu/2 of a path that keeps the variance, one a sample. */
export const angle = (u: Tensor, x: Tensor): Tensor => mul(perSample(u, x), Math.PI / 2);

/** The angle between two u. */
export const angleBetween = (from: number, to: number): number => ((to - from) * Math.PI) / 2;
