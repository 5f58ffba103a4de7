import { everyCaption } from "../../src/data/captionTable.js";
import { fingerprintOf } from "../../src/data/fingerprint.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import type { RunDescription } from "../../src/node/checkpoint.js";
import { datasetName, loadDataset } from "../../src/node/load.js";
import { type PTDiTConfig, ptditConfig } from "../../src/ptdit/config.js";
import { flowConfig } from "../../src/ptdit/flow.js";
import { type Preset, presetFor } from "../../src/ptdit/presets.js";
import { defaultRecipe, recipes } from "../../src/ptdit/recipes.js";
import { runLength } from "../../src/ptdit/session/options.js";
import type { TrainingConfig } from "../../src/ptdit/trainingConfig.js";
import type { TrainOptions } from "../commands/train.js";
import type { Prepared } from "./train.js";

export const defaultPreset = "nano";
/** Batches of a preset's that are larger suit larger machines. */
const largestBatch = 16;

/** Largest side of pictures that are cut as finely as the default preset does where nobody says how. */
const largestFine = 48;

/** A new run from the options.
 *  @throws ConfigError naming the option that does not fit */
export async function newRun(options: TrainOptions & { readonly data: string }): Promise<Prepared> {
  const preset = presetFor(options.preset ?? defaultPreset, "pixels");
  const size = options.size ?? preset.side;
  const { window, checkpointing } = options;
  // Four times the pixels are as many tokens again with a patch of twice the side: the same time a step.
  const patch = options.patch ?? (options.preset === undefined && size > largestFine ? 2 * preset.config.patch : undefined);
  const recipe = recipes[options.recipe ?? defaultRecipe];
  const own = { ...preset.config, ...(patch && { patch }) };
  const model = pictureModel(preset, size, {
    ...(patch && { patch }),
    ...recipe.model(own),
    ...(window && { window, proxyWindow: window }),
  });
  const { prediction, ratio, optimizer } = options;
  const flow = flowConfig({ ...recipe.flow, ...(prediction && { prediction }), ...(ratio && { ratio }) });
  const { recursive = false, captions = "name" } = options;
  const data = await loadDataset(datasetName(options.data), { size, recursive, captions });
  const run: RunDescription = {
    model,
    flow,
    training: {
      ...recipe.training,
      batch: options.batch ?? Math.min(preset.batch, largestBatch),
      seed: options.seed ?? recipe.training.seed,
      ...(optimizer && { optimizer }),
      ...(options.horizons && { horizons: options.horizons }),
      ...(options.mirror && { mirror: true }),
      ...(options.shift !== undefined && { shift: options.shift }),
      ...(options.accumulate && { accumulate: options.accumulate }),
      ...(checkpointing !== undefined && { checkpointing }),
      ...schedule(options),
    },
    sampling: recipe.sampling,
    data: datasetName(options.data),
    ...(recursive && { recursive }),
    ...(captions !== "name" && { captions }),
    size,
    tokenizer: Tokenizer.fromCaptions(everyCaption(data)).toJSON(),
    step: 0,
    ...runLength(options),
    smoothedLoss: null,
    fingerprint: fingerprintOf(data),
  };
  return { run, data };
}

/** A preset's model for pictures of this side. */
export function pictureModel(preset: Preset, size: number, changes: Partial<PTDiTConfig> = {}): PTDiTConfig {
  return ptditConfig({ ...preset.config, sampleSize: size, ...changes });
}

/** How fast is learned: options that may change at any step. */
export function schedule({ lr, warmup, hold, floor, clip }: TrainOptions): Partial<TrainingConfig> {
  const given = Object.entries({ lr, warmup, hold, floor, clip }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}
