import { cos, div, mul, sin, sub } from "../../autograd/ops/elementwise.js";
import type { Tensor } from "../../autograd/tensor.js";
import { angle, angleBetween, type Path } from "./path.js";
import { v } from "./v.js";

/** x₀ = (x - sin φ ε) / cos φ. @shape phi [B, 1, ...], x, prediction [B, ...] -> [B, ...] */
const dataAt = (phi: Tensor, x: Tensor, prediction: Tensor): Tensor => div(sub(x, mul(prediction, sin(phi))), cos(phi));

/** The way that keeps the variance, as `v` goes; the model predicts the noise ε.
 *  @source Ho, Jain and Abbeel, arXiv 2006.11239 */
export const epsilon: Path = {
  // At u = 1 the sample is the noise: a prediction of it says nothing about the data.
  start: 0.999,
  addNoise: v.addNoise,
  target: (_x0, noise) => noise,
  length: angleBetween,
  velocity(x, prediction, u) {
    const phi = angle(u, x);
    return sub(mul(prediction, cos(phi)), mul(dataAt(phi, x, prediction), sin(phi)));
  },
  ahead: v.ahead,
  data: (x, prediction, u) => dataAt(angle(u, x), x, prediction),
  noise: (_x, prediction) => prediction,
};
