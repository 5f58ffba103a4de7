/**
 * Saved runs: one file that holds weights, their average, the optimiser's state, and everything needed to build the model.
 * @module ptdit/checkpoint
 */
import { ConfigError, FormatError } from "../base/errors.js";
import { Tokenizer } from "../data/tokenizer.js";
import { SafetensorsReader, type TensorSource, writeSafetensorsFile } from "../io/safetensorsFile.js";
import type { State, StateEntry } from "../nn/module.js";
import { parseRun, type RunDescription } from "./runDescription.js";
import { releasedName } from "./stateDict.js";
import { TextModel } from "./textModel.js";

export type { RunDescription } from "./runDescription.js";

export interface Checkpoint {
  readonly run: RunDescription;
  readonly state: State;
}

/** What a run is made of: a state's names begin with one of these. */
export const stateParts = ["weights", "average", "optimizer"] as const;
export type StatePart = (typeof stateParts)[number];

/** Numbers to save, there already or fetched when their turn comes, so that a large run is never held twice. */
export type StateSource = ReadonlyMap<
  string,
  StateEntry | { readonly shape: readonly number[]; readonly data: () => Promise<StateEntry["data"]> }
>;

const format = "ptdit-checkpoint-1";

/** Name in the file: weights carry the authors' names. */
function fileName(name: string): string {
  const match = /^(weights|average)\.model\.(.+)$/.exec(name);
  if (match) return `${match[1]}.${releasedName(match[2] as string)}`;
  return name;
}

/** Writes a checkpoint, tensor by tensor: to the side, synced, renamed, so that a whole one is always there.
 *  @throws FileError when the disk refuses; the last checkpoint stays */
export async function saveCheckpoint(
  path: string,
  { run, state }: { readonly run: RunDescription; readonly state: StateSource },
): Promise<void> {
  const tensors = new Map<string, TensorSource>([...state].map(([name, entry]) => [fileName(name), entry]));
  await writeSafetensorsFile(path, tensors, { format, run: JSON.stringify(run) });
}

/** Reads a checkpoint, whole or some parts of its state.
 *  @throws FormatError when the file is damaged or not a checkpoint
 *  @throws ConfigError when there is none */
export async function loadCheckpoint(
  path: string,
  { parts = stateParts }: { readonly parts?: readonly StatePart[] } = {},
): Promise<Checkpoint> {
  const reader = await openCheckpoint(path);
  try {
    const run = describedRun(reader, path);
    // Every block has many: a lie would be built for hours before its names are missed.
    if (run.model.depth > reader.entries.length)
      throw new FormatError(
        `checkpoint: ${path} says "model.depth" ${run.model.depth}, but holds ${reader.entries.length} tensors. Copy the file again, or go back to another checkpoint.`,
      );
    const ours = ownNames(run);
    const state = new Map<string, StateEntry>();
    for (const entry of reader.entries) {
      const name = ours.get(entry.name) ?? entry.name;
      if (!parts.some((part) => name.startsWith(`${part}.`)) && isPart(name)) continue;
      const { data } = await reader.tensor(entry);
      if (!(data instanceof Float32Array))
        throw new FormatError(
          `checkpoint: ${path} holds "${name}" as ${entry.dtype}, weights are floats. Copy the file again, or go back to another checkpoint.`,
        );
      state.set(name, { shape: entry.shape, data });
    }
    return { run, state };
  } finally {
    await reader.close();
  }
}

/** Reads what a checkpoint says of its run, and none of its numbers.
 *  @throws as `loadCheckpoint` */
export async function loadRunDescription(path: string): Promise<RunDescription> {
  const reader = await openCheckpoint(path);
  try {
    return describedRun(reader, path);
  } finally {
    await reader.close();
  }
}

async function openCheckpoint(path: string): Promise<SafetensorsReader> {
  try {
    return await SafetensorsReader.open(path);
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new ConfigError(`checkpoint: cannot read ${path} (${code}). Train first, or give the folder of a run.`, {
      cause: error,
    });
  }
}

function describedRun({ metadata }: SafetensorsReader, path: string): RunDescription {
  if (metadata.format !== format) {
    throw new FormatError(
      `checkpoint: ${path} has format ${JSON.stringify(metadata.format)}, expected "${format}". It was not written by this version's train.`,
    );
  }
  return parseRun(metadata.run, `checkpoint: ${path}`);
}

const isPart = (name: string): boolean => stateParts.some((part) => name.startsWith(`${part}.`));

/** Our names by those in the file. */
function ownNames(run: RunDescription): Map<string, string> {
  const model = new TextModel(run.model, Tokenizer.fromJSON(run.tokenizer).size);
  const names = [...model.parameters().keys()];
  return new Map(
    ["weights", "average"].flatMap((part) => names.map((name) => [fileName(`${part}.${name}`), `${part}.${name}`] as const)),
  );
}

/** The averaged weights of a checkpoint, as a model ready to sample. */
export function averagedModel({ run, state }: Checkpoint): TextModel {
  const model = new TextModel(run.model, Tokenizer.fromJSON(run.tokenizer).size);
  const prefix = "average.";
  model.load(
    new Map(
      [...state].flatMap(([name, entry]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), entry] as const] : [])),
    ),
  );
  return model;
}
