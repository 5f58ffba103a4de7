/** Trains one variant for as many multiply-adds as all others get, and measures its samples. */
import type { Device } from "../../src/backend/device.js";
import { wasmPlanning } from "../../src/backend/wasm/planning.js";
import { evenly } from "../../src/base/evenly.js";
import { askedBy } from "../../src/data/askedCaptions.js";
import { everyCaption } from "../../src/data/captionTable.js";
import type { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { ptditConfig } from "../../src/ptdit/config.js";
import { lossByTimestep } from "../../src/ptdit/evaluate.js";
import { Generator } from "../../src/ptdit/generate.js";
import { judge } from "../../src/ptdit/judge.js";
import { presets } from "../../src/ptdit/presets.js";
import { Trainer } from "../../src/ptdit/trainer.js";
import { type Variant, type VariantName, variants } from "./variants.js";

/** What a run of a variant came to. */
export interface VariantResult {
  readonly variant: VariantName;
  readonly data: string;
  readonly seed: number;
  /** Multiply-adds that all variants get, and those of as many whole steps. */
  readonly budget: number;
  readonly multiplyAdds: number;
  readonly steps: number;
  /** Of pictures asked for by name, at most `mostJudged` of them. */
  readonly top1: number;
  readonly psnr: number | null;
  readonly hf: number | null;
  readonly seam: number | null;
  /** Part of the captions that no training sees, of as many pictures, whose own picture is the nearest. */
  readonly heldOut: number;
  /** Mean loss of every tenth of noise; in the units of what is predicted. */
  readonly losses: readonly number[];
}

/** A data set's pictures with their names alone, and with all captions. */
export interface Pictures {
  readonly name: PictureSet;
  readonly rich: PictureSet;
}

const variantOf = (name: VariantName): Variant => variants[name];

function trainerOf(device: Device, data: Pictures, variant: VariantName, seed: number): Trainer {
  const { recipe, captions = "name" } = variantOf(variant);
  const { flow, training } = recipe;
  const { config } = presets.nano;
  const model = ptditConfig({ ...config, ...recipe.model(config) });
  // The words of all captions, so that held-out ones are told apart by all models, as far as these go.
  const tokenizer = Tokenizer.fromCaptions(everyCaption(data.rich));
  return new Trainer(device, data[captions], tokenizer, { model, flow, training: { ...training, seed } });
}

/** Multiply-adds of so many steps of the former recipe. */
export function budgetOf(data: Pictures, steps: number): number {
  return steps * trainerOf(wasmPlanning(), data, "former", 0).stepProgram.multiplyAdds;
}

/** Pictures of a measure: drawn without guidance, in eight steps, whatever the recipe's own way to draw. */
const drawing = { steps: 8, guidance: 1, seed: 0 } as const;
const mostJudged = 256;

/** Trains a variant with a seed, and measures what its averaged weights draw. */
export async function runVariant(
  device: Device,
  data: Pictures,
  { variant, seed, budget }: { readonly variant: VariantName; readonly seed: number; readonly budget: number },
): Promise<VariantResult> {
  const { recipe } = variantOf(variant);
  const trainer = trainerOf(device, data, variant, seed);
  try {
    const cost = trainer.stepProgram.multiplyAdds;
    const steps = Math.round(budget / cost);
    trainer.plan(steps);
    for (let step = 0; step < steps; step++) await trainer.next();
    const generator = new Generator(device, trainer.average, recipe.flow, data.name.size);
    const judged = (set: PictureSet) =>
      judge(generator, trainer.average, set, { ...drawing, places: evenly(set.count, mostJudged) });
    const { top1, psnr, hf, seam } = await judged(data.name);
    const { top1: heldOut } = await judged(askedBy(data.rich, "heldout"));
    generator.dispose();
    const losses = (await lossByTimestep(device, trainer.average, recipe.flow, data.name)).map((loss) =>
      Number(loss.toPrecision(4)),
    );
    const spent = { budget, multiplyAdds: cost * steps, steps };
    return { variant, data: data.name.name, seed, ...spent, top1, psnr, hf, seam, heldOut, losses };
  } finally {
    trainer.dispose();
  }
}
