import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { grad } from "../../src/autograd/grad.js";
import { attention, gelu, mul, silu, sum } from "../../src/autograd/ops/index.js";
import { input, parameter } from "../../src/autograd/tensor.js";
import type { Device } from "../../src/backend/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { gradientsOf, muon, sgd } from "../../src/nn/optimizers/index.js";
import { readParameter, releaseParameters } from "../../src/program/parameters.js";
import { compile } from "../../src/program/program.js";
import { evaluate } from "./evaluate.js";

/** A denormal operand makes a product of matrices up to thirty times slower: after 7,500 steps, in which more and more hidden units had come
 *  to lie far below 0, a training step took 3.2 times as long as at first. So gradients that small must be 0. */
describe("what has all but vanished", () => {
  const smallest = 2 ** -126;
  let devices: Device[];
  beforeAll(async () => {
    devices = await Promise.all((["simd", "relaxed"] as const).map((vectors) => wasm({ threads: 1, vectors })));
  });
  afterAll(() => devices.forEach((device) => device.close()));

  const denormals = (numbers: readonly number[]) => numbers.filter((x) => x !== 0 && Math.abs(x) < smallest);

  it("in an activation leaves no denormals, in its value and in a small gradient", async () => {
    const x = Array.from({ length: 4001 }, (_, i) => -i / 20);
    for (const device of devices) {
      for (const activation of [gelu, silu]) {
        const [value, slope] = await evaluate(
          device,
          (x) => {
            const y = activation(x);
            return [mul(y, 1e-15), ...grad(mul(sum(y), 1e-15), [x])];
          },
          [[x.length], x],
        );
        for (const numbers of [value, slope]) {
          expect(denormals(numbers), `${activation.name} on ${device.name}`).toEqual([]);
          expect(numbers.filter((x) => x !== 0).length, `${activation.name} on ${device.name}`).toBeGreaterThan(100);
        }
      }
    }
  });

  it("of attention leaves none in the gradients of queries, keys and values", async () => {
    const [queries, keys] = [4, 90];
    const far = Array.from({ length: keys }, (_, i) => [-1.1 * i, 1]).flat();
    for (const device of devices) {
      const gradients = await evaluate(
        device,
        (q, k, v) => grad(mul(sum(attention(q, k, v, 1)), 1e-15), [q, k, v]),
        [[1, queries, 2], Array.from({ length: queries }, () => [Math.SQRT2, 0]).flat()],
        [[1, keys, 2], far],
        [[1, keys, 2], Array.from({ length: 2 * keys }, (_, i) => Math.cos(i))],
      );
      for (const numbers of gradients) expect(denormals(numbers), device.name).toEqual([]);
      expect(gradients[1].filter((x) => x !== 0).length, device.name).toBeGreaterThan(30);
    }
  });

  it("of a momentum is gone some steps after the gradients have ended", async () => {
    for (const device of devices) {
      for (const optimizer of [muon, sgd]) {
        const [p, scale] = [parameter([2, 3]), input([])];
        const gradients = gradientsOf(sum(mul(p, scale)), new Map([["p", p]]));
        const { updates, state } = optimizer(gradients, { lr: 1e-3, momentum: 0.5 });
        const momentum = state.get("p.momentum")!;
        const program = compile(device, { inputs: { scale }, updates });
        for (let step = 0; step < 130; step++) {
          await program.run({ scale: step === 0 ? 1e-3 : 0 });
          const now = Array.from(await readParameter(device, momentum));
          expect(denormals(now), `${optimizer.name}, step ${step}`).toEqual([]);
          if (step < 50) expect(Math.min(...now.map(Math.abs)), `${optimizer.name}, step ${step}`).toBeGreaterThan(0);
        }
        program.dispose();
        releaseParameters(device, [p, momentum]);
      }
    }
  });
});
