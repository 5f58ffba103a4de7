/** Trains one variant for as many multiply-adds as all others get, and measures its samples. */
import type { Device } from "../../src/backend/device.js";
import { wasmPlanning } from "../../src/backend/wasm/planning.js";
import type { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { ptditConfig } from "../../src/ptdit/config.js";
import { lossByTimestep } from "../../src/ptdit/evaluate.js";
import { Generator } from "../../src/ptdit/generate.js";
import { judge } from "../../src/ptdit/judge.js";
import { presets } from "../../src/ptdit/presets.js";
import { Trainer } from "../../src/ptdit/trainer.js";
import { type VariantName, variants } from "./variants.js";

/** What a run of a variant came to. */
export interface VariantResult {
  readonly variant: VariantName;
  readonly data: string;
  readonly seed: number;
  /** Multiply-adds that all variants get, and those of as many whole steps. */
  readonly budget: number;
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

/** Multiply-adds of so many steps of the recipe. */
export function budgetOf(data: PictureSet, steps: number): number {
  return steps * trainerOf(wasmPlanning(), data, "clean", 0).stepProgram.multiplyAdds;
}

/** Pictures of a measure: drawn without guidance, in eight steps, whatever the recipe's own way to draw. */
const drawing = { steps: 8, guidance: 1, seed: 0 } as const;

/** Trains a variant with a seed, and measures what its averaged weights draw. */
export async function runVariant(
  device: Device,
  data: PictureSet,
  { variant, seed, budget }: { readonly variant: VariantName; readonly seed: number; readonly budget: number },
): Promise<VariantResult> {
  const { recipe } = variants[variant];
  const trainer = trainerOf(device, data, variant, seed);
  try {
    const cost = trainer.stepProgram.multiplyAdds;
    const steps = Math.round(budget / cost);
    trainer.plan(steps);
    for (let step = 0; step < steps; step++) await trainer.next();
    const generator = new Generator(device, trainer.average, recipe.flow, data.size);
    const { top1, psnr, hf, seam } = await judge(generator, trainer.average, data, drawing);
    generator.dispose();
    const losses = await lossByTimestep(device, trainer.average, recipe.flow, data);
    const shown = losses.map((loss) => Number(loss.toPrecision(4)));
    const name = data.name;
    return { variant, data: name, seed, budget, multiplyAdds: cost * steps, steps, top1, psnr, hf, seam, losses: shown };
  } finally {
    trainer.dispose();
  }
}
