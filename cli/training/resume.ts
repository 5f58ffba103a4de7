/** Going on with a saved run: what the options change takes effect, what they cannot change is refused. */
import { access } from "node:fs/promises";
import { isAbsolute, normalize, sep } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { ConfigError } from "../../src/base/errors.js";
import { everyCaption } from "../../src/data/captionTable.js";
import { dataChanges, fingerprintOf, showChanges } from "../../src/data/fingerprint.js";
import type { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { loadRunDescription, type RunDescription } from "../../src/node/checkpoint.js";
import { datasetName, loadRunPictures } from "../../src/node/load.js";
import { runFiles } from "../../src/node/run/runFiles.js";
import { sourceOf } from "../../src/ptdit/dataSource.js";
import { unknownWords } from "../../src/ptdit/generate.js";
import { presetNameOf } from "../../src/ptdit/presets.js";
import { recipes } from "../../src/ptdit/recipes.js";
import { runLength } from "../../src/ptdit/session/options.js";
import type { TrainOptions } from "../commands/train.js";
import { option } from "../shell.js";
import { computed, schedule } from "./newRun.js";
import { isOfPreset, presetOfModel } from "./presetOfModel.js";
import type { Prepared } from "./train.js";

/** Settings that took another value, by name: what they were and what they are. */
export type Changes = Readonly<Record<string, readonly [from: unknown, to: unknown]>>;

/** The saved run of a folder under new options.
 *  @throws ConfigError when they ask for what a run cannot change, or the data is not what it was */
export async function resumedRun(options: TrainOptions, folder: string): Promise<Prepared> {
  const path = runFiles(folder).checkpoint;
  // What is refused is refused before gigabytes are read.
  const saved = await loadRunDescription(path);
  checkFixed(options, saved, folder);
  checkSteps(options, saved, folder);
  const { minutes } = options;
  const { secondsLeft: _, ...rest } = saved;
  const { data, source } = await resumedData(options, saved, folder);
  const run: RunDescription = {
    ...rest,
    ...runLength(options, saved),
    ...source,
    training: {
      ...saved.training,
      ...computed(options),
      ...schedule(options),
    },
  };
  return { run, data, changes: changesOf(saved, run, minutes) };
}

/** What a run is made of: its weights have learned with it, or its steps are functions of it, so that another value would be
 *  another run. How a step is computed (threads, parts, checkpointing of blocks) and how fast it learns may change. */
function checkFixed(options: TrainOptions, run: RunDescription, folder: string): void {
  const { training, rehearsal, captions = "name" } = run;
  const refused = refusedSettings(options, run, [
    ...modelSettings(options, run),
    ["captions", options.captions, captions],
    ["rehearse", options.rehearse, rehearsal?.part ?? 0],
    ["optimizer", options.optimizer, training.optimizer],
    ["horizons", options.horizons, training.horizons],
    ["mirror", options.mirror, training.mirror],
    ["shift", options.shift, training.shift],
    // Which pictures and what noise a step sees are functions of the batch, the seed and the step.
    ["batch", options.batch, training.batch],
    ["seed", options.seed, training.seed],
  ]);
  if (refused.length === 0) return;
  throw new ConfigError(
    `train: the run in ${folder} cannot change ${refused.join(", ")}. Leave ${refused.length > 1 ? "these" : "it"} out, or start a new run with another --out.`,
  );
}

/** A setting that cannot change: what an option asks for, and what there is. */
type Setting = readonly [flag: string, asked: unknown, own: unknown];

/** What the weights of a model have learned with. */
export const modelSettings = (options: TrainOptions, { model, flow, size }: RunDescription): readonly Setting[] => [
  ["mixing", options.mixing, model.mixing],
  ["window", options.window, model.window],
  ["patch", options.patch, model.patch],
  ["size", options.size, size],
  ["prediction", options.prediction, flow.prediction],
  // Samplers follow the times that training dwelt on.
  ["loc", options.loc, flow.loc],
  ["scale", options.scale, flow.scale],
  ["ratio", options.ratio, flow.ratio],
  ["sample-ratio", options.sampleRatio, flow.sampleRatio],
];

/** What options ask otherwise, as an error says it. */
export function refusedSettings(
  options: TrainOptions,
  { model, flow, size }: RunDescription,
  settings: readonly Setting[],
): string[] {
  const refused = settings
    .filter(([, asked, own]) => asked !== undefined && !isDeepStrictEqual(asked, own))
    .map(([flag, asked, own]) => `--${flag} ${asked} (it has ${own})`);
  if (options.preset !== undefined) {
    const asked = presetNameOf(options.preset);
    if (!isOfPreset(asked, model, size))
      refused.unshift(`--preset ${asked} (it has ${presetOfModel(model, size) ?? "another model"})`);
  }
  if (options.recipe !== undefined) {
    const { flow: own, model: changes } = recipes[options.recipe];
    const asked = { ...model, ...changes(model) };
    if (!isDeepStrictEqual([own.prediction, asked], [flow.prediction, model]))
      refused.unshift(`--recipe ${options.recipe} (its model or what it predicts is another)`);
  }
  return refused;
}

function checkSteps({ steps, minutes, stopAt }: TrainOptions, run: RunDescription, folder: string): void {
  for (const [flag, step] of [
    ["steps", steps],
    ["stop-at", stopAt],
  ] as const) {
    if (step !== undefined && step < run.step)
      throw new ConfigError(
        `train: the run in ${folder} has taken ${run.step} steps already, --${flag} says ${step}. Give at least ${run.step}.`,
      );
  }
  if (run.steps === 0 && run.secondsLeft === undefined && steps === undefined && minutes === undefined)
    throw new ConfigError(
      `train: the run in ${folder} was given minutes and stopped before it knew its steps. Give --minutes or --steps.`,
    );
}

/** The run's data, and what is to be kept of it.
 *  @throws ConfigError when it is not what the run was trained on, unless that is accepted */
async function resumedData(options: TrainOptions, saved: RunDescription, folder: string) {
  const stored = datasetName(saved.data);
  const name = options.data === undefined ? stored : datasetName(options.data);
  if (name === stored && isAbsolute(name)) {
    await access(name).catch((error: NodeJS.ErrnoException) => {
      throw new ConfigError(
        `train: the run in ${folder} was trained on ${saved.data}, which cannot be read (${error.code}). Give --data with its new place.`,
      );
    });
  }
  const elsewhere = name !== stored;
  const accept = options.acceptChangedData === true;
  // Earlier versions kept the folder as it was typed, and no fingerprint.
  if (elsewhere && !saved.fingerprint && !accept && !name.endsWith(sep + normalize(saved.data).replace(/[\\/]+$/, "")))
    throw new ConfigError(
      `train: the run in ${folder} was trained on ${saved.data}, not on ${options.data}. Give ${option("--data", saved.data)}, or add --accept-changed-data.`,
    );
  const recursive = options.recursive ?? saved.recursive ?? false;
  const data = await loadRunPictures({ ...sourceOf(saved), data: name, recursive }, saved.size);
  const fingerprint = fingerprintOf(data);
  const changes = saved.fingerprint && dataChanges(saved.fingerprint, fingerprint);
  if (changes && !accept) {
    const what = elsewhere
      ? `was trained on ${saved.data}, from which ${options.data} differs`
      : `was trained on ${saved.data}, which has changed since`;
    throw new ConfigError(
      `train: the run in ${folder} ${what}: ${showChanges(changes)}. ${elsewhere ? "Give the same data" : "Undo that"}, or add --accept-changed-data to go on with it as it is.`,
    );
  }
  if (changes) {
    process.stderr.write(`warning: the data has changed since the checkpoint: ${showChanges(changes)}.\n`);
    warnNewWords(data, saved);
  } else if (accept && saved.fingerprint) {
    process.stderr.write("note: --accept-changed-data: the data has not changed.\n");
  }
  return { data, source: { data: name, fingerprint, ...(recursive && { recursive }) } };
}

/** Words that the run's tokenizer does not know, and so reads as one. */
function warnNewWords(data: PictureSet, { tokenizer }: RunDescription): void {
  const words = unknownWords(Tokenizer.fromJSON(tokenizer), everyCaption(data)).map(({ word }) => word);
  if (words.length === 0) return;
  const rest = words.length > 5 ? `, and ${words.length - 5} more` : "";
  process.stderr.write(
    `warning: the run knows no new words; ${words.length} of the changed captions are read as unknown: ${words.slice(0, 5).join(", ")}${rest}.\n`,
  );
}

/** What is no longer as it was saved. */
function changesOf(saved: RunDescription, run: RunDescription, minutes: number | undefined): Changes {
  const settings = ({ training, steps, data }: RunDescription) => ({
    ...training,
    // By minutes: their number comes when it is known.
    steps: steps || "as many as fit",
    data,
  });
  const [before, now] = [settings(saved), settings(run)];
  const changed = Object.entries(now).filter(([name, value]) => before[name as keyof typeof before] !== value);
  const pictures = saved.fingerprint && run.fingerprint && dataChanges(saved.fingerprint, run.fingerprint);
  return {
    ...Object.fromEntries(changed.map(([name, value]) => [name, [before[name as keyof typeof before], value] as const])),
    ...(minutes !== undefined && { minutes: [null, minutes] as const }),
    ...(pictures && { pictures: [null, showChanges(pictures)] as const }),
  };
}
