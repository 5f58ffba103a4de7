/** What the bytes of a checkpoint mean. Files are read and written by `ptdit/node`; this runs in a browser too. */
import { ConfigError, FormatError } from "../base/errors.js";
import { checkOptions, checkValue, object, positive, type Rules } from "../base/options.js";
import { Tokenizer } from "../data/tokenizer.js";
import { readSafetensors } from "../io/safetensors.js";
import type { State } from "../nn/module.js";
import { codecs } from "./codec.js";
import { Pipeline, type PipelineParts } from "./pipeline.js";
import { type CheckpointFormat, checkpointFormats, parseRun, type RunDescription } from "./runDescription.js";
import { ownName, releasedName } from "./stateDict.js";
import { encoders } from "./text.js";
import { thousandths } from "./trainingConfig.js";
import { checkWeightType, scalesName, weightsOf, withoutScales } from "./weightTypes.js";

export type { RunDescription } from "./runDescription.js";

export interface Checkpoint {
  readonly run: RunDescription;
  readonly state: State;
}

/** What the names of an average of this horizon begin with. */
export const horizonPart = (horizon: number): string => `horizons.${thousandths(horizon)}`;

/** One average of a state, by the pipeline's names; without a horizon the usual one. */
export function averageEntries(state: State, horizon: number | undefined): State {
  const prefix = `${horizon === undefined ? "average" : horizonPart(horizon)}.`;
  return new Map(
    [...state].flatMap(([name, entry]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), entry] as const] : [])),
  );
}

/** What a run is made of: a state's names begin with one of these. */
export const stateParts = ["weights", "average", "horizons", "optimizer"] as const;
export type StatePart = (typeof stateParts)[number];

export interface CheckpointOptions {
  /** Which parts of the state to read; all by default. Sampling needs `average` only. */
  readonly parts?: readonly StatePart[];
}

const rules: Rules<CheckpointOptions> = {
  parts: {
    text: `a list of ${stateParts.join(", ")}`,
    holds: (value) => Array.isArray(value) && value.every((part) => stateParts.includes(part)),
  },
};
export const checkpointRule = {
  text: "what readCheckpoint or loadCheckpoint gave",
  holds: (value: unknown) => Object(value).state instanceof Map && typeof Object(value).run === "object",
};

/** What is written. */
export const checkpointFormat: CheckpointFormat = "ptdit-checkpoint-2";

/**
 * Reads a checkpoint from its bytes, as `fetch` brings them.
 * @param where names it in errors
 * @throws FormatError when they are damaged or not a checkpoint
 * @throws ConfigError when an option is not one
 */
export function readCheckpoint(bytes: Uint8Array, where = "checkpoint", options: CheckpointOptions = {}): Checkpoint {
  checkValue("readCheckpoint", "bytes", bytes, { text: "a Uint8Array", holds: (value) => value instanceof Uint8Array });
  checkOptions("readCheckpoint", options, rules);
  const { parts = stateParts } = options;
  const { metadata, tensors } = readSafetensors(bytes, where);
  const run = describedRun(metadata, where);
  const names = stateNames(run, [...tensors.keys()], parts, where);
  const state = [...tensors].flatMap(([name, tensor]) => {
    const own = names.get(name);
    return own === undefined ? [] : [[own, weightsOf(name, tensor, tensors.get(scalesName(name)), where)] as const];
  });
  return { run, state: new Map(state) };
}

/** Which average, and parts that are not of this library, for checkpoints that were trained with them. */
export interface AverageOptions extends Pick<PipelineParts, "codec" | "encoder"> {
  /** One of the training's `horizons`; without it the usual average. */
  readonly horizon?: number;
}
const averageRules: Rules<AverageOptions> = { codec: object, encoder: object, horizon: positive };

/** The averaged weights of a checkpoint, as a pipeline ready to sample.
 *  @throws ConfigError when it is no checkpoint, has no such average, or names a codec or an encoder that is not given */
