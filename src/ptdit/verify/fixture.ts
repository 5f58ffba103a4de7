import { input, type Tensor } from "../../autograd/tensor.js";
import { FormatError } from "../../base/errors.js";
import type { HostTensor, SafetensorsFile } from "../../io/safetensors.js";
import { fromReleasedConfig } from "../config.js";
import { type ModelInputs, PTDiT } from "../model.js";
import { derivedNames, releasedName } from "../stateDict.js";
import type { Numbers } from "./report.js";

/** A tensor of the file.
 *  @throws FormatError when it is missing */
export function tensorOf(file: SafetensorsFile, name: string): HostTensor {
  const tensor = file.tensors.get(name);
  if (!tensor) throw new FormatError(`verify: tensor "${name}" is missing from the file.`);
  return tensor;
}

/** The model of a fixture or a released checkpoint, with its weights. */
export function modelFromFile(file: SafetensorsFile, prefix = "w."): PTDiT {
  let json: unknown;
  try {
    json = JSON.parse(file.metadata.config ?? "null");
  } catch {
    throw new FormatError('verify: metadata "config" is not JSON.');
  }
  const model = new PTDiT(fromReleasedConfig(json));
  const state = new Map(
    [...model.parameters().keys()].map((name) => [name, tensorOf(file, prefix + releasedName(name))] as const),
  );
  const known = new Set([...model.parameters().keys()].map((name) => prefix + releasedName(name)));
  for (const name of file.tensors.keys()) {
    if (name.startsWith(prefix) && !known.has(name) && !derivedNames.has(name.slice(prefix.length))) {
      throw new FormatError(`verify: weight "${name}" has no place in the model that the config describes.`);
    }
  }
  model.load(new Map([...state].map(([name, { shape, data }]) => [name, { shape, data: Float64Array.from(data) }])));
  return model;
}

/** Inputs of a model case by name; indices stay whole numbers. */
export function fixtureInputs(file: SafetensorsFile): Map<string, { tensor: Tensor; data: Numbers }> {
  const result = new Map<string, { tensor: Tensor; data: Numbers }>();
  for (const [name, { shape, data }] of file.tensors) {
    if (!name.startsWith("in.")) continue;
    const short = name.slice(3);
    result.set(short, { tensor: input(shape, short === "labels" ? "i32" : "f32"), data });
  }
  return result;
}

export function modelInputs(named: ReadonlyMap<string, { tensor: Tensor }>): ModelInputs {
  const get = (name: string): Tensor | undefined => named.get(name)?.tensor;
  const x = get("x_t");
  const t = get("t");
  if (!x || !t) throw new FormatError('verify: a model case needs "in.x_t" and "in.t".');
  return {
    x,
    t,
    caption: get("caption"),
    keep: get("caption_mask"),
    labels: get("labels"),
    resolution: get("resolution"),
    aspect: get("aspect") ?? get("aspect_ratio"),
    proxyIndex: get("proxy_index"),
  };
}
