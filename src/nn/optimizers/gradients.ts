/** Gradients by name, and what is done to all of them at once. */
import { grad } from "../../autograd/grad.js";
import { add, equal, minimum, mul, reciprocal, sqrt, sub } from "../../autograd/ops/elementwise.js";
import { squaredNorm } from "../../autograd/ops/squaredNorm.js";
import { checkTensor, type Tensor } from "../../autograd/tensor.js";
import { ConfigError } from "../../base/errors.js";
import { callable, checkValue, positiveOrInfinite } from "../../base/options.js";
import { checkGradients, checkNamed } from "../checks.js";

/** A parameter and the gradient of the loss with respect to it. */
export interface ParameterGradient {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  /** [] : what the gradient is yet to be multiplied by; an optimiser does it while it reads the gradient. */
  readonly factor?: Tensor;
}

/** Parameters and gradients by name. */
export type Gradients = ReadonlyMap<string, ParameterGradient>;

/** Gradients of a loss.
 *  @shape loss [], parameters any shapes -> the same shapes
 *  @throws ConfigError when the parameters are no Map by name */
export function gradientsOf(loss: Tensor, parameters: ReadonlyMap<string, Tensor>): Gradients {
  checkNamed("gradientsOf", parameters);
  const dParameters = grad(loss, [...parameters.values()]);
  return new Map([...parameters].map(([name, own], i) => [name, { parameter: own, gradient: dParameters[i] }]));
}

/** Average of several losses and of their gradients, recorded one after the other so that only one is in memory at a time.
 *  @shape each loss [] -> loss [], gradients as their parameters
 *  @throws ConfigError when there is no loss */
export function accumulatedGradients(
  losses: readonly (() => Tensor)[],
  parameters: ReadonlyMap<string, Tensor>,
): { loss: Tensor; gradients: Gradients } {
  const listed = { text: "a list of functions that make a loss", holds: Array.isArray };
  checkValue("accumulatedGradients", "the losses", losses, listed);
  checkNamed("accumulatedGradients", parameters);
  for (const [i, make] of losses.entries()) checkValue("accumulatedGradients", `loss ${i}`, make, callable);
  if (losses.length === 0) throw new ConfigError("accumulatedGradients: needs at least one loss, got none.");
  const parts = losses.map((make) => {
    const loss = make();
    return { loss, gradients: gradientsOf(loss, parameters) };
  });
  const average = (tensors: Tensor[]) => {
    const sum = tensors.reduce((all, x) => add(all, x));
    return tensors.length === 1 ? sum : mul(sum, 1 / tensors.length);
  };
  const gradients = [...parameters].map(([name, own]) => {
    const gradient = average(parts.map((part) => (part.gradients.get(name) as ParameterGradient).gradient));
    return [name, { parameter: own, gradient }] as const;
  });
  return { loss: average(parts.map(({ loss }) => loss)), gradients: new Map(gradients) };
}

/** √Σ g² over all gradients.
 *  @shape -> [] */
export function globalNorm(gradients: Gradients): Tensor {
  checkGradients("globalNorm", gradients);
  return sqrt(squaredNorm([...gradients.values()].map(({ gradient }) => gradient)));
}

/** Scales all gradients so that their global norm is at most `limit`.
 *  @throws ConfigError when the limit is not a positive number
 *  @source Pascanu, Mikolov and Bengio, arXiv 1211.5063 */
export function clipGradients(gradients: Gradients, norm: Tensor, limit: number): Gradients {
  checkGradients("clipGradients", gradients);
  checkTensor("clipGradients", "norm", norm);
  checkValue("clipGradients", "limit", limit, positiveOrInfinite);
  const factor = minimum(mul(reciprocal(add(norm, 1e-6)), limit), 1); // []
  return new Map(
    [...gradients].map(([name, own]) => [name, { ...own, factor: own.factor ? mul(own.factor, factor) : factor }]),
  );
}

/** 1 if every given number is finite, else 0.
 *  @shape [] each -> []
 *  @throws ConfigError when there is none */
export function allFinite(...numbers: Tensor[]): Tensor {
  if (numbers.length === 0) throw new ConfigError("allFinite: needs at least one number, got none.");
  return numbers.map((x) => equal(sub(x, x), 0)).reduce((all, finite) => mul(all, finite));
}
