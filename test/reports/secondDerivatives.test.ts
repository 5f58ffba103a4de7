import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { grad } from "../../src/autograd/grad.js";
import { adamWStep } from "../../src/autograd/ops/adamW.js";
import * as ops from "../../src/autograd/ops/index.js";
import { checkpoint, constant, input, type Tensor } from "../../src/autograd/tensor.js";
import type { Device } from "../../src/backend/device.js";
import { normalNumbers } from "../../src/base/random.js";
import { evaluate, everyDevice } from "./evaluate.js";

const { mul, sum } = ops;

/** @source https://github.com/itsubaki/autograd/issues/30 */
describe("second derivatives", () => {
  let devices: Device[];
  beforeAll(async () => {
    devices = await everyDevice();
  });
  afterAll(() => devices.forEach((device) => device.close()));

  const twice = (f: (x: Tensor) => Tensor) => (x: Tensor) => grad(sum(grad(sum(f(x)), [x])[0]), [x]);

  // φ(x)(2 - x²), σ(1-σ)(2 + x(1-2σ)), and the tanh form's, to ten digits.
  const activations: [name: "gelu" | "geluErf" | "silu", curvature: readonly [at: number, value: number][]][] = [
    ["gelu", [[0.5, 0.61550689512]]],
    [
      "geluErf",
      [
        [0.5, 0.61611432184],
        [0, 0.7978845608],
        [-2, -0.10798193303],
      ],
    ],
    [
      "silu",
      [
        [0.5, 0.44122902698],
        [0, 0.5],
      ],
    ],
  ];
  for (const [name, values] of activations) {
    it(`of ${name} are there, and end at 0`, async () => {
      for (const device of devices) {
        const x = [...values.map(([at]) => at), -1e4, 1e4, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
        const [got] = await evaluate(device, twice(ops[name]), [[x.length], x]);
        [...values.map(([, value]) => value), 0, 0, 0, 0].forEach((value, i) =>
          expect(got[i], `${name} ${x[i]}`).toBeCloseTo(value, 6),
        );
      }
    });

    it(`of ${name} times a gradient check's first weight are what was missed`, async () => {
      const weight = normalNumbers(1, 0, 999)[0];
      for (const device of devices) {
        const [got] = await evaluate(device, (x) => mul(twice(ops[name])(x)[0], weight), [[1], [0.5]]);
        expect(got[0]).toBeCloseTo({ gelu: -0.728, geluErf: -0.729, silu: -0.522 }[name], 3);
      }
    });
  }

  it("are the same through a checkpointed segment", async () => {
    const f = (x: Tensor) => ops.gelu(ops.layerNorm(mul(x, x)));
    for (const device of devices) {
      const both = (x: Tensor) => [
        ...twice((t) => mul(f(t), constant([1, 2, 3, 4])))(x),
        ...twice((t) =>
          mul(
            checkpoint(() => f(t)),
            constant([1, 2, 3, 4]),
          ),
        )(x),
      ];
      const [plain, again] = await evaluate(device, both, [[2, 4], normalNumbers(8, 1, 1)]);
      expect(again).toEqual(plain);
    }
  });

  it("train on the size of a gradient, as a critic's penalty does", async () => {
    // The penalty (|d/dx c(x)| - 1)² and its gradient with respect to a weight, beside central differences in the weight.
    const penalty = (w: Tensor) => {
      const x = constant(normalNumbers(6, 2, 2), [2, 3]);
      const critic = sum(ops.tanh(ops.linear(ops.softmax(ops.layerNorm(x)), w)));
      const size = ops.sqrt(sum(ops.square(grad(critic, [x])[0])));
      return ops.square(ops.sub(size, 1));
    };
    const w = normalNumbers(12, 3, 3);
    const [slopes] = await evaluate(devices[0], (own) => grad(penalty(own), [own]), [[4, 3], w]);
    for (const [i, slope] of slopes.entries()) {
      const at = async (step: number) =>
        (await evaluate(devices[0], penalty, [[4, 3], w.map((x, j) => (j === i ? x + step : x))]))[0][0];
      expect(slope).toBeCloseTo(((await at(1e-5)) - (await at(-1e-5))) / 2e-5, 7);
    }
  });

  it("are refused by name where there is no rule", () => {
    const q = input([1, 2, 4]);
    const [dq] = grad(sum(ops.attention(q, q, q, 2)), [q]) as [Tensor];
    expect(() => grad(sum(dq), [q])).toThrow("attention has no second derivative: attentionGrad has no gradient");
    const [w, one] = [input([3]), constant(1)];
    const numbers = { factor: one, stepSize: one, rootCorrection: one, remainder: one, guard: one };
    const lists = { weights: [w], gradients: [w], m: [w], v: [w] };
    const step = adamWStep({ ...lists, ...numbers }, { beta1: 0.9, beta2: 0.99, eps: 1e-8 });
    expect(() => grad(sum(step.weights[0]), [w])).toThrow("adamW has no gradient");
  });
});
