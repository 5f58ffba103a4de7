import { grad } from "../autograd/grad.js";
import { add, mul } from "../autograd/ops/elementwise.js";
import { sum } from "../autograd/ops/reduce.js";
import { checkTensor, constant, input, type Tensor } from "../autograd/tensor.js";
import { reference } from "../backend/reference/device.js";
import { ConfigError, ShapeError } from "../base/errors.js";
import { joinedIn } from "../base/joined.js";
import { callable, checkValue, object } from "../base/options.js";
import { normalNumbers } from "../base/random.js";
import { type Shape, stridesOf } from "../base/shape.js";
import { type Along, difference, finestDifference, movesFar } from "./differences.js";
import { compile, type Program } from "./program.js";

/** What a check found, and the element where the two derivatives differ most for what is allowed there. */
export interface GradcheckResult {
  /** Whether at every element `error` ≤ `allowed`, and nothing was NaN or infinite. */
  readonly ok: boolean;
  /** |analytic - numeric| */
  readonly error: number;
  /** What `error` may be at this element: absolute + relative·|numeric|. */
  readonly allowed: number;
  readonly relative: number;
  /** The option; without it, what the numeric derivative itself may be off by at this element, where `relative` alone does not do. */
  readonly absolute: number;
  /** Which derivative: 1 is the gradient. */
  readonly order: number;
  /** Which argument, and where in it. */
  readonly argument: number;
  readonly index: readonly number[];
  readonly analytic: number;
  readonly numeric: number;
  /** Elements checked, of all arguments and orders. */
  readonly elements: number;
  /** Elements that are not ok. */
  readonly wrong: number;
  /** Elements whose numeric derivative is less certain than the tolerances ask for; they can only be held against what it tells. */
  readonly unresolved: number;
}

export interface GradcheckOptions {
  /** What the two derivatives may differ by, as a part of the numeric one; 1e-6 by default. */
  readonly relative?: number;
  /** And beside that; by default what rounding and truncation leave uncertain in the numeric derivative, element by element. */
  readonly absolute?: number;
  /** The older name of `relative`. */
  readonly tolerance?: number;
  /** Step of the central difference; others around it are tried where it does not tell. */
  readonly step?: number;
  /** Derivatives up to this one are checked: 2 also checks the gradient of ⟨grad f, v⟩, v fixed random numbers. */
  readonly order?: number;
  /** Where to check: numbers of each argument; by default normal numbers. */
  readonly at?: readonly (ArrayLike<number> | undefined)[];
  readonly seed?: number;
}

/**
 * Checks a function's gradient, and higher derivatives on demand, against central differences in float64, element by element. An output
 * that is not one number is weighted by fixed random numbers and summed, so that every element counts.
 * @shape f: arguments of the given shapes -> any shape
 * @throws ShapeError when numbers given in `at` do not fit their shape, or an op on the way lacks the derivative
 * @throws ConfigError when an option is not one, or there is nothing to check
 */
export async function gradcheck(
  f: (...arguments_: Tensor[]) => Tensor,
  shapes: readonly Shape[],
  options: GradcheckOptions = {},
): Promise<GradcheckResult> {
  checkValue("gradcheck", "f", f, callable);
  checkValue("gradcheck", "shapes", shapes, { text: "a list of shapes", holds: Array.isArray });
  checkValue("gradcheck", "options", options, object);
  checkOptions(options);
  if (shapes.length === 0) throw new ConfigError("gradcheck: without arguments there is nothing to check. Give their shapes.");
  const { at = [], seed = 0, order = 1 } = options;
  const arguments_ = shapes.map((shape) => input(shape));
  const numbers = arguments_.map((x, i) => {
    const own = Float64Array.from(at[i] ?? normalNumbers(x.size, seed, i));
    if (own.length !== x.size)
      throw new ShapeError(`gradcheck: argument ${i} has ${x.size} elements, got ${own.length} numbers.`);
    return own;
  });
  const findings: Finding[] = [];
  const y = f(...arguments_);
  checkTensor("gradcheck", "what f returns", y);
  let values = [y];
  for (let own = 1; own <= order; own++) {
    // The next derivative is that of one number, made of all values.
    const weights = values.map(({ size }, i) => normalNumbers(size, seed, 999 + 1000 * (own - 1) + i));
    const parts = values.map((y, i) => sum(mul(y, constant(weights[i], y.shape))));
    const gradients = grad(parts.reduce(add), arguments_);
    const allWeights = concatenated(weights);
    const [evaluation, derivative] = [new Evaluation(arguments_, values), new Evaluation(arguments_, gradients)];
    try {
      const exact = await derivative.at(numbers);
      let element = 0;
      for (const [argument, x] of numbers.entries()) {
        for (const [place, centre] of x.entries()) {
          const along = async (offset: number) => {
            x[place] = centre + offset;
            const result = await evaluation.at(numbers);
            x[place] = centre;
            return result;
          };
          const compared = await compare(exact[element++], along, allWeights, centre, options);
          findings.push({ ...compared, order: own, argument, index: indexOf(place, shapes[argument]) });
        }
      }
    } finally {
      evaluation.dispose();
      derivative.dispose();
    }
    values = gradients;
  }
  return report(findings);
}

