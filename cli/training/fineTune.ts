/** A new run that begins from what a model has learned. */
import { stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { ConfigError, PtditError } from "../../src/base/errors.js";
import { everyCaption } from "../../src/data/captionTable.js";
import { fingerprintOf } from "../../src/data/fingerprint.js";
import type { PictureSet } from "../../src/data/pictureSet.js";
import { RehearsedSet } from "../../src/data/rehearsal.js";
import { counted, someOf } from "../../src/data/skipped.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { loadCheckpoint, loadRunDescription, type RunDescription } from "../../src/node/checkpoint.js";
import { datasetName, loadSource, loadSources } from "../../src/node/load.js";
import { modelFile, modelNames } from "../../src/node/models.js";
import { runFiles } from "../../src/node/run/runFiles.js";
import type { DataSource, Rehearsal } from "../../src/ptdit/dataSource.js";
import { runLength } from "../../src/ptdit/session/options.js";
import { defaultTraining } from "../../src/ptdit/trainingConfig.js";
import type { TrainOptions } from "../commands/train.js";
import { plainName } from "../fileName.js";
import { filesOf } from "../run.js";
import { computed, schedule, settled } from "./newRun.js";
import { modelSettings, refusedSettings } from "./resume.js";
import type { Prepared } from "./train.js";

/** What a fine-tuning takes that says nothing of it. A part of the rate that recipes have bends what the model knows and does not break it;
 *  the rise is short, since only the optimiser begins from zero. */
const [rate, warmup, rehearsedPart] = [0.3 * defaultTraining.lr, 20, 0.5];
/** Passes over the new pictures, and the steps that these come to at least and at most. */
const [passes, leastSteps, mostSteps] = [100, 300, 2000];

/**
 * The run that a model's weights begin, on pictures of one's own.
 * @throws ConfigError when there is no such model, or an option is at odds with it
 */
export async function fineTunedRun(
  options: TrainOptions & { readonly data: string; readonly from: string },
): Promise<Prepared> {
  const path = await modelPath(options.from);
  // What is refused is refused before gigabytes are read.
  const model = await loadRunDescription(path);
  checkSettings(options, model);
  const { recursive = false, captions = model.captions ?? "name" } = options;
  const source = {
    data: datasetName(options.data),
    ...(recursive && { recursive }),
    ...(captions !== "name" && { captions }),
  };
  const own = await loadSource(source, model.size);
  const known = Tokenizer.fromJSON(model.tokenizer);
  const tokenizer = known.grown(everyCaption(own));
  const rehearsed = await rehearsalOf(options, model, own);
  const data = rehearsed?.data ?? own;
  const training = trainingOf(options, model);
  const { minutes, steps = usualSteps(own, training, rehearsed?.rehearsal) } = options;
  const { size, sampling, flow, recipe } = model;
  const run: RunDescription = {
    model: model.model,
    flow,
    training,
    ...(sampling && { sampling }),
    ...source,
    ...(rehearsed && { rehearsal: rehearsed.rehearsal }),
    ...(recipe !== undefined && { recipe }),
    size,
    tokenizer: tokenizer.toJSON(),
    step: 0,
    ...runLength({ ...(minutes === undefined ? { steps } : { minutes }) }),
    smoothedLoss: null,
    fingerprint: fingerprintOf(data),
  };
  const added = tokenizer.words.slice(known.words.length);
  console.log(`from ${options.from}: ${[newWords(added), shownRehearsal(run), shownCourse(run)].join("; ")}`);
  return { run, data, start: await loadCheckpoint(path, { parts: ["average"] }) };
}

/** The file of a model that comes with the package, or of a run: a name that both have is the package's, wherever one stands. */
async function modelPath(from: string): Promise<string> {
  const names = await modelNames();
  if (names.includes(from)) return modelFile(from);
  const { checkpoint } = await filesOf(from);
  if ((await stat(checkpoint).catch(() => undefined))?.isFile()) return checkpoint;
  const shipped = names.length > 0 ? `: ${names.join(", ")}` : " (none does in this version)";
  throw new ConfigError(
    `train: --from ${from} is no run, nor a model that comes with ptdit${shipped}. Give a run's folder, or an exported model.`,
  );
}

/** What a run is called that begins from a model, by its name, its run's folder or its file. */
export function fineTuneName(from: string): string {
  const { checkpoint } = runFiles(dirname(from));
  const path = resolve(basename(from) === basename(checkpoint) ? dirname(from) : from);
  return `from-${plainName(basename(path, ".safetensors"))}`;
}

function checkSettings(options: TrainOptions, model: RunDescription): void {
  const refused = refusedSettings(options, model, modelSettings(options, model));
  if (refused.length === 0) return;
  throw new ConfigError(
    `train: the model of --from ${options.from} cannot change ${refused.join(", ")}. Leave ${refused.length > 1 ? "these" : "it"} out, or train from nothing.`,
  );
}

/** Steps in which the new pictures come often enough. */
function usualSteps(own: PictureSet, { batch }: RunDescription["training"], rehearsal: Rehearsal | undefined): number {
  const perStep = batch * (1 - (rehearsal?.part ?? 0));
  return Math.min(mostSteps, Math.max(leastSteps, Math.ceil((passes * own.count) / perStep)));
}

/** How it learns: as the model did, but for the rate, where the model's own is not lower, and what options say. */
function trainingOf(options: TrainOptions, { training }: RunDescription): RunDescription["training"] {
  return {
    ...training,
    // How a step was computed depends on the machine.
    accumulate: 1,
    checkpointing: false,
    horizons: [],
    seed: 0,
    lr: Math.min(rate, training.lr),
    warmup,
    ...settled(options),
    ...computed(options),
    ...schedule(options),
  };
}

/** The model's own pictures among the new ones; undefined: none.
 *  @throws ConfigError when they are asked for and cannot be loaded */
async function rehearsalOf(
  { rehearse }: TrainOptions,
  { data, recursive, captions, rehearsal, size }: RunDescription,
  own: PictureSet,
): Promise<{ readonly data: RehearsedSet; readonly rehearsal: Rehearsal } | undefined> {
  const learned: DataSource = { data, ...(recursive && { recursive }), ...(captions && { captions }) };
  const sets = [learned, ...(rehearsal?.sets ?? [])].filter((set) => set.data !== own.name);
  const part = rehearse ?? rehearsedPart;
  if (part === 0 || sets.length === 0) return undefined;
  try {
    return { data: new RehearsedSet(own, await loadSources(sets, size), part), rehearsal: { part, sets } };
  } catch (error) {
    if (!(error instanceof PtditError)) throw error;
    const what = `what the model learned, ${someOf(sets.map((set) => set.data))}, cannot be loaded`;
    if (rehearse !== undefined)
      throw new ConfigError(`train: --rehearse ${part}: ${what}: ${error.message} Or leave --rehearse out.`, { cause: error });
    process.stderr.write(`warning: ${what}, so nothing keeps the model from forgetting it: ${error.message}\n`);
    return undefined;
  }
}

const newWords = (words: readonly string[]): string =>
  words.length === 0 ? "it knows all words" : `${counted(words.length, "new word")} (${someOf(words)})`;

function shownRehearsal({ rehearsal, training: { batch } }: RunDescription): string {
  if (!rehearsal) return "rehearses nothing of what it knows";
  const { part, sets } = rehearsal;
  return `rehearses ${someOf(sets.map(({ data }) => data))}, ${Number((part * batch).toFixed(2))} of ${batch} pictures a step`;
}

const shownCourse = ({ steps, training: { lr, warmup } }: RunDescription): string =>
  `${steps > 0 ? `${counted(steps, "step")}, ` : ""}rate ${lr} after a rise of ${warmup}`;
