import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { grad } from "../../src/autograd/grad.js";
import * as ops from "../../src/autograd/ops/index.js";
import type { Tensor } from "../../src/autograd/tensor.js";
import { constant } from "../../src/autograd/tensor.js";
import type { Device } from "../../src/backend/device.js";
import { evaluate, everyDevice } from "./evaluate.js";

const { where, greater, sqrt, log, reciprocal, div, mul, sub, sum, square, exp } = ops;

/** Functions that are not finite, or have no finite slope, somewhere at or below 0. */
const unsafe: Record<string, (x: Tensor) => Tensor> = {
  sqrt,
  log,
  reciprocal,
  "1 / x": (x) => div(1, x),
  "x / x": (x) => div(x, x),
  "x ln x": (x) => mul(x, log(x)),
  "x to the power of 0.3": (x) => exp(mul(log(x), 0.3)),
  "x to the power of -2": (x) => reciprocal(square(x)),
  "square of ln x": (x) => square(log(x)),
  "sin 1/x": (x) => ops.sin(reciprocal(x)),
  "cos 1/x": (x) => ops.cos(reciprocal(x)),
  "tanh √x": (x) => ops.tanh(sqrt(x)),
  "σ(ln x)": (x) => ops.sigmoid(log(x)),
  "erf √x": (x) => ops.erf(sqrt(x)),
  "gelu ln x": (x) => ops.gelu(log(x)),
  "geluErf √x": (x) => ops.geluErf(sqrt(x)),
  "silu 1/x": (x) => ops.silu(reciprocal(x)),
  "e^(1/x)": (x) => exp(reciprocal(x)),
  "expm1 of 1/x": (x) => ops.expm1(reciprocal(x)),
  "|ln x|": (x) => ops.abs(log(x)),
  "√ of the larger of x and 0": (x) => sqrt(ops.maximum(x, 0)),
  "the smaller of √x and ln x": (x) => ops.minimum(sqrt(x), log(x)),
  "product of √x and ln x": (x) => mul(sqrt(x), log(x)),
  "ln Σ e^(1/x)": (x) => ops.logSumExp(ops.concat([ops.reshape(reciprocal(x), [-1, 1]), ops.reshape(log(x), [-1, 1])], 1), 1),
  "largest of √x and ln x": (x) => ops.max(ops.concat([ops.reshape(sqrt(x), [-1, 1]), ops.reshape(log(x), [-1, 1])], 1), 1),
  "softmax of 1/x": (x) =>
    sum(mul(ops.softmax(mul(ops.reshape(reciprocal(x), [-1, 1]), constant([1, 2, 3]))), constant([1, 2, 4])), 1),
  "layerNorm of ln x": (x) =>
    sum(mul(ops.layerNorm(mul(ops.reshape(log(x), [-1, 1]), constant([1, 2, 4]))), constant([1, 2, 4])), 1),
  "features of the time 1/x": (x) => sum(ops.sinusoid(reciprocal(x), 6, 10), -1),
};
/** Without the sign of zeros. */
const unsigned = (values: number[][]) => values.map((own) => own.map((x) => x + 0));
const points = [-4, -1, -1e-30, 0, 0.25, 2];
const taken = points.map((x) => Number(x > 0));

/**
 * @source https://github.com/jax-ml/jax/issues/347, https://github.com/pytorch/pytorch/issues/68425 and
 * https://github.com/pytorch/pytorch/issues/52248
 */
