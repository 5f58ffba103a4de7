import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { grad } from "../../src/autograd/grad.js";
import {
  groupNorm,
  layerNorm,
  mean,
  meanSquareLoss,
  modulatedLayerNorm,
  mul,
  square,
  sub,
  sum,
} from "../../src/autograd/ops/index.js";
import { squaredNorm } from "../../src/autograd/ops/squaredNorm.js";
import { constant, type Tensor } from "../../src/autograd/tensor.js";
import type { Device } from "../../src/backend/device.js";
import { normalNumbers } from "../../src/base/random.js";
import { evaluate, everyDevice } from "./evaluate.js";

const sizes = [1, 3, 17, 576, 1000, 4099, 20001];
const largest = (values: readonly number[]) => values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
const levels = [12345.678, -0.1, 1e-20, 3e7, -8.9e15];

/** @source https://github.com/pytorch/pytorch/issues/51102 and https://github.com/microsoft/onnxruntime/issues/28463 */
describe("rows that do not vary, or hardly", () => {
  let devices: Device[];
  beforeAll(async () => {
    devices = await everyDevice();
  });
  afterAll(() => devices.forEach((device) => device.close()));

  it("are 0 once they are normalised, whatever their level and length", async () => {
    for (const device of devices) {
      for (const n of sizes) {
        const x = Float32Array.from({ length: levels.length * n }, (_, i) => levels[Math.floor(i / n)]);
        const [y] = await evaluate(device, (own) => layerNorm(own), [[levels.length, n], x]);
        expect(largest(y), `${n} on ${device.name}`).toBe(0);
      }
    }
  });

  it("are their shift after a modulation, and the bias after a group norm", async () => {
    for (const device of devices) {
      const shift = normalNumbers(576, 1, 1);
      const [y] = await evaluate(
        device,
        (x, a, b) => modulatedLayerNorm(x, a, b),
        [[2, 3, 576], 12345.678],
        [
          [2, 1, 576],
          [...shift, ...shift],
        ],
        [[2, 1, 576], normalNumbers(1152, 1, 2)],
      );
      y.forEach((value, i) => expect(value).toBeCloseTo(shift[i % 576], 6));
      const [z] = await evaluate(device, (x) => groupNorm(x, 2, { bias: constant([1, 2, 3, 4]) }), [[2, 4, 24, 24], 12345.678]);
      z.forEach((value, i) => expect(value).toBe(1 + (Math.floor(i / 576) % 4)));
      if (device.name === "reference") continue;
      // More channels and pixels than fit into a thread's scratch memory.
      const [all] = await evaluate(device, (x) => mean(square(groupNorm(x, 1))), [[1, 33, 256, 256], 12345.678]);
      expect(all).toEqual([0]);
    }
  });

  it("have the right gradient: none of a constant, and otherwise that of the deviations", async () => {
    for (const device of devices) {
      for (const n of [17, 576, 20001]) {
        const own = (f: (y: Tensor) => Tensor) => (x: Tensor) => grad(f(layerNorm(x)), [x]);
        const [none] = await evaluate(
          device,
          own((y) => sum(mul(y, 0.1))),
          [[2, n], 12345.678],
        );
        expect(largest(none), `${n} on ${device.name}`).toBeLessThan(1e-12);
        const weights = normalNumbers(n, 5, 5);
        const level = weights.reduce((a, b) => a + b) / n;
        const [slopes] = await evaluate(
          device,
          own((y) => sum(mul(y, constant(weights)))),
          [[1, n], 12345.678],
        );
        // rstd is 1/√eps = 1000.
        slopes.forEach((slope, i) => expect(Math.abs(slope / 1000 - (weights[i] - level))).toBeLessThan(1e-5));
      }
    }
  });

  it("are normalised by their small deviations, not by what rounding takes from a large mean", async () => {
    for (const device of devices) {
      for (const [level, n] of [
        [40000, 4],
        [2000, 4],
        [1e6, 1024],
        [-3e7, 999],
      ] as const) {
        const ulp = 2 ** (Math.floor(Math.log2(Math.abs(level))) - 23);
        const deviations = Float64Array.from({ length: n }, (_, i) => 64 * ulp * ((i * 7) % 16));
        const average = deviations.reduce((a, b) => a + b) / n;
        const deviation = Math.sqrt(deviations.reduce((total, x) => total + (x - average) ** 2, 0) / n + 1e-6);
        const [y] = await evaluate(device, (x) => layerNorm(x), [[1, n], deviations.map((x) => level + x)]);
        // The mean is a float32 beside numbers that are whole multiples of their last place.
        y.forEach((value, i) => expect(Math.abs(value - (deviations[i] - average) / deviation), `${level}`).toBeLessThan(2e-3));
      }
    }
  });

  it("leave long sums of squares right to a few units in the last place", async () => {
    for (const device of devices) {
      for (const n of [576, 8192, 100000, 1000000]) {
        const losses = (x: Tensor) => [
          meanSquareLoss(x, constant(0)),
          mean(square(x)),
          mul(squaredNorm([x]), 1 / n),
          mean(square(sub(x, mean(x)))),
          mul(sum(x), 1 / n),
        ];
        const [a, b, c, spread, average] = await evaluate(device, (x) => losses(x), [[n], 0.1]);
        const squared = Math.fround(0.1) ** 2;
        for (const [got] of [a, b, c]) expect(Math.abs(got / squared - 1), `${n} on ${device.name}`).toBeLessThan(5e-7);
        expect(Math.abs(average[0] / Math.fround(0.1) - 1), `${n} on ${device.name}`).toBeLessThan(5e-7);
        expect(spread[0]).toBeLessThan(1e-14);
      }
      const columns = await evaluate(device, (x) => mean(square(x), 1), [[64, 20000, 3], 0.1]);
      for (const got of columns[0]) expect(Math.abs(got / Math.fround(0.1) ** 2 - 1)).toBeLessThan(3e-6);
    }
  });
});
