/** What layers, optimisers and states ask of what they are given. */
import { checkTensor, isParameter, type Tensor } from "../autograd/tensor.js";
import { isForeign } from "../base/copy.js";
import { ConfigError } from "../base/errors.js";
import { checkValue, object, type Rule, show, whole } from "../base/options.js";
import { Seed } from "./init.js";
import type { Gradients } from "./optimizers/index.js";

/** @throws ConfigError when it is no seed, or one of another copy of the library */
export function checkSeed(where: string, seed: unknown): asserts seed is Seed {
  if (seed instanceof Seed) return;
  const cure = isForeign(seed) ? "" : " Make one with new Seed(0).";
  throw new ConfigError(`${where}: expected a Seed, got ${show(seed)}.${cure}`);
}

/** Sizes of a layer.
 *  @throws ConfigError naming the first that is not a positive whole number */
export function checkSizes(where: string, sizes: Readonly<Record<string, number>>): void {
  for (const [name, size] of Object.entries(sizes)) checkValue(where, name, size, whole(1));
}

export const namedRule: Rule = { text: "a Map of tensors by name", holds: (value) => value instanceof Map };

/** @throws ConfigError when it is no Map of tensors by name */
export function checkNamed(where: string, parameters: ReadonlyMap<string, Tensor>): void {
  checkValue(where, "the parameters", parameters, namedRule);
  for (const [name, x] of parameters) checkTensor(where, `"${name}"`, x);
}

/** @throws ConfigError when it is not what `gradientsOf` makes */
export function checkGradients(where: string, gradients: Gradients): void {
  checkValue(where, "the gradients", gradients, { ...namedRule, text: "a Map of { parameter, gradient } by name" });
  for (const [name, own] of gradients) {
    checkValue(where, `"${name}"`, own, object);
    checkTensor(where, `the parameter of "${name}"`, own.parameter);
    checkTensor(where, `the gradient of "${name}"`, own.gradient);
    if (!isParameter(own.parameter)) throw new ConfigError(`${where}: "${name}" is not a parameter but ${own.parameter}.`);
  }
}
