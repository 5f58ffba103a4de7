import { ConfigError, codeOf } from "../base/errors.js";
import type { StateEntry } from "../nn/module.js";
import { type ExportOptions, modelParts } from "../ptdit/exportModel.js";
import {
  type Checkpoint,
  type CheckpointOptions,
  describedRun,
  type RunDescription,
  stateNames,
  stateParts,
} from "../ptdit/readCheckpoint.js";
import { scalesName, weightsOf } from "../ptdit/weightTypes.js";
import { type CheckpointSource, checkpointParts } from "../ptdit/writeCheckpoint.js";
import { writeFileAtomic } from "./atomicFile.js";
import { SafetensorsReader } from "./safetensorsFile.js";

export { type ExportOptions, exportModel } from "../ptdit/exportModel.js";
export {
  averagedPipeline,
  type Checkpoint,
  type CheckpointOptions,
  type RunDescription,
  readCheckpoint,
  type StatePart,
  stateParts,
} from "../ptdit/readCheckpoint.js";
export { type WeightType, weightTypes } from "../ptdit/weightTypes.js";
export { type CheckpointSource, type StateSource, writeCheckpoint } from "../ptdit/writeCheckpoint.js";

/** Writes a checkpoint, tensor by tensor: to the side, synced, renamed, so that a whole one is always there.
 *  @throws FileError when the disk refuses; the last checkpoint stays */
export async function saveCheckpoint(path: string, source: CheckpointSource): Promise<void> {
  await writeFileAtomic(path, checkpointParts(source));
}

/** Writes a model's averaged weights and its run's description, to be passed on: `loadCheckpoint` reads them as a checkpoint's average.
 *  @throws ConfigError when there are no averaged weights, one is not a finite number, or one is too large for the type
 *  @throws FileError when the disk refuses; what was there stays */
export async function saveModel(path: string, checkpoint: Checkpoint, options: ExportOptions = {}): Promise<void> {
  await writeFileAtomic(path, modelParts(checkpoint, options));
}

/** Reads a checkpoint, whole or some parts of its state.
 *  @throws FormatError when the file is damaged or not a checkpoint
 *  @throws ConfigError when there is none */
export async function loadCheckpoint(path: string, { parts = stateParts }: CheckpointOptions = {}): Promise<Checkpoint> {
  const where = `checkpoint: ${path}`;
  const reader = await openCheckpoint(path);
  try {
    const run = describedRun(reader.metadata, where);
    const inFile = reader.entries.map(({ name }) => name);
    const names = stateNames(run, inFile, parts, where);
    const entries = new Map(reader.entries.map((entry) => [entry.name, entry]));
    const state = new Map<string, StateEntry>();
    for (const entry of reader.entries) {
      const name = names.get(entry.name);
      if (name === undefined) continue;
      const tensor = await reader.tensor(entry);
      const scales = entries.get(scalesName(entry.name));
      state.set(name, weightsOf(entry.name, tensor, scales && (await reader.tensor(scales)), where));
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
    return describedRun(reader.metadata, `checkpoint: ${path}`);
  } finally {
    await reader.close();
  }
}

async function openCheckpoint(path: string): Promise<SafetensorsReader> {
  try {
    return await SafetensorsReader.open(path);
  } catch (error) {
    const code = codeOf(Object(error).cause, "");
    if (code === "") throw error;
    throw new ConfigError(`checkpoint: cannot read ${path} (${code}). Train first, or give the folder of a run.`, {
      cause: error,
    });
  }
}
