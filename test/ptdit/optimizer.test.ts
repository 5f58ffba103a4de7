import { describe, expect, it } from "vitest";
import { add, sum } from "../../src/autograd/ops/index.js";
import { parameter } from "../../src/autograd/tensor.js";
import { reference } from "../../src/backend/reference/device.js";
import { wasmPlanning } from "../../src/backend/wasm/planning.js";
import { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { gradientsOf } from "../../src/nn/optimizers/index.js";
import { readParameter } from "../../src/program/parameters.js";
import { compile } from "../../src/program/program.js";
import { ptditConfig } from "../../src/ptdit/config.js";
import { optimizerStep } from "../../src/ptdit/optimizer.js";
import { type Preset, presets } from "../../src/ptdit/presets.js";
import { type Recipe, recipes } from "../../src/ptdit/recipes.js";
import { Trainer } from "../../src/ptdit/trainer.js";
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

describe("the optimiser of a run", () => {
  const captions = ["red apple", "green tree"];
  const planned = (preset: Preset, { model: changes, flow, training }: Recipe) => {
    const model = ptditConfig({ ...preset.config, ...changes(preset.config) });
    const size = model.sampleSize;
    const pictures = new Float32Array(captions.length * 3 * size ** 2);
    const data = new PictureSet({ name: "grey", size, captions, pictures });
    return new Trainer(wasmPlanning(), data, Tokenizer.fromCaptions(captions), { model, flow, training });
  };

  it("is Muon for the matrices of the blocks, by name, and AdamW for everything else", () => {
    const trainer = planned(presets.modern, recipes.long);
    const names = [...trainer.stateSource().keys()].filter((name) => name.startsWith("optimizer."));
    const kept = (part: string) =>
      names.flatMap((name) => (name.endsWith(`.${part}`) ? [name.slice("optimizer.".length, -part.length - 1)] : []));
    const { depth } = trainer.options.model;
    const attention = (of: string) => ["query", "key", "value", "out"].map((one) => `${of}.${one}`);
    const matrices = [
      ...["giim.proxyAttention", "giim.crossAttention", "window.attention", "shifted.attention", "text"].flatMap(attention),
      ...["giim.out", "shifted.out", "mlp.gate", "mlp.first", "mlp.second"],
    ];
    const blocks = Array.from({ length: depth }, (_, i) => matrices.map((name) => `model.blocks.${i}.${name}.weight`));
    expect(kept("momentum").sort()).toEqual(blocks.flat().sort());
    const learned = [...trainer.model.parameters().keys()];
    expect(kept("m").sort()).toEqual(learned.filter((name) => !blocks.flat().includes(name)).sort());
    expect(kept("v")).toEqual(kept("m"));
    expect(kept("m")).toEqual(
      expect.arrayContaining([
        ...["text.words.weight", "model.patchEmbed.weight", "model.final.out.weight", "model.blocks.0.modulation"],
        ...["model.conditioning.pooled.first.weight", "model.caption.first.weight", "model.blocks.0.mlp.first.bias"],
      ]),
    );
    trainer.dispose();
  });

  it("orthogonalises all matrices of a shape together: three products an iteration for each shape", () => {
    const trainer = planned(presets.nano, recipes.clean);
    const { model, options, stepProgram } = trainer;
    const blocks = [...model.parameters()].filter(
      ([name, { shape }]) => /\.blocks\..*weight$/.test(name) && shape.length === 2,
    );
    const shapes = new Set(blocks.map(([, { shape }]) => shape.join()));
    expect([blocks.length, shapes.size]).toEqual([144, 3]);
    const calls = stepProgram.steps.filter(({ scope, op }) => scope === "muon" && op === "matmul");
    expect(calls).toHaveLength(3 * options.training.muonIterations * shapes.size);
    trainer.dispose();
  });
});
