import { checkOptions, needed, type Rules, seedRule, whole } from "../../base/options.js";
import { checkShape, type Shape } from "../../base/shape.js";
import { defineOp } from "../op.js";
import type { Tensor } from "../tensor.js";

export interface RandomAttributes {
  readonly shape: Shape;
  readonly seed: number;
  readonly stream: number;
}

const draw = (name: string, kernel: "uniform" | "normal") =>
  defineOp<RandomAttributes>()({
    name,
    operands: {},
    results: { y: "always" },
    infer: (_, { shape }) => ({ y: shape }),
    gradient: () => ({}),
    lowering: {
      kind: "calls",
      emit: (e, { y }, t, { seed, stream }) => {
        const [seedLow, seedHigh] = [seed | 0, Math.floor(seed / 2 ** 32) | 0];
        e.call(kernel, { y, run: e.runCounter(), n: t.y.size, seedLow, seedHigh, stream });
      },
    },
  });
const uniformOp = draw("randomUniform", "uniform");
const normalOp = draw("randomNormal", "normal");

export interface RandomOptions {
  /** Whole number from 0 to 2⁵³ - 1. */
  readonly seed: number;
  /** Whole number from 0 to 2³² - 1. Leaves with the same seed and different streams are independent; the same stream gives the same numbers. */
  readonly stream?: number;
}

const rules: Rules<RandomOptions> = { seed: needed(seedRule), stream: whole(0, 2 ** 32 - 1) };

function attributes(shape: Shape, options: RandomOptions): RandomAttributes {
  checkShape(shape, "random");
  checkOptions("random", options, rules);
  const { seed, stream = 0 } = options;
  return { shape, seed, stream };
}

/** Uniform numbers in (0, 1): a function of seed, stream, the program's run counter and the element's place, the same on every device.
 *  @source Salmon et al., 2011 (Philox4x32-10) */
export const randomUniform = (shape: Shape, options: RandomOptions): Tensor => uniformOp({}, attributes(shape, options)).y;

/** Standard normal numbers: a function of seed, stream, the program's run counter and the element's place, the same on every device up to rounding.
 *  @source Salmon et al., 2011 (Philox4x32-10); Box and Muller, 1958 */
export const randomNormal = (shape: Shape, options: RandomOptions): Tensor => normalOp({}, attributes(shape, options)).y;

export default { randomUniform: uniformOp, randomNormal: normalOp };
