import { everyCaption } from "../../src/data/captionTable.js";
import { fingerprintOf } from "../../src/data/fingerprint.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import type { RunDescription } from "../../src/node/checkpoint.js";
import { datasetName, loadDataset } from "../../src/node/load.js";
import { type PTDiTConfig, ptditConfig } from "../../src/ptdit/config.js";
import { flowConfig } from "../../src/ptdit/flow.js";
import { type Preset, presetFor } from "../../src/ptdit/presets.js";
import { recipeFor, recipes } from "../../src/ptdit/recipes.js";
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
  const { window, mixing } = options;
  // Four times the pixels are as many tokens again with a patch of twice the side: the same time a step.
  const patch = options.patch ?? (options.preset === undefined && size > largestFine ? 2 * preset.config.patch : undefined);
  const asked = { ...(patch && { patch }), ...(window && { window, proxyWindow: window }), ...(mixing && { mixing }) };
  const { recursive = false, captions = "name" } = options;
  const data = await loadDataset(datasetName(options.data), { size, recursive, captions });
  const name = options.recipe ?? recipeFor(data.count);
  if (options.recipe === undefined) console.log(`${data.count.toLocaleString("en-US")} pictures: recipe ${name}`);
  const recipe = recipes[name];
  const model = pictureModel(preset, size, { ...recipe.model({ ...preset.config, ...asked }), ...asked });
  const { prediction, loc, scale, ratio, sampleRatio } = options;
  const flow = flowConfig({
    ...recipe.flow,
    ...(prediction && { prediction }),
    ...(loc !== undefined && { loc }),
    ...(scale && { scale }),
    ...(ratio && { ratio }),
    ...(sampleRatio && { sampleRatio }),
  });
  const run: RunDescription = {
    model,
    flow,
    training: {
      ...recipe.training,
      batch: Math.min(preset.batch, largestBatch),
      ...settled(options),
      ...computed(options),
      ...schedule(options),
    },
    sampling: recipe.sampling,
    data: datasetName(options.data),
    ...(recursive && { recursive }),
    ...(captions !== "name" && { captions }),
    recipe: name,
    size,
    tokenizer: Tokenizer.fromCaptions(everyCaption(data)).toJSON(),
    step: 0,
    ...runLength(options),
    smoothedLoss: null,
    fingerprint: fingerprintOf(data),
  };
  if (options.steps === undefined && options.minutes === undefined) noteFew(run, data.count, { name, passes: recipe.passes });
  return { run, data };
}

/** Says so where the usual steps are far too few for so many pictures. */
function noteFew(
  { steps, training }: RunDescription,
  count: number,
  recipe: { readonly name: string; readonly passes: number },
): void {
  const seen = (steps * training.batch) / count;
  if (seen >= recipe.passes / 2) return;
  const enough = 100 * Math.ceil((recipe.passes * count) / training.batch / 100);
  process.stderr.write(
    `note: ${steps} steps see each picture ${Math.round(seen)} times, and the recipe ${recipe.name} takes about ${recipe.passes}: --steps ${enough}.\n`,
  );
}

/** A preset's model for pictures of this side. */
export function pictureModel(preset: Preset, size: number, changes: Partial<PTDiTConfig> = {}): PTDiTConfig {
  return ptditConfig({ ...preset.config, sampleSize: size, ...changes });
}

/** What of a training's settings is given. */
function given(
  settings: { readonly [Name in keyof TrainingConfig]?: TrainingConfig[Name] | undefined },
): Partial<TrainingConfig> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

/** How fast is learned, and by which measure: options that may change at any step. */
export const schedule = ({ lr, warmup, hold, floor, clip, weightDecay, huber }: TrainOptions): Partial<TrainingConfig> =>
  given({ lr, warmup, hold, floor, clip, weightDecay, huber });

/** How a step is computed: options that may change at any step too, since it stays the same. */
export const computed = ({ accumulate, checkpointing }: TrainOptions): Partial<TrainingConfig> =>
  given({ accumulate, checkpointing });

/** What makes a run: options that stay as they were at its begin. */
export const settled = ({ batch, seed, optimizer, horizons, mirror, shift }: TrainOptions): Partial<TrainingConfig> =>
  given({ batch, seed, optimizer, horizons, mirror, shift });
