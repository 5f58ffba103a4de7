import { describe, expect, it } from "vitest";
import { add, sum } from "../../src/autograd/ops/index.js";
import { parameter } from "../../src/autograd/tensor.js";
import { reference } from "../../src/backend/reference/device.js";
import { gradientsOf } from "../../src/nn/optimizers/index.js";
import { readParameter } from "../../src/program/parameters.js";
import { compile } from "../../src/program/program.js";
import { optimizerStep } from "../../src/ptdit/optimizer.js";
import { defaultTraining } from "../../src/ptdit/trainingConfig.js";

const shapes = {
  "model.blocks.0.mlp.first.weight": [2, 3],
  "model.blocks.0.mlp.first.bias": [2],
  "model.final.linear.weight": [2, 3],
  "text.words.weight": [2, 3],
} as const;

describe("the optimiser of a training", () => {
  it.each(["muon", "adamW"] as const)("%s shrinks the matrices of blocks, and nothing else", async (optimizer) => {
    const device = reference();
    const lr = 1e-2;
    const weightsAfter = async (weightDecay: number) => {
      const parameters = new Map(Object.entries(shapes).map(([name, shape]) => [name, parameter(shape)]));
      const loss = [...parameters.values()].map((x) => sum(x)).reduce(add);
      const training = { ...defaultTraining, optimizer, weightDecay };
      const program = compile(device, { updates: optimizerStep(gradientsOf(loss, parameters), training, { lr }).updates });
      // Parameters without numbers are 0, which does not shrink: the first step moves them, the second shrinks that.
      for (let step = 0; step < 2; step++) await program.run({});
      return new Map(
        await Promise.all([...parameters].map(async ([name, x]) => [name, await readParameter(device, x)] as const)),
      );
    };
    const [plain, decayed] = [await weightsAfter(0), await weightsAfter(0.5)];
    for (const [name, weights] of plain) {
      const shrinks = name === "model.blocks.0.mlp.first.weight";
      expect(decayed.get(name)![0] === weights[0], name).toBe(!shrinks);
      if (shrinks) expect(Math.abs(decayed.get(name)![0])).toBeLessThan(Math.abs(weights[0]));
    }
  });
});
