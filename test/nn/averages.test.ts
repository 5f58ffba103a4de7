import { describe, expect, it } from "vitest";
import { add, mul, sum } from "../../src/autograd/ops/index.js";
import { input, parameter, type Tensor } from "../../src/autograd/tensor.js";
import { reference } from "../../src/backend/reference/device.js";
import { adamW, type Gradients, gradientsOf, muon, type OptimizerStep, sgd, type WeightAverage } from "../../src/nn/index.js";
import { readParameter } from "../../src/program/parameters.js";
import { compile } from "../../src/program/program.js";

type Optimizer = (gradients: Gradients, average: readonly WeightAverage[]) => OptimizerStep;
const optimizers: Readonly<Record<string, Optimizer>> = {
  adamW: (gradients, average) => adamW(gradients, { lr: 0.1, average }),
  muon: (gradients, average) => muon(gradients, { lr: 0.1, average }),
  sgd: (gradients, average) => sgd(gradients, { lr: 0.1, average }),
};

/** Weights of a small model, averaged in three ways while they are trained: what they were at every step, and the averages. */
async function trained(optimizer: Optimizer, steps: number) {
  const device = reference();
  const shapes = { a: [2, 3], b: [2, 3], bias: [3] };
  const made = () => new Map(Object.entries(shapes).map(([name, shape]) => [name, parameter(shape)]));
  const weights = made();
  const averages = [made(), made(), made()];
  const x = input([3]);
  const loss = [...weights.values()].map((own) => sum(mul(add(own, -1), mul(add(own, -1), x)))).reduce((a, b) => add(a, b));
  const ways = [{ decay: 0.5 }, { horizon: 0.1 }, { horizon: 0.05 }];
  const average = averages.map((own, i): WeightAverage => ({ weights: own, ...ways[i] }));
  const { updates } = optimizer(gradientsOf(loss, weights), average);
  const program = compile(device, { inputs: { x }, updates });
  const numbers = async (tensors: ReadonlyMap<string, Tensor>) =>
    (await Promise.all([...tensors.values()].map(async (own) => [...(await readParameter(device, own))]))).flat();
  const seen: number[][] = [];
  for (let step = 0; step < steps; step++) {
    await program.run({ x: [1, 2, step] });
    seen.push(await numbers(weights));
  }
  return { seen, averages: await Promise.all(averages.map(numbers)) };
}

/** γ of a relative width, from its definition. */
const power = { 0.1: 6.94, 0.05: 16.97 } as const;

describe.each(Object.entries(optimizers))("averages of %s", (_, optimizer) => {
  it("are as wide as they were asked to be", async () => {
    const steps = 12;
    const { seen, averages } = await trained(optimizer, steps);
    const expected = (rate: (t: number) => number) =>
      seen.reduce<number[]>(
        (e, p, i) => p.map((value, j) => e[j] + rate(i + 1) * (value - e[j])),
        seen[0].map(() => 0),
      );
    const close = (own: readonly number[], want: readonly number[], digits: number) =>
      own.forEach((value, i) => expect(value).toBeCloseTo(want[i], digits));
    close(
      averages[0],
      expected((t) => 1 - Math.min(0.5, (1 + t) / (10 + t))),
      10,
    );
    close(
      averages[1],
      expected((t) => 1 - (1 - 1 / t) ** (power[0.1] + 1)),
      3,
    );
    close(
      averages[2],
      expected((t) => 1 - (1 - 1 / t) ** (power[0.05] + 1)),
      3,
    );
    // The first step is the average of all there is.
    const [first] = [await trained(optimizer, 1)];
    close(first.averages[1], first.seen[0], 10);
  });
});

it("an average needs one way to be one", () => {
  const w = parameter([2]);
  const gradients = gradientsOf(sum(w), new Map([["w", w]]));
  const weights = new Map([["w", parameter([2])]]);
  expect(() => adamW(gradients, { lr: 1, average: { weights } })).toThrow("needs a decay or a horizon, got neither");
  expect(() => adamW(gradients, { lr: 1, average: { weights, decay: 0.9, horizon: 0.1 } })).toThrow("got both");
  expect(() => adamW(gradients, { lr: 1, average: { weights, horizon: 0.5 } })).toThrow("above 0 and at most 0.25");
});
