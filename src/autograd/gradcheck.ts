import { reference } from "../backend/reference/device.js";
import { ShapeError } from "../base/errors.js";
import { callable, checkValue, object } from "../base/options.js";
import { normalNumbers } from "../base/random.js";
import type { Shape } from "../base/shape.js";
import { grad } from "./grad.js";
import { mul } from "./ops/elementwise.js";
import { sum } from "./ops/reduce.js";
import { compile } from "./program.js";
import { checkTensor, constant, input, type Tensor } from "./tensor.js";

/** The element whose two derivatives differ most. */
export interface GradcheckResult {
  readonly ok: boolean;
  /** |analytic - numeric| / the largest numeric derivative of that argument. */
  readonly error: number;
  /** Which argument, and where in it. */
  readonly argument: number;
  readonly index: readonly number[];
  readonly analytic: number;
  readonly numeric: number;
}

export interface GradcheckOptions {
  /** Largest relative error that passes. */
  readonly tolerance?: number;
  /** Step of the central difference. */
  readonly step?: number;
  /** Where to check: numbers of each argument; by default normal numbers. */
  readonly at?: readonly (ArrayLike<number> | undefined)[];
  readonly seed?: number;
}

/**
 * Checks a function's gradient against central differences in float64. An output that is not one number is weighted by fixed
 * random numbers and summed, so that every element counts.
 * @shape f: arguments of the given shapes -> any shape
 * @throws ShapeError when numbers given in `at` do not fit their shape
 */
export async function gradcheck(
  f: (...arguments_: Tensor[]) => Tensor,
  shapes: readonly Shape[],
  options: GradcheckOptions = {},
): Promise<GradcheckResult> {
  checkValue("gradcheck", "f", f, callable);
  checkValue("gradcheck", "shapes", shapes, { text: "a list of shapes", holds: Array.isArray });
  checkValue("gradcheck", "options", options, object);
  const { tolerance = 1e-6, step = 1e-4, at = [], seed = 0 } = options;
  const arguments_ = shapes.map((shape) => input(shape));
  const y = f(...arguments_);
  checkTensor("gradcheck", "what f returns", y);
  const loss = sum(mul(y, constant(normalNumbers(y.size, seed, 999), y.shape)));
  const name = (i: number) => `x${i}`;
  const inputs = Object.fromEntries(arguments_.map((x, i) => [name(i), x]));
  const device = reference();
  const program = compile(device, { inputs, outputs: { loss } });
  const gradients = grad(loss, arguments_);
  const backward = compile(device, { inputs, outputs: Object.fromEntries(gradients.map((g, i) => [name(i), g])) });

  const numbers = arguments_.map((x, i) => {
    const own = Float64Array.from(at[i] ?? normalNumbers(x.size, seed, i));
    if (own.length !== x.size)
      throw new ShapeError(`gradcheck: argument ${i} has ${x.size} elements, got ${own.length} numbers.`);
    return own;
  });
  const feed = () => Object.fromEntries(numbers.map((own, i) => [name(i), own]));
  const analytic = await backward.run(feed());
  const lossAt = async () => {
    program.runs = 0; // random leaves must not change between two differences
    return (await program.run(feed())).loss.item();
  };

  let worst: GradcheckResult = { ok: true, error: -1, argument: 0, index: [], analytic: 0, numeric: 0 };
  for (const [argument, own] of numbers.entries()) {
    const derivatives = (analytic[name(argument)] as { data: ArrayLike<number> }).data;
    const pairs: [number, number][] = [];
    for (let i = 0; i < own.length; i++) {
      const centre = own[i] as number;
      // Fourth-order difference: (8(f(+h) - f(-h)) - (f(+2h) - f(-2h))) / 12h.
      const values: number[] = [];
      for (const offset of [1, -1, 2, -2]) {
        own[i] = centre + offset * step;
        values.push(await lossAt());
      }
      own[i] = centre;
      const [up, down, up2, down2] = values as [number, number, number, number];
      pairs.push([derivatives[i] as number, (8 * (up - down) - (up2 - down2)) / (12 * step)]);
    }
    const scale = Math.max(1e-3, ...pairs.map(([, numeric]) => Math.abs(numeric)));
    for (const [i, [exact, numeric]] of pairs.entries()) {
      const error = Math.abs(exact - numeric) / scale;
      if (!(error <= worst.error))
        worst = {
          ok: error < tolerance,
          error,
          argument,
          index: place(i, shapes[argument] as Shape),
          analytic: exact,
          numeric,
        };
    }
  }
  program.dispose();
  backward.dispose();
  return worst;
}

/** Element number to indices along each axis. */
function place(element: number, shape: Shape): number[] {
  let rest = element;
  return [...shape]
    .reverse()
    .map((size) => {
      const index = rest % size;
      rest = Math.floor(rest / size);
      return index;
    })
    .reverse();
}