describe("the branch that `where` does not take", () => {
  let devices: Device[];
  beforeAll(async () => {
    devices = await everyDevice();
  });
  afterAll(() => devices.forEach((device) => device.close()));

  for (const [name, f] of Object.entries(unsafe)) {
    it(`does no harm in the gradient, nor in the gradient of that: ${name}`, async () => {
      for (const device of devices) {
        const derivatives = (choose: (x: Tensor) => Tensor) => (x: Tensor) => {
          const [first] = grad(sum(choose(x)), [x]) as [Tensor];
          return [choose(x), first, ...grad(sum(mul(first, constant([1, 2, 3, 4, 5, 6]))), [x])];
        };
        const got = await evaluate(
          device,
          derivatives((x) => where(greater(x, 0), f(x), x)),
          [[6], points],
        );
        // With a safe argument in the place of those that are not taken, as one had to write it.
        const safe = (x: Tensor) => where(greater(x, 0), f(where(greater(x, 0), x, 1)), x);
        const want = await evaluate(device, derivatives(safe), [[6], points]);
        expect(unsigned(got), device.name).toEqual(unsigned(want));
        got[1].forEach((slope, i) => taken[i] === 0 && expect(slope).toBe(1));
        expect(got.flat().every(Number.isFinite), `${device.name}: ${got}`).toBe(true);
      }
    });
  }

  it("d/dx where(x > 0, √x, 0) at 0 is 0", async () => {
    for (const device of devices) {
      for (const f of [sqrt, log, reciprocal]) {
        const [slope] = await evaluate(device, (x) => grad(sum(where(greater(x, 0), f(x), 0)), [x]), [[2], [0, 4]]);
        expect(slope).toEqual([
          0,
          { sqrt: 0.25, log: 0.25, reciprocal: -0.0625 }[f === sqrt ? "sqrt" : f === log ? "log" : "reciprocal"],
        ]);
      }
    }
  });

  it("does no harm within another choice", async () => {
    const nested = (x: Tensor) =>
      where(
        greater(x, 0),
        where(greater(x, 1), log(sub(x, 1)), sqrt(sub(1, x))),
        where(greater(x, -1), div(1, sqrt(x)), mul(x, x)),
      );
    for (const device of devices) {
      const [slopes] = await evaluate(device, (x) => grad(sum(nested(x)), [x]), [[4], [2, 0.75, -2, 3]]);
      expect(slopes).toEqual([1, -1, -4, 0.5]);
    }
  });

  it("is how a vector's length and direction are written", async () => {
    const length = (x: Tensor) => {
      const squares = sum(square(x), -1, true);
      return where(greater(squares, 0), sqrt(squares), 0);
    };
    const direction = (x: Tensor) => where(greater(length(x), 0), div(x, length(x)), 0);
    for (const device of devices) {
      const derivatives = (x: Tensor) => [
        length(x),
        direction(x),
        ...grad(sum(length(x)), [x]),
        ...grad(sum(direction(x)), [x]),
      ];
      const [lengths, directions, ofLength, ofDirection] = await evaluate(device, derivatives, [
        [2, 2],
        [0, 0, 3, 4],
      ]);
      expect(lengths).toEqual([0, 5]);
      const close = (got: number[], want: number[]) => got.forEach((x, i) => expect(x).toBeCloseTo(want[i], 6));
      close(directions, [0, 0, 0.6, 0.8]);
      close(ofLength, [0, 0, 0.6, 0.8]);
      close(ofDirection, [0, 0, 0.032, -0.024]);
    }
  });

  it("keeps the second derivative of what is reached with a gradient of 0", async () => {
    // d²/dx² of (f(x) - f(a))² at a is 2 f′(a)², though the first derivative is 0 there.
    for (const device of devices) {
      const curvature = (x: Tensor) => {
        const [first] = grad(sum(square(sub(sqrt(x), 2))), [x]) as [Tensor];
        return [first, ...grad(sum(first), [x])];
      };
      expect(await evaluate(device, curvature, [[1], [4]])).toEqual([[0], [0.125]]);
      const ofQuotient = (x: Tensor) => grad(sum(grad(sum(square(sub(div(4, x), 1))), [x])[0]), [x]);
      expect(await evaluate(device, ofQuotient, [[1], [4]])).toEqual([[0.125]]);
    }
  });

  it("hides no NaN that is on the way", async () => {
    for (const device of devices) {
      const [slope] = await evaluate(device, (x) => grad(sum(where(greater(x, -2), log(x), 0)), [x]), [[2], [-1, 2]]);
      expect(slope[1]).toBe(0.5);
      const [nan] = await evaluate(device, (x) => grad(sum(mul(sqrt(x), x)), [x]), [[1], [-1]]);
      expect(nan[0]).toBeNaN();
    }
  });
});
