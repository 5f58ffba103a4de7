import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { add, concat, cos, div, mul, neg, reshape, sin, split, square, sub } from "../../src/autograd/ops/index.js";
import type { Tensor } from "../../src/autograd/tensor.js";
import type { HostArray } from "../../src/backend/host.js";
import { reference } from "../../src/backend/reference/device.js";
import { flowConfig } from "../../src/ptdit/flow.js";
import { type Path, type Prediction, paths, predictions } from "../../src/ptdit/paths/index.js";
import { Sampler } from "../../src/ptdit/sampler.js";
import { type SolverName, solverNames, solvers } from "../../src/ptdit/solvers/index.js";
import type { Predictor } from "../../src/ptdit/stepProgram.js";

const device = reference();
afterAll(() => device.close());
const shape = [2, 1, 1, 1, 2];
const noise = [-1.3, -0.2, 0.4, 1.1];

/** Largest distance from what the equation has at its end. */
async function errorOf(
  predictor: Predictor,
  want: (z: number) => number,
  {
    method,
    steps,
    prediction = "flow",
    ratio = 1,
  }: { method: SolverName; steps: number; prediction?: Prediction; ratio?: number },
): Promise<number> {
  const sampler = new Sampler(device, predictor, {}, { shape, flow: flowConfig({ prediction, ratio }), guided: false, method });
  const own = await sampler.sample({}, { steps, noise });
  sampler.dispose();
  return Math.max(...noise.map((z, i) => Math.abs((own[i] ?? Number.NaN) - want(z))));
}

/** dz/ds = -cos(2s) z³ with s = 1 - u: z(1) = z(0) / √(1 + z(0)² sin 2). */
const oscillating: Predictor = (z, t) => {
  const s = sub(1, div(reshape(t, [t.size, 1, 1, 1, 1]), 1000));
  return neg(mul(mul(z, square(z)), cos(mul(s, 2))));
};
const oscillated = (z: number) => z / Math.sqrt(1 + z * z * Math.sin(2));

/** What a perfect model says of data that are normal with this mean and deviation: x₀ and ε have normal posteriors of one factor. */
const [mean, deviation] = [0.7, 0.3];
const perfect =
  (path: Path): Predictor =>
  (z, t) => {
    const u = div(t, 1000);
    const zero = mul(z, 0);
    const [alpha, sigma] = [path.addNoise(add(zero, 1), zero, u), path.addNoise(zero, add(zero, 1), u)];
    const away = div(sub(z, mul(alpha, mean)), add(square(mul(alpha, deviation)), square(sigma)));
    const x0 = add(mul(mul(away, alpha), deviation ** 2), mean);
    return path.target(x0, mul(away, sigma), u);
  };

describe.each(solverNames)("%s", (method) => {
  const { order } = solvers[method];
  it.each([1, 4])(`comes nearer by order ${order} with timesteps of ratio %d`, async (ratio) => {
    const error = (steps: number) => errorOf(oscillating, oscillated, { method, steps, ratio });
    const [coarse, fine] = [await error(256), await error(512)];
    expect(Math.log2(coarse / fine)).toBeGreaterThan(order - 0.15);
    expect(Math.log2(coarse / fine)).toBeLessThan(order + 0.35);
  });

  it.each(predictions)("carries noise to normal data by predictions of %s", async (prediction) => {
    const want = (z: number) => mean + deviation * z;
    const error = await errorOf(perfect(paths[prediction]), want, { method, steps: 200, prediction });
    // A prediction of noise says nothing at u = 1: the way begins just below.
    expect(error).toBeLessThan(order === 1 || prediction === "epsilon" ? 2e-2 : 3e-4);
  });

  it("takes a single step, too", async () => {
    const one = await errorOf(oscillating, (z) => z - z ** 3, { method, steps: 1 });
    expect(one).toBeLessThan(1e-12);
  });
});

