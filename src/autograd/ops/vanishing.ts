/**
 * Products and quotients of gradient rules: nothing times anything is nothing, even if that is not finite. A rule written with these keeps
 * the promise of `where`: the gradient of a branch that is not taken is 0, and stays 0, whatever the slopes are there.
 */
import type { Tensor } from "../tensor.js";
import { div, mul, neg } from "./elementwise.js";
import { type Argument, binary } from "./pointwise.js";

const mulOrZero = binary("mulOrZero", "mulOrZero", (a, b, dy) => [times(dy, b), times(dy, a)]);
const divOrZero = binary("divOrZero", "divOrZero", (_, b, dy, y) => [over(dy, b), over(times(neg(dy), y), b)]);

/** dy·slope, and 0 where one of them is 0, even if the other is not finite.
 *  @shape dy, slope broadcast together */
export const times = (dy: Tensor, slope: Argument): Tensor =>
  typeof slope === "number" && Number.isFinite(slope) ? mul(dy, slope) : mulOrZero(dy, slope);

/** dy/x, and 0 where dy is 0, even if x is not finite or 0 too.
 *  @shape dy, x broadcast together */
export const over = (dy: Tensor, x: Argument): Tensor =>
  typeof x === "number" && x !== 0 && Number.isFinite(x) ? div(dy, x) : divOrZero(dy, x);

export default { mulOrZero, divOrZero };
