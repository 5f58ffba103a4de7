import { mul, square, sub } from "../autograd/ops/elementwise.js";
import { mean } from "../autograd/ops/reduce.js";
import { reshape } from "../autograd/ops/reshape.js";
import { checkTensor, checkTensors, scope, type Tensor } from "../autograd/tensor.js";
import { callable, checkOptions, checkValue, needed, object, type Rules } from "../base/options.js";
import { predicted } from "./flow.js";
import type { Path } from "./paths/index.js";
import type { Predictor } from "./stepProgram.js";

/** Data, the noise it is mixed with, and how much of it. @shape x0, noise [B, C, F, H, W], u [B] in 0..1 */
export interface NoisySamples {
  readonly x0: Tensor;
  readonly noise: Tensor;
  readonly u: Tensor;
}

/** What the loss asks of a path. */
type LearnedPath = Pick<Path, "addNoise" | "target" | "weight">;
const pathRules: Rules<LearnedPath> = { addNoise: needed(callable), target: needed(callable), weight: callable };

/**
 * What a model has to learn of a path: the mean square error of its prediction, as the path weighs it, for every sample.
 * @shape x0, noise [B, C, F, H, W], u [B] -> [B]
 * @throws ConfigError when the path or the model is none
 * @source step 14 of the architecture
 */
export function flowLosses(predict: Predictor, samples: NoisySamples, path: LearnedPath): Tensor {
  checkValue("flowLosses", "the model", predict, callable);
  checkValue("flowLosses", "the samples", samples, object);
  checkValue("flowLosses", "the path", path, object);
  const { addNoise, target, weight } = path;
  checkOptions("flowLosses: the path", { addNoise, target, ...(weight && { weight }) }, pathRules);
  const { x0, noise, u } = samples;
  checkTensors("flowLosses", { x0, noise, u });
  const [batch, channels] = x0.shape;
  const out = predict(path.addNoise(x0, noise, u), mul(u, 1000)); // [B, Cout, F, H, W]
  checkTensor("flowLosses", "the prediction", out);
  return scope("loss", () => {
    const error = sub(predicted(out, channels), path.target(x0, noise, u)); // [B, C, F, H, W]
    const squares = mean(reshape(square(error), [batch, -1]), 1); // [B]
    return path.weight ? mul(squares, path.weight(u)) : squares; // [B]
  });
}
