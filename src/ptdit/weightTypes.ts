/**
 * How a file keeps a model's weights. Its metadata name the type as `weights`; checkpoints of a training name none and hold float32.
 *
 * - `f32`, `f16`: every tensor as floats of this type.
 * - `int8`: a matrix `name` [out, in] as I8, beside it `name.scales` [out] as F32: row i is scales[i] times its whole numbers, -127..127.
 *   Whatever is not I8 is F16: tables, biases, kernels of convolutions, and matrices so small that it hardly counts.
 */
import { FormatError } from "../base/errors.js";
import { dequantiseRows } from "../io/quantised.js";
import type { HostTensor } from "../io/safetensors.js";
import type { StateEntry } from "../nn/module.js";

export const weightTypes = ["f32", "f16", "int8"] as const;
export type WeightType = (typeof weightTypes)[number];

/** Name of the tensor that holds the scales of another's rows. */
export const scalesName = (name: string): string => `${name}.scales`;

/** The names in a file, without those of scales whose tensor is there. */
export function withoutScales(names: readonly string[]): string[] {
  const scales = new Set(names.map(scalesName));
  return names.filter((name) => !scales.has(name));
}

/** @throws FormatError when weights are kept in a way that this version does not know */
export function checkWeightType(type: string | undefined, where: string): void {
  if (type === undefined || weightTypes.some((known) => known === type)) return;
  throw new FormatError(
    `${where} keeps its weights as ${JSON.stringify(type)}, this version reads ${weightTypes.join(", ")}. Update ptdit, or export the model again.`,
  );
}

/**
 * A tensor of a file as an entry of a state, its rows times their scales where it has some.
 * @throws FormatError when its numbers are not floats, or the scales do not fit
 */
export function weightsOf(name: string, tensor: HostTensor, scales: HostTensor | undefined, where: string): StateEntry {
  const refuse = (rule: string): never => {
    throw new FormatError(`${where} holds ${rule}. Copy the file again, or go back to another one.`);
  };
  const { dtype, shape, data } = tensor;
  if (data instanceof Float32Array && !scales) return { shape, data };
  if (dtype !== "I8") return refuse(`"${name}" as ${dtype}, weights are floats`);
  if (!scales) return refuse(`"${name}" as I8 without its scales, "${scalesName(name)}"`);
  const rows = shape.slice(0, -1);
  const fits = scales.data instanceof Float32Array && scales.shape.join() === rows.join() && shape.length > 1;
  if (!fits)
    return refuse(
      `"${name}" [${shape.join(", ")}] with scales [${scales.shape.join(", ")}] as ${scales.dtype}, one float a row is needed`,
    );
  if (!scales.data.every((scale) => scale >= 0 && Number.isFinite(scale)))
    return refuse(`"${name}" with a scale that is not a finite number of at least 0`);
  return { shape, data: dequantiseRows(data, scales.data) };
}
