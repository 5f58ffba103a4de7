import { access, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Device } from "../../src/backend/device.js";
import { ConfigError, DeviceError } from "../../src/base/errors.js";
import { everyCaption } from "../../src/data/captionTable.js";
import type { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import type { Checkpoint, RunDescription } from "../../src/node/checkpoint.js";
import { emojiSets } from "../../src/node/emoji.js";
import { datasetName } from "../../src/node/load.js";
import { runFiles } from "../../src/node/run/runFiles.js";
import { beginFrom } from "../../src/ptdit/fineTune.js";
import { presetNameOf } from "../../src/ptdit/presets.js";
import { Trainer } from "../../src/ptdit/trainer.js";
import type { TrainOptions } from "../commands/train.js";
import { withDevice } from "../device.js";
import { runName } from "../fileName.js";
import { once } from "../once.js";
import { warnLost, warnSkipped } from "../run.js";
import { option } from "../shell.js";
import { fineTunedRun, fineTuneName } from "./fineTune.js";
import { memoryAdvice } from "./memory.js";
import { defaultPreset, newRun } from "./newRun.js";
import { type Changes, resumedRun } from "./resume.js";
import { checkNew, clear, clearable, holdFolder } from "./runFolder.js";
import { TrainingRun } from "./trainingRun.js";
import { trainingSteps } from "./trainingSteps.js";

/** What to train, on what; a resumed run with what its options changed. */
export interface Prepared {
  readonly run: RunDescription;
  readonly data: PictureSet;
  readonly changes?: Changes;
  /** The model whose averaged weights a new run begins from. */
  readonly start?: Checkpoint;
}

export interface TrainResult {
  readonly folder: string;
  /** Whether all steps were taken; else it was stopped and can go on. */
  readonly finished: boolean;
}

/** `ptdit train`: trains, shows and saves; Ctrl-C saves and says how to go on. With `replaces`, a run in the folder for which it
 *  is true makes room once everything else is ready. */
export async function train(options: TrainOptions, replaces?: (run: RunDescription) => boolean): Promise<TrainResult> {
  checkBeginning(options);
  const path = options.out ?? (await defaultFolder(options));
  const { checkpoint } = runFiles(path);
  if (options.resume && !(await exists(checkpoint))) {
    const isFile = (await stat(path).catch(() => undefined))?.isFile();
    const cure = isFile
      ? `It is a file: give its folder, ${option("--out", dirname(path))}`
      : "Leave out --resume to start one";
    throw new ConfigError(`train: there is no run to resume in ${path}. ${cure}.`);
  }
  const folder = await holdFolder(path, { csv: options.log === "csv" });
  try {
    const old = replaces ? await clearable(path, replaces) : [];
    if (!replaces && !options.resume) {
      if (await exists(checkpoint))
        throw new ConfigError(`train: ${path} already holds a run. Add --resume to go on with it, or choose another --out.`);
      await checkNew(path);
    }
    const prepare = once(() => (options.resume ? resumedRun(options, path) : begunRun(withData(options))));
    return await withDevice(
      options,
      trainingSteps(async (device) => triedOn(device, await prepare())),
      async (device) => {
        const prepared = await prepare();
        warnSkipped(prepared.data);
        warnLost(Tokenizer.fromJSON(prepared.run.tokenizer), everyCaption(prepared.data));
        const trainer = trainerFor(device, prepared);
        try {
          if (prepared.start) await beginFrom(trainer, prepared.start);
          await clear(old);
          return { folder: path, finished: await new TrainingRun(trainer, prepared, folder, options).go() };
        } finally {
          trainer.dispose();
        }
      },
    );
  } finally {
    await folder.release();
  }
}

/** @throws ConfigError when a new run is asked for and one that goes on, or known pictures where none are known */
function checkBeginning({ from, resume, rehearse }: TrainOptions): void {
  if (from !== undefined && resume)
    throw new ConfigError(
      `train: --from ${from} begins a run, --resume goes on with one that has its own weights. Leave one of them out.`,
    );
  if (rehearse !== undefined && from === undefined && !resume)
    throw new ConfigError(
      `train: --rehearse ${rehearse} repeats what a model knows, and nothing says which. Add --from, or leave it out.`,
    );
}

/** A new run, from nothing or from a model. */
const begunRun = ({ from, ...options }: TrainOptions & { readonly data: string }): Promise<Prepared> =>
  from === undefined ? newRun(options) : fineTunedRun({ ...options, from });

/** What takes the run's steps.
 *  @throws DeviceError saying what would fit, when it does not */
function trainerFor(device: Device, { run, data }: Prepared): Trainer {
  const { model, flow, training, sampling, tokenizer } = run;
  try {
    return new Trainer(device, data, Tokenizer.fromJSON(tokenizer), { model, flow, training, ...(sampling && { sampling }) });
  } catch (error) {
    if (error instanceof DeviceError) throw memoryAdvice(error, device, data, run);
    throw error;
  }
}

/** A trainer of the run whose steps teach next to nothing, by which devices are held against each other. */
async function triedOn(device: Device, { run, data }: Prepared): Promise<Trainer> {
  const { model, flow } = run;
  const training = { ...run.training, lr: Number.MIN_VALUE };
  return new Trainer(device, data, Tokenizer.fromJSON(run.tokenizer), { model, flow, training });
}

function withData(options: TrainOptions): TrainOptions & { readonly data: string } {
  const { data, acceptChangedData } = options;
  if (!data) throw new ConfigError(`train: a new run needs --data: ${emojiSets.join(", ")}, or a folder of pictures.`);
  if (acceptChangedData) process.stderr.write("note: --accept-changed-data: nothing can have changed for a new run.\n");
  return { ...options, data };
}

/** Where a run is kept that names no folder: the same for every way to type the data's. */
async function defaultFolder({ data, preset = defaultPreset, resume, from }: TrainOptions): Promise<string> {
  if (!data)
    throw new ConfigError(
      `train: ${resume ? "--resume needs --out, the run's folder, or the --data it is named after" : "give --data"}.`,
    );
  if (from !== undefined) return join("runs", runName(datasetName(data), fineTuneName(from)));
  // Earlier versions named it as it was typed.
  const typed = join("runs", `${data.replace(/[^\w.-]+/g, "-")}-${preset}`);
  if (resume && (await exists(runFiles(typed).checkpoint))) return typed;
  return join("runs", runName(datasetName(data), presetNameOf(preset)));
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