describe("a sampler", () => {
  it("gives the same samples again: what a solver kept of the last ones is not read", async () => {
    const flow = flowConfig({ ratio: 1 });
    for (const method of solverNames) {
      const sampler = new Sampler(device, oscillating, {}, { shape, flow, guided: false, method });
      const first = await sampler.sample({}, { steps: 3, noise });
      await sampler.sample({}, { steps: 5, noise: noise.map((z) => 100 * z) });
      expect(await sampler.sample({}, { steps: 3, noise })).toEqual(first);
      sampler.dispose();
    }
  });

  it("asks the model once a step, Heun's twice", () => {
    const asked = (method: SolverName) => {
      let calls = 0;
      const counting: Predictor = (z: Tensor, t: Tensor) => {
        calls++;
        return mul(z, sin(reshape(t, [t.size, 1, 1, 1, 1])));
      };
      new Sampler(device, counting, {}, { shape, flow: flowConfig(), guided: false, method }).dispose();
      return calls;
    };
    // One call for each program: a first or last step of another kind is one of its own.
    expect(Object.fromEntries(solverNames.map((name) => [name, asked(name)]))).toEqual({ euler: 1, heun: 3, ab2: 2 });
  });
});

describe("CFG-Zero*", () => {
  /** A model of two halves: with the caption -z, without it what is given of z. */
  const halves =
    (without: (z: Tensor) => Tensor): Predictor =>
    (z) => {
      const [own, copy] = split(z, 0, 2);
      return concat([neg(own), without(copy)], 0);
    };
  const sampled = async (predictor: Predictor, cfgZero: boolean, steps = 5) => {
    const sampler = new Sampler(device, predictor, {}, { shape, flow: flowConfig(), guided: true, cfgZero });
    const latents: number[][] = [];
    const onStep = async (_step: number, _steps: number, own: () => Promise<HostArray>) =>
      void latents.push([...(await own())]);
    await sampler.sample({}, { steps, noise, guidance: 3, onStep });
    sampler.dispose();
    return latents;
  };
  let unguided: number[];
  beforeAll(async () => {
    const sampler = new Sampler(device, (z) => neg(z), {}, { shape, flow: flowConfig(), guided: false });
    unguided = [...(await sampler.sample({}, { steps: 5, noise }))];
  });
  const close = (a: readonly number[], b: readonly number[]) => a.forEach((x, i) => expect(x).toBeCloseTo(b[i], 6));

  it("goes where the caption says if both halves say one direction, however far the other goes", async () => {
    close(
      (
        await sampled(
          halves((z) => mul(z, -0.2)),
          true,
        )
      ).at(-1) ?? [],
      unguided,
    );
    close(
      (
        await sampled(
          halves((z) => mul(z, 4)),
          true,
        )
      ).at(-1) ?? [],
      unguided,
    );
    const plain =
      (
        await sampled(
          halves((z) => mul(z, -0.2)),
          false,
        )
      ).at(-1) ?? [];
    expect(Math.max(...plain.map((x, i) => Math.abs(x - unguided[i])))).toBeGreaterThan(0.1);
  });

  it("scales every sample by itself: v = s v₀ + 3 (v₁ - s v₀), s = Σ v₁ v₀ / Σ v₀²", async () => {
    const [first] = await sampled(
      halves((z) => add(mul(z, -0.5), 1)),
      true,
      1,
    );
    const expected = [0, 2].flatMap((at) => {
      const z = noise.slice(at, at + 2);
      const [own, without] = [z.map((x) => -x), z.map((x) => -0.5 * x + 1)];
      const s = (own[0] * without[0] + own[1] * without[1]) / (without[0] ** 2 + without[1] ** 2 + 1e-8);
      return z.map((x, i) => x + s * without[i] + 3 * (own[i] - s * without[i]));
    });
    close(first, expected);
  });

  it("stands still in the first 4 % of the steps", async () => {
    const latents = await sampled(
      halves((z) => mul(z, -0.2)),
      true,
      50,
    );
    close(latents[0], noise);
    close(latents[1], noise);
    expect(latents[2]).not.toEqual(latents[1]);
  });
});
