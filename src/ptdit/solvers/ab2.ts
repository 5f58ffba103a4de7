import { add, div, mul, sub } from "../../autograd/ops/elementwise.js";
import type { Solver, StepRule } from "./solver.js";

/** Euler's step, which keeps its slope. */
const first: StepRule = ({ z, u, length, velocity }) => {
  const slope = velocity(z, u);
  return { z: add(z, mul(slope, length)), kept: [slope] };
};
const extrapolated: StepRule = ({ z, u, length, lengthBefore, velocity, earlier: [before] }) => {
  const slope = velocity(z, u);
  const half = mul(div(length, lengthBefore), 0.5); // [] h / 2h₋
  const ahead = add(slope, mul(sub(slope, before), half)); // the slope in the middle of the step
  return { z: add(z, mul(ahead, length)), kept: [slope] };
};

/** Adams-Bashforth with two slopes and steps of any length: z' = z + h (v + h/2h₋ (v - v₋)), where v₋ and h₋ are the last step's.
 *  @source Hairer, Nørsett and Wanner, Solving Ordinary Differential Equations I, section III.5 */
export const ab2: Solver = {
  about: "one prediction a step, and the last step's",
  order: 2,
  memory: 1,
  rules: [first, extrapolated],
  ruleOf: (step) => (step === 0 ? first : extrapolated),
};
