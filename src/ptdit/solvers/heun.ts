import { add, mul } from "../../autograd/ops/elementwise.js";
import { eulerStep } from "./euler.js";
import type { Solver, StepRule } from "./solver.js";

const averaged: StepRule = ({ z, u, uNext, length, velocity }) => {
  const slope = velocity(z, u);
  const ahead = add(z, mul(slope, length));
  return { z: add(z, mul(add(slope, velocity(ahead, uNext)), mul(length, 0.5))), kept: [] };
};

/** z' = z + h/2 (v + v(z + h v, u')), v = v(z, u); at u' = 0 there is no noise left to predict, so the last step is Euler's.
 *  @source Karras et al., arXiv 2206.00364, algorithm 1 */
export const heun: Solver = {
  about: "two predictions a step",
  order: 2,
  memory: 0,
  rules: [averaged, eulerStep],
  ruleOf: (step, steps) => (step + 1 < steps ? averaged : eulerStep),
};
