import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { grad } from "../../src/autograd/grad.js";
import { cos, sin, sinusoid, sum, tanh } from "../../src/autograd/ops/index.js";
import { input, type Tensor } from "../../src/autograd/tensor.js";
import type { Device } from "../../src/backend/device.js";
import { evaluate, everyDevice } from "./evaluate.js";

const largest = 3.4028234663852886e38;
/** Numbers of every size that float32 has from 2⁻²⁰ up. */
const everySize = Float32Array.from({ length: 20000 }, (_, i) => {
  const x = 2 ** (-20 + (148 * i) / 20000) * (1 + ((i * 7919) % 1000) / 1e6);
  return Math.min(x, largest) * (i % 2 === 0 ? 1 : -1);
});

let devices: Device[];
beforeAll(async () => {
  devices = await everyDevice();
});
afterAll(() => devices.forEach((device) => device.close()));

/** @source https://github.com/ml-explore/mlx/pull/4157 and https://github.com/stdlib-js/stdlib/issues/10846 */
describe("sin and cos of large arguments", () => {
  it("are right up to the largest float32, and never outside -1..1", async () => {
    const known: [x: number, sine: number, cosine: number][] = [
      [1e10, -0.48750602508751, 0.873119622676856],
      [-1e10, 0.48750602508751, 0.873119622676856],
      [3e9, Math.sin(3e9), Math.cos(3e9)],
      [largest, -0.521876523336585, 0.853021035495128],
    ];
    for (const device of devices) {
      const [sines, cosines] = await evaluate(device, (x) => [sin(x), cos(x)], [[known.length], known.map(([x]) => x)]);
      known.forEach(([x, sine, cosine], i) => {
        expect(sines[i], `sin ${x}`).toBeCloseTo(sine, 6);
        expect(cosines[i], `cos ${x}`).toBeCloseTo(cosine, 6);
      });
      const both = await evaluate(device, (x) => [sin(x), cos(x)], [[everySize.length], everySize]);
      for (const [k, truth] of [Math.sin, Math.cos].entries()) {
        let [worst, outermost] = [0, 0];
        both[k].forEach((y, i) => {
          worst = Math.max(worst, Math.abs(y - truth(everySize[i])));
          outermost = Math.max(outermost, Math.abs(y));
        });
        expect(worst, device.name).toBeLessThan(2e-7);
        expect(outermost, device.name).toBeLessThanOrEqual(1);
      }
    }
  });

  it("are NaN of infinities, among numbers that are not", async () => {
    for (const device of devices) {
      const [y] = await evaluate(device, sin, [
        [5],
        [1, Number.POSITIVE_INFINITY, 2 ** 66, Number.NEGATIVE_INFINITY, Number.NaN],
      ]);
      expect(y).toEqual([
        expect.closeTo(Math.sin(1), 6),
        Number.NaN,
        expect.closeTo(Math.sin(2 ** 66), 6),
        Number.NaN,
        Number.NaN,
      ]);
    }
  });

  it("give features of any time, each frequency its own", async () => {
    const times = [1e10, -3.3e15, 1e30, 5e5].map(Math.fround);
    for (const device of devices) {
      const [y] = await evaluate(device, (t) => sinusoid(t, 14, 100), [[4], times]);
      times.forEach((time, row) => {
        for (let k = 0; k < 7; k++) {
          // Frequencies are powers of a decay: what rounding takes from one is multiplied by the time.
          const tolerance = 1e-6 + Math.abs(time) * 100 ** (-k / 7) * (k === 0 ? 0 : 1e-15);
          if (tolerance > 0.1) continue;
          const angle = time * 100 ** (-k / 7);
          expect(Math.abs(y[14 * row + k] - Math.cos(angle))).toBeLessThan(tolerance);
          expect(Math.abs(y[14 * row + 7 + k] - Math.sin(angle))).toBeLessThan(tolerance);
        }
      });
      expect(Math.max(...y.map(Math.abs))).toBeLessThanOrEqual(1);
    }
    expect(() => sinusoid(input([1]), 7)).toThrow("width must be an even number");
  });
});

describe("tanh of large arguments", () => {
  it("is exactly 1 or -1, and has no gradient there", async () => {
    const x = [9.5, 10, 20, 1e3, 1e30, Number.POSITIVE_INFINITY];
    for (const device of devices) {
      const both = (t: Tensor) => [tanh(t), ...grad(sum(tanh(t)), [t])];
      const [y, slopes] = await evaluate(device, both, [[12], [...x, ...x.map((own) => -own)]]);
      y.forEach((value, i) => expect(value).toBeCloseTo(i < 6 ? 1 : -1, device.name === "reference" ? 7 : 15));
      slopes.forEach((slope) => expect(slope).toBeCloseTo(0, device.name === "reference" ? 7 : 15));
    }
  });

  it("comes to its ends within a few units in the last place", async () => {
    const x = Float32Array.from({ length: 4000 }, (_, i) => 6 + i / 1000);
    for (const device of devices) {
      const [y] = await evaluate(device, tanh, [[x.length], x]);
      y.forEach((value, i) => expect(Math.abs(value - Math.tanh(x[i]))).toBeLessThan(3e-7));
    }
  });
});
