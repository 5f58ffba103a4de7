/** A checkpoint as bytes: what `readCheckpoint` reads. Files are written by `ptdit/node`; this runs in a browser too. */

import { joined } from "../base/joined.js";
import { checkOptions, needed, object, type Rule } from "../base/options.js";
import { safetensorsParts } from "../io/safetensorsParts.js";
import type { StateEntry } from "../nn/module.js";
import { checkpointFormat, fileName } from "./readCheckpoint.js";
import type { RunDescription } from "./runDescription.js";

/** Numbers to save, there already or fetched when their turn comes, so that a large run is never held twice. */
export type StateSource = ReadonlyMap<
  string,
  StateEntry | { readonly shape: readonly number[]; readonly data: () => Promise<StateEntry["data"]> }
>;

/** What a checkpoint is written from. */
export interface CheckpointSource {
  readonly run: RunDescription;
  readonly state: StateSource;
}

const isTensor = (value: unknown) => Array.isArray(Object(value).shape) && Object(value).data !== undefined;
const stateRule: Rule = {
  text: "a map of tensors by their names, as stateSource() gives it",
  holds: (value) => value instanceof Map && [...value.values()].every(isTensor),
};

/** The bytes of a checkpoint, one part after the other: a tensor is held at a time. */
export function checkpointParts({ run, state }: CheckpointSource): AsyncGenerator<Uint8Array, void, undefined> {
  const tensors = new Map([...state].map(([name, entry]) => [fileName(name), entry]));
  return safetensorsParts(tensors, { format: checkpointFormat, run: JSON.stringify(run) });
}

/** The bytes of a checkpoint, whole.
 *  @throws ConfigError when there is no run or no state */
export async function writeCheckpoint(source: CheckpointSource): Promise<Uint8Array> {
  checkOptions("writeCheckpoint", source, { run: needed(object), state: needed(stateRule) });
  const parts: Uint8Array[] = [];
  for await (const part of checkpointParts(source)) parts.push(part);
  return joined(...parts);
}