type Finding = Omit<GradcheckResult, "elements" | "wrong" | "unresolved"> & { readonly unresolved: boolean };

/** One element's two derivatives. */
async function compare(
  analytic: number,
  along: Along,
  weights: Float64Array,
  centre: number,
  { step = 1e-4, tolerance = 1e-6, relative = tolerance, absolute }: GradcheckOptions,
) {
  // A step that a sum with the centre keeps as it is.
  const coarse = 4 * Math.max(Math.abs(centre), step);
  const kept = coarse + step - coarse || step;
  const asked = (numeric: number) => (absolute ?? 0) + relative * Math.abs(numeric);
  let found = await difference(along, weights, kept);
  const told = found.moved || !(await movesFar(along, weights, kept));
  const plain = told && Math.abs(analytic - found.value) <= asked(found.value);
  if (!plain) found = await finestDifference(along, weights, kept);
  const { value: numeric, resolution } = found;
  const slack = absolute ?? (plain ? 0 : resolution);
  const allowed = slack + relative * Math.abs(numeric);
  const error = Math.abs(analytic - numeric);
  // Where one of them is NaN or infinite, so is the error.
  const ok = Number.isFinite(error) && error <= allowed;
  const unresolved = error !== 0 && !plain && resolution > asked(numeric);
  return { ok, error, allowed, relative, absolute: slack, analytic, numeric, unresolved };
}

function report(findings: readonly Finding[]): GradcheckResult {
  /** Above 1 is wrong, and NaN is as wrong as can be. */
  const badness = ({ error, allowed }: Finding) =>
    error === 0 ? 0 : Number.isFinite(error) ? error / allowed : Number.POSITIVE_INFINITY;
  const worst = findings.reduce((a, b) => (badness(b) > badness(a) ? b : a));
  return {
    ...worst,
    elements: findings.length,
    wrong: findings.filter(({ ok }) => !ok).length,
    unresolved: findings.filter(({ unresolved }) => unresolved).length,
  };
}

/** All values of some tensors, one after the other, as a function of the arguments' numbers. */
class Evaluation {
  private readonly program: Program;

  constructor(
    arguments_: readonly Tensor[],
    private readonly values: readonly Tensor[],
  ) {
    this.program = compile(reference(), { inputs: numbered(arguments_), outputs: numbered(values) });
  }

  async at(numbers: readonly Float64Array[]): Promise<Float64Array> {
    this.program.runs = 0; // random leaves must not change between two differences
    const result = await this.program.run(numbered(numbers));
    return concatenated(this.values.map((_, i) => result[`${i}`].data));
  }

  dispose(): void {
    this.program.dispose();
  }
}

const numbered = <T>(list: readonly T[]): Record<string, T> => Object.fromEntries(list.map((x, i) => [`${i}`, x]));

const concatenated = (parts: readonly ArrayLike<number>[]): Float64Array =>
  joinedIn((length) => new Float64Array(length), parts);

const known: readonly string[] = [
  "relative",
  "absolute",
  "tolerance",
  "step",
  "order",
  "at",
  "seed",
] satisfies (keyof GradcheckOptions)[];

function checkOptions(options: GradcheckOptions): void {
  const unknown = Object.keys(options).filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new ConfigError(`gradcheck: there is no option ${unknown.join(", ")}. There are ${known.join(", ")}.`);
  const { relative = 0, absolute = 0, tolerance = 0, step = 1, order = 1 } = options;
  for (const [name, value] of Object.entries({ relative, absolute, tolerance })) {
    if (!(value >= 0)) throw new ConfigError(`gradcheck: ${name} must be a number from 0 on, got ${value}.`);
  }
  if (!(step > 0 && Number.isFinite(step))) throw new ConfigError(`gradcheck: step must be a number above 0, got ${step}.`);
  if (!(Number.isInteger(order) && order >= 1))
    throw new ConfigError(`gradcheck: order must be a whole number from 1 on, got ${order}.`);
}

/** Element number to indices along each axis. */
const indexOf = (element: number, shape: Shape): number[] =>
  stridesOf(shape).map((stride, axis) => Math.floor(element / stride) % shape[axis]);
