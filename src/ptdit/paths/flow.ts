import { add, mul, sub } from "../../autograd/ops/elementwise.js";
import { type Path, perSample } from "./path.js";

/** Rectified flow, a straight way: x_u = (1-u) x₀ + u ε, the model predicts x₀ - ε, s = -u.
 *  @source Liu, Gong and Liu, arXiv 2209.03003; step 14 of the architecture */
export const flow: Path = {
  start: 1,
  addNoise(x0, noise, u) {
    const part = perSample(u, x0);
    return add(mul(x0, sub(1, part)), mul(noise, part));
  },
  target: (x0, noise) => sub(x0, noise),
  length: (from, to) => from - to,
  velocity: (_x, prediction) => prediction,
  ahead: (x, velocity, u) => add(x, mul(velocity, perSample(u, x))),
  data: (x, prediction, u) => flow.ahead(x, prediction, u),
  noise: (x, prediction, u) => sub(x, mul(prediction, sub(1, perSample(u, x)))),
};
