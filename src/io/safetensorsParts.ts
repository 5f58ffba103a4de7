/** Safetensors of any size, written part by part: one tensor is held at a time. */
import { checkCount, encode, layOut, type TensorToWrite, type WriteOptions } from "./safetensors.js";

/** A tensor to write whose numbers are there, or are fetched when their turn comes. */
export interface TensorSource extends Omit<TensorToWrite, "data"> {
  readonly data: ArrayLike<number> | (() => ArrayLike<number> | Promise<ArrayLike<number>>);
}

export interface PartOptions {
  /** Bytes that are read or written at once. */
  readonly partBytes?: number;
}

/** Few calls, little memory. */
export const defaultPartBytes = 64 << 20;

/**
 * The bytes of a safetensors file, as `writeSafetensors` lays them out, one part after the other.
 * @throws FormatError when a shape does not fit its numbers, or a name is taken by the format
 */
export async function* safetensorsParts(
  tensors: ReadonlyMap<string, TensorSource>,
  metadata: Readonly<Record<string, string>> = {},
  { dtype: floats = "F32", partBytes = defaultPartBytes }: WriteOptions & PartOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  yield layOut(tensors, metadata, floats).head;
  for (const [name, { shape, data: source, dtype = floats }] of tensors) {
    const data = typeof source === "function" ? await source() : source;
    checkCount(name, shape, data);
    // At least one number at a time.
    const step = Math.max(1, Math.floor(partBytes / 4));
    for (let from = 0; from < data.length; from += step) {
      const { buffer, byteOffset, byteLength } = encode(dtype, range(data, from, Math.min(data.length, from + step)));
      yield new Uint8Array(buffer, byteOffset, byteLength);
    }
  }
}

/** Numbers from..to-1; of a typed array no copy. */
function range(data: ArrayLike<number>, from: number, to: number): ArrayLike<number> {
  if (from === 0 && to === data.length) return data;
  if (data instanceof Float32Array || data instanceof Float64Array || data instanceof Int32Array)
    return data.subarray(from, to);
  if (data instanceof Int8Array || data instanceof Uint8Array) return data.subarray(from, to);
  return Array.from({ length: to - from }, (_, i) => data[from + i]);
}
