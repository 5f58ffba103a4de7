import { add, div, mul, sqrt, square, sub } from "../autograd/ops/elementwise.js";
import { mean } from "../autograd/ops/reduce.js";
import { reshape } from "../autograd/ops/reshape.js";
import { checkTensor, checkTensors, scope, type Tensor } from "../autograd/tensor.js";
import { callable, checkOptions, checkValue, needed, object, type Rules } from "../base/options.js";
import { predicted } from "./flow.js";
import type { Path } from "./paths/index.js";
import type { Predictor } from "./stepProgram.js";
import { huberRule } from "./trainingConfig.js";

/** Data, the noise it is mixed with, and how much of it. @shape x0, noise [B, C, F, H, W], u [B] in 0..1 */
export interface NoisySamples {
  readonly x0: Tensor;
  readonly noise: Tensor;
  readonly u: Tensor;
}

/** What the loss asks of a path. */
type LearnedPath = Pick<Path, "addNoise" | "target" | "weight">;
const pathRules: Rules<LearnedPath> = { addNoise: needed(callable), target: needed(callable), weight: callable };

/** How errors count. */
export interface LossOptions {
  /** Above about this size an error counts by its size, not by its square: small ones that are everywhere, as spots in flat ground, weigh
   *  more beside the few large ones at edges. 0 squares all; else 1e-6 to 1e6. @units errors as the path weighs them: of the velocity, for
   *  `x` */
  readonly huber?: number;
}
const lossRules: Rules<LossOptions> = { huber: huberRule };

/** Pseudo-Huber loss, smooth where `huberLoss` has a corner: 2 c² (√(1 + e²/c²) - 1) of the squares e²: e² where they are small, 2 c |e| where they are large. */
function pseudoHuber(squares: Tensor, c: number): Tensor {
  // Written so that nothing is lost where e² is far below c².
  return div(mul(squares, 2), add(sqrt(add(div(squares, c ** 2), 1)), 1));
}

/**
 * What a model has to learn of a path: the mean square error of its prediction, or its pseudo-Huber loss, as the path weighs it, for every
 * sample.
 * @shape x0, noise [B, C, F, H, W], u [B] -> [B]
 * @throws ConfigError when the path or the model is none, or an option is unknown or against its rule
 * @source step 14 of the architecture; Song and Dhariwal, arXiv 2310.14189, for the pseudo-Huber loss, here one a number
 */
export function flowLosses(predict: Predictor, samples: NoisySamples, path: LearnedPath, options: LossOptions = {}): Tensor {
  checkValue("flowLosses", "the model", predict, callable);
  checkValue("flowLosses", "the samples", samples, object);
  checkValue("flowLosses", "the path", path, object);
  const { addNoise, target, weight } = path;
  checkOptions("flowLosses: the path", { addNoise, target, ...(weight && { weight }) }, pathRules);
  checkOptions("flowLosses", options, lossRules);
  const { huber = 0 } = options;
  const { x0, noise, u } = samples;
  checkTensors("flowLosses", { x0, noise, u });
  const [batch, channels] = x0.shape;
  const out = predict(path.addNoise(x0, noise, u), mul(u, 1000)); // [B, Cout, F, H, W]
  checkTensor("flowLosses", "the prediction", out);
  return scope("loss", () => {
    const error = sub(predicted(out, channels), path.target(x0, noise, u)); // [B, C, F, H, W]
    const squares = reshape(square(error), [batch, -1]); // [B, C·F·H·W]
    const weight = path.weight?.(u); // [B]
    if (huber > 0) return mean(pseudoHuber(weight ? mul(squares, reshape(weight, [batch, 1])) : squares, huber), 1); // [B]
    return weight ? mul(mean(squares, 1), weight) : mean(squares, 1); // [B]
  });
}
