/** Initial numbers of parameters: functions of seed, name and shape alone, so that models do not depend on the order of making. */
import { named } from "../autograd/names.js";
import { parameter, type Tensor } from "../autograd/tensor.js";
import { copyOf, thisCopy } from "../base/copy.js";
import { callable, checkValue, finite, notNegative, seedRule, text } from "../base/options.js";
import { hashName, normalNumbers, uniformNumbers } from "../base/random.js";
import { checkShape, type Shape, sizeOf } from "../base/shape.js";

/** Draws a parameter's numbers. `name` is its place in the model. */
export type Initializer = (shape: Shape, seed: number, name: string) => Float32Array;

/** Inputs and outputs of one unit: of weights [out, in, ...kernel]. */
function fans(shape: Shape): { fanIn: number; fanOut: number } {
  checkShape(shape, "initializer");
  const kernel = sizeOf(shape.slice(2));
  return { fanIn: (shape[1] ?? 1) * kernel, fanOut: (shape[0] ?? 1) * kernel };
}

/** x·factor + offset as float32. A plain loop: `Float32Array.from` with a function takes ten times as long, and models are large. */
function scaled(numbers: Float64Array, factor: number, offset: number): Float32Array {
  const result = new Float32Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) result[i] = numbers[i] * factor + offset;
  return result;
}

function checkPlace(shape: Shape, seed: number, name: string): void {
  checkShape(shape, "initializer");
  checkValue("initializer", "seed", seed, seedRule);
  checkValue("initializer", "name", name, text);
}

/** All zeros. */
export const zeros: Initializer = (shape) => {
  checkShape(shape, "zeros");
  return new Float32Array(sizeOf(shape));
};

/** All ones. */
export const ones: Initializer = (shape) => zeros(shape, 0, "").fill(1);

/** Normal numbers with the given standard deviation.
 *  @throws ConfigError when it is negative or not finite */
export function normal(std: number): Initializer {
  checkValue("normal", "std", std, notNegative);
  return (shape, seed, name) => {
    checkPlace(shape, seed, name);
    return scaled(normalNumbers(sizeOf(shape), seed, hashName(name)), std, 0);
  };
}

/** Uniform numbers in ±√(6 / (fanIn + fanOut)).
 *  @source Glorot and Bengio, 2010 */
export const xavierUniform: Initializer = (shape, seed, name) => {
  const { fanIn, fanOut } = fans(shape);
  return uniform(Math.sqrt(6 / (fanIn + fanOut)))(shape, seed, name);
};

/** Normal numbers with standard deviation √(2 / fanIn).
 *  @source He, Zhang, Ren and Sun, arXiv 1502.01852 */
export const kaimingNormal: Initializer = (shape, seed, name) => normal(Math.sqrt(2 / fans(shape).fanIn))(shape, seed, name);

/** Uniform numbers in ±bound.
 *  @throws ConfigError when it is not finite */
export function uniform(bound: number): Initializer {
  checkValue("uniform", "bound", bound, finite);
  return (shape, seed, name) => {
    checkPlace(shape, seed, name);
    return scaled(uniformNumbers(sizeOf(shape), seed, hashName(name)), 2 * bound, -bound);
  };
}

/** Where a module is made: the seed, and the path that tells its weights from others'. */
export class Seed {
  /** @throws ConfigError when the seed is not a whole number from 0 to 2^53 - 1 */
  constructor(
    readonly value: number,
    readonly path = "",
  ) {
    checkValue("seed", "the seed", value, seedRule);
    checkValue("seed", "the path", path, text);
  }

  get [copyOf](): object {
    return thisCopy;
  }

  /** The last part of the path. */
  get name(): string {
    return this.path.slice(this.path.lastIndexOf(".") + 1);
  }

  /** The seed of a part. */
  at(name: string | number): Seed {
    return new Seed(this.value, this.path ? `${this.path}.${name}` : `${name}`);
  }

  /** A parameter of this module, drawn when it is first needed. */
  parameter(name: string, shape: Shape, initializer: Initializer): Tensor {
    checkValue("seed", `the initializer of ${this.at(name).path}`, initializer, callable);
    const { path } = this.at(name);
    return named(path, parameter(shape, initializer === zeros ? undefined : () => initializer(shape, this.value, path)));
  }
}
