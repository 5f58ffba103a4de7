import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { grad } from "../../src/autograd/grad.js";
import { geluErf, logSumExp, mul, softmax, sum } from "../../src/autograd/ops/index.js";
import { constant, type Tensor } from "../../src/autograd/tensor.js";
import type { Device } from "../../src/backend/device.js";
import { evaluate, everyDevice } from "./evaluate.js";

const inf = Number.POSITIVE_INFINITY;

/** @source https://github.com/pytorch/pytorch/issues/31829 and https://github.com/jax-ml/jax/issues/6811 */
describe("logSumExp of infinities", () => {
  let devices: Device[];
  beforeAll(async () => {
    devices = await everyDevice();
  });
  afterAll(() => devices.forEach((device) => device.close()));

  const rows: [row: number[], value: number, gradient: number[]][] = [
    [[-inf, -inf, -inf], -inf, [0, 0, 0]],
    [[inf, 1, -inf], inf, [0, 0, 0]],
    [[inf, inf, 0], inf, [0, 0, 0]],
    [[-inf, 2, -inf], 2, [0, 1, 0]],
    [[-inf, 0, 0], Math.log(2), [0, 0.5, 0.5]],
    [[3e38, -3e38, -inf], Math.fround(3e38), [1, 0, 0]],
  ];

  it("is -∞ of nothing but -∞, ∞ where there is one, and lets no NaN into the gradient", async () => {
    const numbers = rows.flatMap(([row]) => row).map(Math.fround);
    for (const device of devices) {
      const [y, slopes] = await evaluate(device, (x) => [logSumExp(x, -1), ...grad(sum(logSumExp(x, -1)), [x])], [
        [rows.length, 3],
        numbers,
      ]);
      rows.forEach(([row, value, gradient], i) => {
        if (Number.isFinite(value)) expect(y[i] / (value || 1), `${row} on ${device.name}`).toBeCloseTo(1, 6);
        else expect(y[i], `${row} on ${device.name}`).toBe(value);
        gradient.forEach((slope, j) => expect(slopes[3 * i + j] + 0, `${row} on ${device.name}`).toBeCloseTo(slope, 6));
      });
    }
  });

  it("does so over several axes, over all, and with the axes kept; NaN stays NaN", async () => {
    for (const device of devices) {
      const many = (x: Tensor) => [logSumExp(x), logSumExp(x, [0, 2]), logSumExp(x, 1, true)];
      const [all, two, kept] = await evaluate(device, many, [
        [2, 2, 2],
        [-inf, -inf, 0, -inf, -inf, -inf, -inf, -inf],
      ]);
      expect(all[0]).toBeCloseTo(0, 6);
      expect(two).toEqual([-inf, expect.closeTo(0, 6)]);
      expect(kept).toEqual([expect.closeTo(0, 6), -inf, -inf, -inf]);
      const [nan] = await evaluate(device, (x) => logSumExp(x), [[3], [-inf, Number.NaN, inf]]);
      expect(nan[0]).toBeNaN();
    }
  });

  it("has the softmax for its gradient where it is finite", async () => {
    for (const device of devices) {
      const weights = constant([1, -2, 3, 0.5]);
      const [own, want] = await evaluate(
        device,
        (x) => [...grad(sum(mul(logSumExp(x, 1), weights)), [x]), mul(softmax(x), constant([1, -2, 3, 0.5], [4, 1]))],
        [
          [4, 3],
          [1, -inf, 2, 88, 89, 90, -1000, -1001, -1002, 0, 0, 0],
        ],
      );
      own.forEach((slope, i) => expect(slope).toBeCloseTo(want[i], 6));
    }
  });

  it("and geluErf ends in its limits, as the other activations do", async () => {
    for (const device of devices) {
      const both = (x: Tensor) => [geluErf(x), ...grad(sum(geluErf(x)), [x])];
      expect(await evaluate(device, both, [[4], [-inf, -1000, 1000, inf]])).toEqual([
        [0, -0, 1000, inf].map((x) => expect.closeTo(x, 6)).map((x, i) => (i === 3 ? inf : x)),
        [0, 0, 1, 1].map((x) => expect.closeTo(x, 6)),
      ]);
    }
  });
});
