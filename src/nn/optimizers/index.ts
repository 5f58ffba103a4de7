/** Optimisers as graph: a step's updates are part of the program that computes the gradients. */
export { type AdamWOptions, adamW } from "./adamW.js";
export * from "./gradients.js";
export * from "./muon.js";
export * from "./sgd.js";
export type { OptimizerOptions, OptimizerStep, WeightAverage, WeightDecay } from "./step.js";
