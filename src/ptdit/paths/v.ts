import { add, cos, mul, sin, sub } from "../../autograd/ops/elementwise.js";
import { angle, angleBetween, type Path } from "./path.js";

/** The way that keeps the variance: x_u = cos φ x₀ + sin φ ε, φ = πu/2; the model predicts its derivative v = cos φ ε - sin φ x₀, s = φ.
 *  @source Salimans and Ho, arXiv 2202.00512 */
export const v: Path = {
  start: 1,
  addNoise(x0, noise, u) {
    const phi = angle(u, x0);
    return add(mul(x0, cos(phi)), mul(noise, sin(phi)));
  },
  target(x0, noise, u) {
    const phi = angle(u, x0);
    return sub(mul(noise, cos(phi)), mul(x0, sin(phi)));
  },
  length: angleBetween,
  velocity: (_x, prediction) => prediction,
  ahead(x, velocity, u) {
    const phi = angle(u, x);
    return sub(mul(x, cos(phi)), mul(velocity, sin(phi)));
  },
  data: (x, prediction, u) => v.ahead(x, prediction, u),
  noise(x, prediction, u) {
    const phi = angle(u, x);
    return add(mul(x, sin(phi)), mul(prediction, cos(phi)));
  },
};
