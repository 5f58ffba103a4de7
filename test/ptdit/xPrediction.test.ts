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

  it("has the gradient of its loss", async () => {
    const { ok } = await gradcheck(
      (prediction, x0, noise, logit) => {
        // u stays off the corner of the weight at 0.05.
        const u = sigmoid(logit);
        return flowLosses(() => prediction, { x0, noise, u }, paths.x);
      },
      [[2, 1, 1, 2, 2], [2, 1, 1, 2, 2], [2, 1, 1, 2, 2], [2]],
    );
    expect(ok).toBe(true);
  });
});