export function averagedPipeline(checkpoint: Checkpoint, own: AverageOptions = {}): Pipeline {
  checkValue("averagedPipeline", "checkpoint", checkpoint, checkpointRule);
  checkOptions("averagedPipeline", own, averageRules);
  const { run, state } = checkpoint;
  const codec = partOf("codec", run.codec, codecs, own.codec);
  const encoder = partOf("encoder", run.encoder, encoders, own.encoder);
  const pipeline = new Pipeline({ model: run.model, captioner: Tokenizer.fromJSON(run.tokenizer), codec, encoder });
  const { horizon } = own;
  const { horizons } = run.training;
  if (horizon !== undefined && !horizons.map(thousandths).includes(thousandths(horizon)))
    throw new ConfigError(
      `averagedPipeline: the run has no average of horizon ${horizon}, but ${horizons.join(", ") || "none"}. Give one of them, or none.`,
    );
  pipeline.load(averageEntries(state, horizon));
  return pipeline;
}

/** The part that a run names; runs of earlier versions name none and have the first. */
function partOf<T extends { readonly kind: string }>(
  what: string,
  kind: string | undefined,
  known: readonly [T, ...T[]],
  own: T | undefined,
): T {
  if (own && own.kind !== (kind ?? known[0].kind))
    throw new ConfigError(
      `averagedPipeline: the run's ${what} is "${kind ?? known[0].kind}", got "${own.kind}". Give the run's.`,
    );
  const found = own ?? (kind === undefined ? known[0] : known.find((one) => one.kind === kind));
  if (!found)
    throw new ConfigError(`averagedPipeline: the run's ${what} "${kind}" is not of this library. Give it as { ${what} }.`);
  return found;
}

/** Name in the file of a state's entry: the model's weights carry the authors' names. */
export function fileName(name: string): string {
  const match = /^(weights|average|horizons\.\d+)\.model\.(.+)$/.exec(name);
  return match ? `${match[1]}.${releasedName(match[2])}` : name;
}

/** Name in the state of a file's tensor. */
function stateName(name: string): string {
  const [, part, theirs] = /^(weights|average|horizons\.\d+)\.(.+)$/.exec(name) ?? [];
  const own = theirs === undefined ? undefined : ownName(theirs);
  return own === undefined ? name : `${part}.model.${own}`;
}

/** What a file's metadata say of the run.
 *  @throws FormatError when they are not a checkpoint's */
export function describedRun(metadata: Readonly<Record<string, string>>, where: string): RunDescription {
  const format = checkpointFormats.find((known) => known === metadata.format);
  if (!format) {
    throw new FormatError(
      `${where} has format ${JSON.stringify(metadata.format)}, expected ${checkpointFormats.map((known) => `"${known}"`).join(" or ")}. It was not written by this version's train.`,
    );
  }
  checkWeightType(metadata.weights, where);
  return parseRun(metadata.run, where, format);
}

/** The state's names, by the file's, of those tensors that belong to `parts` or to no part that is known.
 *  @throws FormatError when the file lacks most of what its run is said to have */
export function stateNames(
  run: RunDescription,
  inFile: readonly string[],
  parts: readonly StatePart[],
  where: string,
): Map<string, string> {
  // Every block has many: of a lie a model would be built for hours before its names are missed.
  if (run.model.depth > inFile.length)
    throw new FormatError(
      `${where} says "model.depth" ${run.model.depth}, but holds ${inFile.length} tensors. Copy the file again, or go back to another checkpoint.`,
    );
  const isOf = (name: string, those: readonly StatePart[]) => those.some((part) => name.startsWith(`${part}.`));
  return new Map(
    withoutScales(inFile)
      .map((name) => [name, stateName(name)] as const)
      .filter(([, name]) => isOf(name, parts) || !isOf(name, stateParts)),
  );
}
