import { div, maximum, mul, reciprocal, square, sub } from "../../autograd/ops/elementwise.js";
import { flow } from "./flow.js";
import { type Path, perSample } from "./path.js";

/** Of almost clean data an error counts as at this part of noise: the velocity it stands for would grow without end. */
const clean = 0.05;

/** The way of `flow`, whose model predicts the data. An error of it counts as that of the velocity it stands for, (x₀ - x_u) / u: the
 *  model need never say the noise itself, and what it gets wrong is smooth.
 *  @source Li and He, arXiv 2511.13720 */
export const x: Path = {
  start: flow.start,
  addNoise: flow.addNoise,
  target: (x0) => x0,
  weight: (u) => reciprocal(square(maximum(u, clean))),
  length: flow.length,
  // Not at u = 0, where nothing is left to go.
  velocity: (z, prediction, u) => div(sub(prediction, z), perSample(u, z)),
  ahead: flow.ahead,
  data: (_z, prediction) => prediction,
  noise(z, prediction, u) {
    const part = perSample(u, z);
    return div(sub(z, mul(prediction, sub(1, part))), part);
  },
};
