/** Saved runs: one file that holds weights, their average, the optimiser's state, and everything needed to build the model. */
import { readFile } from "node:fs/promises";
import { ConfigError, FormatError } from "../base/errors.js";
import { Tokenizer } from "../data/tokenizer.js";
import { writeFileAtomic } from "../io/atomic-file.js";
import { readSafetensors, type SafetensorsFile, writeSafetensors } from "../io/safetensors.js";
import type { State, StateEntry } from "../nn/module.js";
import { type PTDiTConfig, ptditConfig } from "./config.js";
import { type FlowConfig, flowConfig } from "./flow.js";
import { releasedName } from "./stateDict.js";
import { TextModel } from "./textModel.js";
import type { TrainingConfig } from "./trainer.js";

/** What a run is, beside its numbers. */
export interface RunDescription {
  readonly model: PTDiTConfig;
  readonly flow: FlowConfig;
  readonly training: TrainingConfig;
  /** Data set as the command line names it, and the side of its pictures in pixels. */
  readonly data: string;
  /** Whether the folder's sub-folders count too. */
  readonly recursive?: boolean;
  readonly size: number;
  readonly tokenizer: ReturnType<Tokenizer["toJSON"]>;
  /** Steps taken, and steps the learning rate is laid out for. */
  readonly step: number;
  readonly steps: number;
  /** Smoothed loss, so that a resumed progress line goes on. */
  readonly smoothedLoss: number | null;
}

export interface Checkpoint {
  readonly run: RunDescription;
  readonly state: State;
}

const format = "ptdit-checkpoint-1";

/** Name in the file: weights carry the authors' names. */
function fileName(name: string): string {
  const match = /^(weights|average)\.model\.(.+)$/.exec(name);
  if (match) return `${match[1]}.${releasedName(match[2] as string)}`;
  return name;
}

/** Writes a checkpoint: to the side, synced, renamed, so that a whole one is always there.
 *  @throws PtditError when the disk refuses; the last checkpoint stays */
export async function saveCheckpoint(path: string, { run, state }: Checkpoint): Promise<void> {
  const tensors = new Map([...state].map(([name, entry]) => [fileName(name), entry] as const));
  await writeFileAtomic(path, writeSafetensors(toHost(tensors), { format, run: JSON.stringify(run) }));
}

/** Reads a checkpoint.
 *  @throws FormatError when the file is damaged or not a checkpoint
 *  @throws ConfigError when there is none */
export async function loadCheckpoint(path: string): Promise<Checkpoint> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new ConfigError(
      `checkpoint: cannot read ${path} (${(error as NodeJS.ErrnoException).code ?? "error"}). Train first, or give the folder of a run.`,
    );
  }
  const file = readSafetensors(bytes, path);
  if (file.metadata.format !== format) {
    throw new FormatError(
      `checkpoint: ${path} has format ${JSON.stringify(file.metadata.format)}, expected "${format}". It was not written by this version's train.`,
    );
  }
  const run = parseRun(file, path);
  const model = new TextModel(run.model, Tokenizer.fromJSON(run.tokenizer).size);
  const state = new Map<string, StateEntry>();
  const ours = new Map<string, string>();
  for (const part of ["weights", "average"])
    for (const name of model.parameters().keys()) ours.set(fileName(`${part}.${name}`), `${part}.${name}`);
  for (const [name, { shape, data }] of file.tensors) state.set(ours.get(name) ?? name, { shape, data: data as Float32Array });
  return { run, state };
}

function parseRun(file: SafetensorsFile, path: string): RunDescription {
  try {
    const run = JSON.parse(file.metadata.run ?? "null") as RunDescription;
    return { ...run, model: ptditConfig(run.model), flow: flowConfig(run.flow) };
  } catch (error) {
    throw new FormatError(`checkpoint: ${path} does not describe its run (${(error as Error).message}).`);
  }
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

function toHost(state: State) {
  return new Map(
    [...state].map(([name, { shape, data }]) => [
      name,
      { dtype: "F32" as const, shape: [...shape], data: Float32Array.from(data) },
    ]),
  );
}
