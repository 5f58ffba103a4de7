/** Trains one variant for as many multiply-adds as all others get, and measures its samples. */
import type { Device } from "../../src/backend/device.js";
import { wasmPlanning } from "../../src/backend/wasm/planning.js";
import type { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { ptditConfig } from "../../src/ptdit/config.js";
import { lossByTimestep, retrieval } from "../../src/ptdit/evaluate.js";
import { fidelity } from "../../src/ptdit/fidelity.js";
import { Generator } from "../../src/ptdit/generate.js";
import { presets } from "../../src/ptdit/presets.js";
import { Trainer } from "../../src/ptdit/trainer.js";
import { type VariantName, variants } from "./variants.js";

/** What a run of a variant came to. */
export interface VariantResult {
  readonly variant: VariantName;
  readonly data: string;
  readonly seed: number;
  /** Multiply-adds of all steps. */
  readonly multiplyAdds: number;
  readonly steps: number;
  readonly top1: number;
  readonly psnr: number | null;
  readonly hf: number | null;
  readonly seam: number | null;
  /** Mean loss of every tenth of noise; in the units of what is predicted. */
  readonly losses: readonly number[];
}

function trainerOf(device: Device, data: PictureSet, variant: VariantName, seed: number): Trainer {
  const { flow, training, ...recipe } = variants[variant].recipe;
  const { config } = presets.nano;
  const model = ptditConfig({ ...config, ...recipe.model(config) });
  const tokenizer = Tokenizer.fromCaptions(data.captions);
  return new Trainer(device, data, tokenizer, { model, flow, training: { ...training, seed } });
}

/** Multiply-adds of a step. */
const costOf = ({ stepProgram }: Trainer): number => stepProgram.steps.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);

/** Multiply-adds of so many steps of the recipe. */
export function budgetOf(data: PictureSet, steps: number): number {
  return steps * costOf(trainerOf(wasmPlanning(), data, "clean", 0));
}

/** Pictures of a measure: drawn without guidance, in eight steps, whatever the recipe's own way to draw. */
const drawing = { steps: 8, guidance: 1, seed: 0 } as const;

export async function runVariant(
  device: Device,
  data: PictureSet,
  { variant, seed, budget }: { readonly variant: VariantName; readonly seed: number; readonly budget: number },
): Promise<VariantResult> {
  const { recipe } = variants[variant];
  const trainer = trainerOf(device, data, variant, seed);
  const { tokenizer } = trainer;
  try {
    const cost = costOf(trainer);
    const steps = Math.round(budget / cost);
    trainer.plan(steps);
    for (let step = 0; step < steps; step++) await trainer.next();
    const generator = new Generator(device, trainer.average, recipe.flow, data.size);
    const samples = await generator.pictures(data.captions, drawing);
    generator.dispose();
    const { top1 } = await retrieval(samples, data, tokenizer);
    const { psnr, hf, seam } = await fidelity(samples, data, trainer.options.model.patch, tokenizer);
    const losses = await lossByTimestep(device, trainer.average, recipe.flow, data);
    const shown = losses.map((loss) => Number(loss.toPrecision(4)));
    const name = data.name;
    return { variant, data: name, seed, multiplyAdds: cost * steps, steps, top1, psnr, hf, seam, losses: shown };
  } finally {
    trainer.dispose();
  }
}
