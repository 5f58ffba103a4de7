import { add, mul } from "../../autograd/ops/elementwise.js";
import type { Solver, StepRule } from "./solver.js";

/** z' = z + h v(z, u) */
export const eulerStep: StepRule = ({ z, u, length, velocity }) => ({ z: add(z, mul(velocity(z, u), length)), kept: [] });

/** A straight line along the velocity at the step's beginning. @source step 15 of the architecture */
export const euler: Solver = {
  about: "one prediction a step",
  order: 1,
  memory: 0,
  rules: [eulerStep],
  ruleOf: () => eulerStep,
};
