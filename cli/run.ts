/** A run's folder, and what is read back from it. */
import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { Device } from "../src/backend/device.js";
import type { StepOf } from "../src/backend/fastest.js";
import { ConfigError, FileError } from "../src/base/errors.js";
import { dataChanges, fingerprintOf, showChanges } from "../src/data/fingerprint.js";
import type { PictureSet } from "../src/data/pictureSet.js";
import { RehearsedSet } from "../src/data/rehearsal.js";
import { counted, describeSkipped, someOf } from "../src/data/skipped.js";
import { lostWords, Tokenizer } from "../src/data/tokenizer.js";
import { averagedPipeline, type Checkpoint, loadCheckpoint, type RunDescription } from "../src/node/checkpoint.js";
import { loadRunPictures } from "../src/node/load.js";
import { modelFile, modelNames } from "../src/node/models.js";
import { type RunMeasures, saveMeasures } from "../src/node/run/measures.js";
import { type RunFiles, runFiles } from "../src/node/run/runFiles.js";
import { releaseParameters } from "../src/program/parameters.js";
import { Generator, largestBatch, unknownWords } from "../src/ptdit/generate.js";
import type { Pipeline } from "../src/ptdit/pipeline.js";
import type { SamplingConfig } from "../src/ptdit/sampling.js";
import { once } from "./once.js";

/** The files of a run that is named by its folder, or by its checkpoint, whatever that is called. */
export async function filesOf(run: string): Promise<RunFiles> {
  const isFile = await stat(run).then(
    (found) => found.isFile(),
    () => false,
  );
  return isFile ? { ...runFiles(dirname(run)), checkpoint: run } : runFiles(run);
}

/** Which trained model is meant: a run of one's own, or a model that comes with the package. */
export interface ModelChoice {
  readonly run?: string | undefined;
  readonly model?: string | undefined;
}

/** The file of the model that is meant.
 *  @throws ConfigError when none is named, or none has that name */
export async function chosenFile(where: string, { run, model }: ModelChoice): Promise<string> {
  if (model !== undefined) return modelFile(model);
  if (run !== undefined) return (await filesOf(run)).checkpoint;
  const names = await modelNames();
  const shipped = names.length > 0 ? `, or --model, one that comes with ptdit: ${names.join(", ")}` : "";
  throw new ConfigError(`${where}: nothing says which model. Give --run, a run of yours${shipped}.`);
}

/** A trained run. */
export interface TrainedRun {
  readonly checkpoint: Checkpoint;
  readonly tokenizer: Tokenizer;
  readonly model: Pipeline;
}

/** A run with its averaged weights, given by its folder or its checkpoint; with those of a horizon if one is given. It is read once,
 *  when it is first asked for. */
export function openRun(path: string, horizon?: number): () => Promise<TrainedRun> {
  return once(async () => {
    const part = horizon === undefined ? "average" : "horizons";
    const checkpoint = await loadCheckpoint((await filesOf(path)).checkpoint, { parts: [part] });
    const tokenizer = Tokenizer.fromJSON(checkpoint.run.tokenizer);
    return { checkpoint, tokenizer, model: averagedPipeline(checkpoint, { ...(horizon !== undefined && { horizon }) }) };
  });
}

/** What draws a run's pictures on a device. */
export const generatorOf = (device: Device, { checkpoint: { run }, model }: TrainedRun): Generator =>
  new Generator(device, model, run.flow, run.size, run.sampling);

/** Denoising steps that tell how long one takes. */
const fewSteps = 4;

/** A short drawing of so many pictures, by which devices are held against each other. */
export const drawingStep =
  (open: () => Promise<TrainedRun>, pictures: number, how: Partial<SamplingConfig>): StepOf =>
  async (device) => {
    const trained = await open();
    const generator = generatorOf(device, trained);
    // As many as are drawn at once; what they show takes no time.
    const prompts = Array.from({ length: Math.min(pictures, largestBatch) }, () => "");
    const draw = (steps: number) => generator.pictures(prompts, { ...how, steps });
    const dispose = () => {
      generator.dispose();
      releaseParameters(device, trained.model.parameters().values());
    };
    try {
      await draw(2); // compiles the first step and the later ones
      return { run: () => draw(fewSteps), steps: fewSteps, dispose };
    } catch (error) {
      dispose();
      throw error;
    }
  };

/** Keeps the measures of a run in its folder, for `ptdit runs`; those of a checkpoint that goes by another name are not the run's. */
export async function keepMeasures(run: string, measures: RunMeasures): Promise<void> {
  const files = await filesOf(run);
  if (basename(files.checkpoint) !== basename(runFiles("").checkpoint)) return;
  await saveMeasures(files.measures, measures).catch((error: unknown) => {
    if (!(error instanceof FileError)) throw error;
    process.stderr.write(`warning: the measures could not be kept: ${error.message}\n`);
  });
}

/** Says which words of the prompts the model never saw. */
export function warnUnknown(tokenizer: Tokenizer, prompts: readonly string[]): void {
  for (const { word, nearest } of unknownWords(tokenizer, prompts)) {
    process.stderr.write(`warning: the model never saw the word "${word}"; nearest known: ${nearest.join(", ")}.\n`);
  }
}

/** Says how many words of many captions the model never saw. */
export function warnUnknownOf(tokenizer: Tokenizer, captions: readonly string[]): void {
  const unknown = [...new Set(captions.flatMap((caption) => tokenizer.encode(caption).unknown))];
  if (unknown.length > 0)
    process.stderr.write(
      `warning: the model never saw ${counted(unknown.length, "word")} of these captions: ${someOf(unknown)}.\n`,
    );
}

/** Says when the data is not what the run was trained on. */
function warnChangedData({ fingerprint }: RunDescription, data: PictureSet): void {
  const changes = fingerprint && dataChanges(fingerprint, fingerprintOf(data));
  if (changes) process.stderr.write(`warning: the data has changed since the run was saved: ${showChanges(changes)}.\n`);
}

/** The pictures of a run, and those that it rehearses if it does. Says when they are not what it was trained on. */
export async function loadRunData(run: RunDescription): Promise<{ readonly own: PictureSet; readonly known?: PictureSet }> {
  const all = await loadRunPictures(run, run.size);
  warnChangedData(run, all);
  return all instanceof RehearsedSet ? { own: all.own, known: all.known } : { own: all };
}

/** Says what of a data set was left out or read otherwise than it stands. */
export function warnSkipped(data: PictureSet): void {
  for (const line of describeSkipped(data)) process.stderr.write(`warning: ${line}\n`);
}

/** Says which words of captions or prompts are beyond what the model reads. */
export function warnLost(tokenizer: Tokenizer, texts: readonly string[]): void {
  const { captions, words } = lostWords(tokenizer, texts);
  if (captions === 0) return;
  const which = someOf(words.map((word) => `"${word}"`));
  process.stderr.write(
    `warning: the model reads ${tokenizer.length} words; of ${captions} longer ${captions === 1 ? "text" : "texts"} it loses: ${which}.\n`,
  );
}
