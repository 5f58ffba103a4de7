/** A model as it is passed on: its averaged weights and its run's description, without what only further training needs. */
import { ConfigError } from "../base/errors.js";
import { joined } from "../base/joined.js";
import { checkOptions, checkValue, oneOf, positive, type Rules } from "../base/options.js";
import { sizeOf } from "../base/shape.js";
import { quantiseRows } from "../io/quantised.js";
import type { TensorToWrite } from "../io/safetensors.js";
import { safetensorsParts } from "../io/safetensorsParts.js";
import type { StateEntry } from "../nn/module.js";
import { averageEntries, type Checkpoint, checkpointFormat, checkpointRule, fileName } from "./readCheckpoint.js";
import { scalesName, type WeightType, weightTypes } from "./weightTypes.js";

export interface ExportOptions {
  /** How the weights are kept: `f16` if left out. `int8` takes half of that, and pictures hardly differ. */
  readonly type?: WeightType;
  /** One of the training's `horizons`; without it the usual average. */
  readonly horizon?: number;
}

const rules: Rules<ExportOptions> = { type: oneOf(...weightTypes), horizon: positive };

/** From here on binary16 rounds to infinity. */
const halfOverflow = 65520;
/** A matrix of fewer numbers stays in halves: what it would save, its scales and their names in the header take. */
const leastQuantised = 4096;

/**
 * The bytes of a model's file, one part after the other; `readCheckpoint` reads them as a checkpoint that holds the average alone.
 * @throws ConfigError when there are no averaged weights, one is not a finite number, or one is too large for the type
 */
export function modelParts(checkpoint: Checkpoint, options: ExportOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
  checkValue("export", "the checkpoint", checkpoint, checkpointRule);
  checkOptions("export", options, rules);
  const { type = "f16", horizon } = options;
  const { run, state } = averageOf(checkpoint, horizon);
  const tensors = new Map([...state].flatMap(([name, entry]) => stored(fileName(name), entry, type)));
  const metadata = { format: checkpointFormat, weights: type, run: JSON.stringify(run) };
  return safetensorsParts(tensors, metadata, { dtype: type === "f32" ? "F32" : "F16" });
}

/** A checkpoint that has one average and nothing else, whatever its horizon was.
 *  @throws ConfigError when there is no such average */
export function averageOf({ run, state }: Checkpoint, horizon?: number): Checkpoint {
  const average = [...averageEntries(state, horizon)].map(([name, entry]) => [`average.${name}`, entry] as const);
  if (average.length > 0) return { run: { ...run, training: { ...run.training, horizons: [] } }, state: new Map(average) };
  const { horizons } = run.training;
  const which = horizon === undefined ? "averaged weights" : `average of horizon ${horizon}`;
  throw new ConfigError(
    `export: the checkpoint has no ${which} among its ${state.size} entries; its run's horizons are ${horizons.join(", ") || "none"}. Read the part that has it.`,
  );
}

/** The bytes of a model's file, whole; see `modelParts`. */
export async function exportModel(checkpoint: Checkpoint, options: ExportOptions = {}): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of modelParts(checkpoint, options)) parts.push(part);
  return joined(...parts);
}

/** An entry of a state as tensors of a file: itself, or whole numbers and their scales. */
function stored(name: string, { shape, data }: StateEntry, type: WeightType): [name: string, tensor: TensorToWrite][] {
  const isQuantised = type === "int8" && shape.length === 2 && sizeOf(shape) >= leastQuantised;
  const limit = type === "f32" || isQuantised ? Number.POSITIVE_INFINITY : halfOverflow;
  const wrong = data.find((x) => !(Math.abs(x) < limit));
  if (wrong !== undefined) {
    const why = Number.isFinite(wrong)
      ? "f16 ends at 65504. Export it as f32"
      : "which is not finite. Go back to an earlier checkpoint";
    throw new ConfigError(`export: "${name}" holds ${wrong}, ${why}.`);
  }
  if (!isQuantised) return [[name, { shape, data }]];
  const { numbers, scales } = quantiseRows(data, shape[1]);
  return [
    [name, { shape, data: numbers, dtype: "I8" }],
    [scalesName(name), { shape: [shape[0]], data: scales, dtype: "F32" }],
  ];
}
