/** What a run is beside its numbers, and how it is read back from a file that may be damaged. */
import { FormatError, messageOf } from "../base/errors.js";
import { type DataFingerprint, fingerprintFromJson } from "../data/fingerprint.js";
import { Tokenizer, type TokenizerJSON } from "../data/tokenizer.js";
import { type PTDiTConfig, ptditConfig } from "./config.js";
import { type RunSource, readRehearsal, readSource } from "./dataSource.js";
import { type FlowConfig, flowConfig } from "./flow.js";
import { fromFormat1 } from "./formerRun.js";
import { complete, finite, type Refuse, record, shown, trueOrFalse, wholeNumber } from "./jsonParts.js";
import { type SamplingConfig, samplingConfig } from "./sampling.js";
import { checkTraining, defaultTraining, type TrainingConfig } from "./trainingConfig.js";

export interface RunDescription extends RunSource {
  readonly model: PTDiTConfig;
  readonly flow: FlowConfig;
  readonly training: TrainingConfig;
  /** How its pictures are drawn where nobody says otherwise; runs of earlier versions lack it. */
  readonly sampling?: SamplingConfig;
  /** Name of the recipe that it began with, whatever single settings were changed; runs of earlier versions lack it. */
  readonly recipe?: string;
  /** Side of its pictures in pixels. */
  readonly size: number;
  readonly tokenizer: TokenizerJSON;
  /** Kinds of the text encoder and of the latents' codec; runs of earlier versions lack them: words and pixels. */
  readonly encoder?: string;
  readonly codec?: string;
  /** Steps taken, and steps the learning rate is laid out for; 0 where time decides and their number is not known yet. */
  readonly step: number;
  readonly steps: number;
  /** What is left of the time to train for, while it is not yet known how many steps fill it. */
  readonly secondsLeft?: number;
  /** Smoothed loss, so that a resumed progress line goes on. */
  readonly smoothedLoss: number | null;
  /** What the data set held; runs of earlier versions lack it. */
  readonly fingerprint?: DataFingerprint;
}

/** What every file of the format holds of a model; settings that came later have defaults. */
const modelParts: readonly (keyof PTDiTConfig)[] = [
  ...(["heads", "headDim", "depth", "inChannels", "outChannels", "patch", "sampleSize", "captionChannels", "classes"] as const),
  ...(["window", "proxyWindow", "proxyMode", "proxyGrouping", "mixing", "injection"] as const),
  ...(["attentionBias", "normEps", "normAffine", "sizeConditions", "compat"] as const),
];
const flowParts: readonly (keyof FlowConfig)[] = ["prediction", "loc", "scale", "ratio"];
const trainingParts: readonly (keyof TrainingConfig)[] = [
  ...(["batch", "lr", "warmup", "hold", "floor", "beta1", "beta2", "weightDecay", "clip"] as const),
  ...(["captionDropout", "emaDecay", "accumulate", "checkpointing", "seed"] as const),
];
/** Numbers of a training that must be whole, and the least they can be. */
const wholeNumbers: Readonly<Partial<Record<keyof TrainingConfig, number>>> = { batch: 1, accumulate: 1, seed: 0, warmup: 0 };

/** Longest caption of a tokenizer that is believed. */
const longestCaption = 65536;

/** Formats of checkpoints that are read, the one that is written last. */
export const checkpointFormats = ["ptdit-checkpoint-1", "ptdit-checkpoint-2"] as const;
export type CheckpointFormat = (typeof checkpointFormats)[number];

/**
 * Reads a run's description.
 * @throws FormatError naming the part that is missing or wrong
 */
