import type { Tensor } from "../autograd/tensor.js";
import { adamW, type Gradients, muon, type OptimizerOptions, type OptimizerStep } from "../nn/optimizers/index.js";
import type { TrainingConfig } from "./trainingConfig.js";

/** A step of the training's optimiser for a pipeline's parameters. Muon takes the matrices of the blocks; embeddings, the first and the
 *  last layer, tables and biases are AdamW's. */
export function optimizerStep(gradients: Gradients, training: TrainingConfig, given: OptimizerOptions): OptimizerStep {
  const { optimizer, muonIterations, beta1, beta2 } = training;
  const weightDecay = (name: string, parameter: Tensor) => (isBlockMatrix(name, parameter) ? training.weightDecay : 0);
  const options = { ...given, beta1, beta2, weightDecay };
  if (optimizer === "adamW") return adamW(gradients, options);
  return muon(gradients, { ...options, iterations: muonIterations, matrices: isBlockMatrix });
}

const isBlockMatrix = (name: string, { shape }: Tensor): boolean =>
  shape.length === 2 && /(^|\.)blocks\.\d+\..+\.weight$/.test(name);
