import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { grad } from "../../src/autograd/grad.js";
import { mean, sigmoid } from "../../src/autograd/ops/index.js";
import { input } from "../../src/autograd/tensor.js";
import { reference } from "../../src/backend/reference/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { gradcheck } from "../../src/program/gradcheck.js";
import { compile } from "../../src/program/program.js";
import { flowLosses } from "../../src/ptdit/losses.js";
import { paths } from "../../src/ptdit/paths/index.js";

type Name = "u" | "x0" | "noise" | "prediction" | "z" | "loss" | "gradient" | "velocity" | "implied";
type Fixture = Readonly<Record<Name, readonly number[]>> & { readonly shape: readonly number[] };
const fixture: Fixture = JSON.parse(readFileSync(new URL("../fixtures/x.json", import.meta.url), "utf8"));
const { shape } = fixture;

/** All that the fixture says, recorded. */
function recorded() {
  const inputs = { x0: input(shape), noise: input(shape), prediction: input(shape), u: input([shape[0]]) };
  const { x0, noise, prediction, u } = inputs;
  const loss = flowLosses(() => prediction, { x0, noise, u }, paths.x);
  const z = paths.x.addNoise(x0, noise, u);
  const [gradient] = grad(mean(loss), [prediction]);
  const velocity = paths.x.velocity(z, prediction, u);
  const implied = paths.x.noise(z, prediction, u);
  return { inputs, outputs: { loss, z, gradient, velocity, implied } };
}

describe("x-prediction", () => {
  it.each([
    ["reference", () => reference(), 1e-12],
    ["wasm", () => wasm({ threads: 1 }), 2e-6],
  ] as const)("weighs, moves and learns as the fixture says, on %s", async (_, device, tolerance) => {
    const { x0, noise, prediction, u } = fixture;
    const results = await compile(await device(), recorded()).run({ x0, noise, prediction, u });
    for (const name of ["loss", "z", "gradient", "velocity", "implied"] as const) {
      results[name].data.forEach((value, i) => {
        const want = fixture[name][i];
        expect(Math.abs(value - want) / (1 + Math.abs(want)), `${name} ${i}`).toBeLessThan(tolerance);
      });
      expect(results[name].data.length).toBe(fixture[name].length);
    }
  });

  it.each([0.02, 0.3, 5])("counts errors above %d by their size, as the formula says", async (huber) => {
    const { x0, noise, prediction, u } = fixture;
    const inputs = { x0: input(shape), noise: input(shape), prediction: input(shape), u: input([shape[0]]) };
    const loss = flowLosses(() => inputs.prediction, inputs, paths.x, { huber });
    const results = await compile(await reference(), { inputs, outputs: { loss } }).run({ x0, noise, prediction, u });
    const numbers = x0.length / shape[0];
    results.loss.data.forEach((value, sample) => {
      const errors = Array.from({ length: numbers }, (_, i) => {
        const place = sample * numbers + i;
        return (prediction[place] - x0[place]) / Math.max(u[sample], 0.05);
      });
      const counts = errors.map((error) => 2 * huber * (Math.hypot(error, huber) - huber));
      const want = counts.reduce((sum, one) => sum + one) / numbers;
      expect(Math.abs(value / want - 1)).toBeLessThan(1e-10);
    });
  });

  it.each([0, 0.1])("has the gradient of its loss, with huber %d", async (huber) => {
    const { ok } = await gradcheck(
      (prediction, x0, noise, logit) => {
        // u stays off the corner of the weight at 0.05.
        const u = sigmoid(logit);
        return flowLosses(() => prediction, { x0, noise, u }, paths.x, { huber });
      },
      [[2, 1, 1, 2, 2], [2, 1, 1, 2, 2], [2, 1, 1, 2, 2], [2]],
    );
    expect(ok).toBe(true);
  });
});