export function parseRun(text: string | undefined, where: string, format: CheckpointFormat): RunDescription {
  const refuse = (rule: string): never => {
    throw new FormatError(
      `${where}: its run is not described as train writes it: ${rule}. Copy the file again, or go back to another checkpoint.`,
    );
  };
  if (text === undefined) return refuse('the part "run" is missing');
  const given = record(parsed(text, refuse), "run", refuse);
  const run = format === "ptdit-checkpoint-1" ? fromFormat1(given, refuse) : given;
  const part = (name: keyof RunDescription) => (name in run ? run[name] : refuse(`the part "${name}" is missing`));
  const whole = (name: keyof RunDescription, least: number) => wholeNumber(part(name), name, least, refuse);

  const checked = <T>(name: keyof RunDescription, read: (value: unknown) => T): T => {
    try {
      return read(part(name));
    } catch (error) {
      const message = messageOf(error);
      // What is refused here names its part already.
      if (error instanceof FormatError && message.startsWith(where)) throw error;
      return refuse(`"${name}": ${message.replace(/\.$/, "")}`);
    }
  };
  const size = whole("size", 1);
  const smoothedLoss = part("smoothedLoss");
  if (smoothedLoss !== null) finite(smoothedLoss, "smoothedLoss", refuse);
  part("data");
  const named = (name: "encoder" | "codec" | "recipe"): string => {
    const { [name]: own } = run;
    return typeof own === "string" && own !== "" ? own : refuse(`"${name}" must be a name, got ${shown(own)}`);
  };
  const names = {
    ...(run.recipe !== undefined && { recipe: named("recipe") }),
    ...(run.encoder !== undefined && { encoder: named("encoder") }),
    ...(run.codec !== undefined && { codec: named("codec") }),
  };
  return {
    model: checked("model", (value) => readModel(value, refuse)),
    flow: checked("flow", (value) => {
      const flow = complete(value, "flow", flowParts, refuse);
      for (const name of ["loc", "scale", "ratio"] as const) finite(flow[name], `flow.${name}`, refuse);
      return flowConfig(flow);
    }),
    training: checked("training", (value) => readTraining(value, refuse)),
    ...(run.sampling !== undefined && { sampling: checked("sampling", (value) => readSampling(value, refuse)) }),
    ...readSource(run, "", refuse),
    ...(run.rehearsal !== undefined && { rehearsal: readRehearsal(run.rehearsal, refuse) }),
    size,
    tokenizer: checked("tokenizer", (value) => {
      const json = Tokenizer.fromJSON(value).toJSON();
      if (json.length > longestCaption) refuse(`"tokenizer.length" must be at most ${longestCaption}, got ${json.length}`);
      return json;
    }),
    ...names,
    step: whole("step", 0),
    steps: whole("steps", 0),
    smoothedLoss: smoothedLoss as number | null,
    ...(run.secondsLeft !== undefined && { secondsLeft: finite(run.secondsLeft, "secondsLeft", refuse) }),
    ...(run.fingerprint !== undefined && { fingerprint: checked("fingerprint", fingerprintFromJson) }),
  };
}

function readModel(value: unknown, refuse: Refuse): PTDiTConfig {
  const given = complete(value, "model", modelParts, refuse) as Partial<PTDiTConfig>;
  for (const name of ["window", "proxyWindow", "compat"] as const)
    if (!Array.isArray(given[name])) refuse(`"model.${name}" must be a list, got ${shown(given[name])}`);
  const { captionChannels, classes, normEps } = given;
  if (captionChannels !== null) wholeNumber(captionChannels, "model.captionChannels", 1, refuse);
  wholeNumber(classes, "model.classes", 0, refuse);
  if (finite(normEps, "model.normEps", refuse) < 0) refuse(`"model.normEps" must not be negative, got ${normEps}`);
  for (const [name, usual] of Object.entries(ptditConfig())) {
    const own = given[name as keyof PTDiTConfig];
    if (typeof usual === "boolean" && own !== undefined) trueOrFalse(own, `model.${name}`, refuse);
  }
  return ptditConfig(given);
}

function readTraining(value: unknown, refuse: Refuse): TrainingConfig {
  const given = complete(value, "training", trainingParts, refuse);
  for (const name of trainingParts) {
    const least = wholeNumbers[name];
    if (name === "checkpointing") trueOrFalse(given[name], "training.checkpointing", refuse);
    else if (least === undefined) finite(given[name], `training.${name}`, refuse);
    else wholeNumber(given[name], `training.${name}`, least, refuse);
  }
  const training = { ...defaultTraining, ...given };
  checkTraining(training);
  return training;
}

const readSampling = (value: unknown, refuse: Refuse): SamplingConfig => samplingConfig(record(value, "sampling", refuse));

function parsed(text: string, refuse: Refuse): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return refuse(`it is not JSON (${messageOf(error)})`);
  }
}
