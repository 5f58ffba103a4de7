import { describe, expect, it } from "vitest";
import { input, parameter } from "../../src/autograd/tensor.js";
import { adamW } from "../../src/nn/optimizers/index.js";
import { readParameter } from "../../src/program/parameters.js";
import { compile } from "../../src/program/program.js";
import { everyDevice } from "./evaluate.js";

const lr = 0.125;

/** A weight of 0 after steps of AdamW without decay, with these gradients. */
async function weightsAfter(gradients: readonly (readonly number[])[], eps: number): Promise<number[][]> {
  const devices = await everyDevice();
  return Promise.all(
    devices.map(async (device) => {
      const [p, g] = [parameter([(gradients[0] as number[]).length]), input([(gradients[0] as number[]).length])];
      const { updates } = adamW(new Map([["p", { parameter: p, gradient: g }]]), { lr, eps, weightDecay: 0 });
      const step = compile(device, { inputs: { g }, updates });
      for (const own of gradients) await step.run({ g: own });
      const weights = Array.from(await readParameter(device, p));
      device.close();
      return weights;
    }),
  );
}

/** The rule, in float64. */
function expected(gradients: readonly number[], eps: number): number {
  let [p, m, v] = [0, 0, 0];
  gradients.forEach((g, i) => {
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    if (m !== 0) p -= (lr * (m / (1 - 0.9 ** (i + 1)))) / (Math.sqrt(v / (1 - 0.999 ** (i + 1))) + eps);
  });
  return p;
}

/** @source https://github.com/google-deepmind/optax/pull/1769 */
describe("AdamW with gradients whose squares are tiny", () => {
  it("moves as far as its rule says", async () => {
    const sizes = [3e-14, -3e-14, 1e-16, 7e-17, -1e-17, 4e-18, 1e-3, 2e5];
    for (const eps of [1e-15, 1e-17, 1e-8, 0]) {
      const steps = [1, 1, -0.5, 1, 0.25].map((factor) => sizes.map((size) => size * factor));
      const want = sizes.map((_, i) =>
        expected(
          steps.map((own) => own[i]),
          eps,
        ),
      );
      for (const weights of await weightsAfter(steps, eps)) {
        weights.forEach((weight, i) => expect(weight / want[i], `g ${sizes[i]}, eps ${eps}`).toBeCloseTo(1, 4));
      }
    }
  });

  it("never moves farther than that where the square has vanished, nor anywhere without a gradient or an eps", async () => {
    const sizes = [0, 1e-18, 1e-20, 1e-25, 1e-30, 1e-37, 1e-44];
    for (const eps of [0, 1e-20, 1e-8]) {
      for (const weights of await weightsAfter([sizes, sizes.map((x) => -x), sizes.map(() => 0), sizes], eps)) {
        for (const weight of weights) expect(Math.abs(weight)).toBeLessThanOrEqual(4 * lr);
        expect(weights[0]).toBe(0);
      }
    }
  });

  it("lets moments vanish together when gradients end", async () => {
    const gone = Array.from({ length: 400 }, () => [0]);
    for (const weights of await weightsAfter([[1e-12], ...gone], 0)) {
      expect(weights[0]).toBeCloseTo(expected([1e-12, ...gone.map(() => 0)], 0), 4);
    }
  });
});
