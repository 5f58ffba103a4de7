import type { Tensor } from "../tensor.js";
import { abs, greater, mul, square, sub, where } from "./elementwise.js";
import { mean } from "./reduce.js";

/** Mean of (prediction - target)² over everything.
 *  @shape prediction, target broadcast together -> [] */
export const meanSquareLoss = (prediction: Tensor, target: Tensor): Tensor => mean(square(sub(prediction, target)));

/** Mean Huber loss: e²/2 where |e| ≤ delta, else delta (|e| - delta/2).
 *  @shape prediction, target broadcast together -> []
 *  @source Huber, 1964 */
export function huberLoss(prediction: Tensor, target: Tensor, delta = 1): Tensor {
  const error = sub(prediction, target);
  const size = abs(error);
  return mean(where(greater(size, delta), mul(sub(size, delta / 2), delta), mul(square(error), 0.5)));
}
