import { FormatError } from "../base/errors.js";
import { decodeBrain, decodeHalf, encodeBrain, encodeHalf } from "../base/halfPrecision.js";
import { decodeFloat8 } from "./float8.js";
import { type FileFamily, recognise } from "./recognise.js";
import {
  elementBytes,
  largestHeader,
  type Refuse,
  readHeader,
  type SafetensorsType,
  type TensorEntry,
} from "./safetensorsHeader.js";

export type { SafetensorsType } from "./safetensorsHeader.js";

/** A tensor on the host: floats as Float32Array, whole numbers as Int32Array, bytes and truth values as Uint8Array. */
export interface HostTensor {
  /** The type in the file. */
  readonly dtype: SafetensorsType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
}

export interface SafetensorsFile {
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of their bytes in the file. */
  readonly tensors: ReadonlyMap<string, HostTensor>;
}

/** What to do about a file that is something else. */
const cures: Readonly<Record<FileFamily, string>> = {
  picture: "Give the weights.",
  video: "Give the weights.",
  archive: "Unpack it, or convert the weights in it to safetensors.",
  table: "Give the weights.",
  weights: "Convert it to safetensors.",
  pointer: "Fetch the file itself: git lfs pull.",
  page: "Download the file itself: a page about it, or an error, came in its place.",
  text: "Give the file that holds the weights.",
  nothing: "Copy or download it again.",
};

/** Refuses a file by the name of `where`, whose first bytes these are: says which rule it breaks, or what it is instead. */
export function refusalAt(where: string, bytes: Uint8Array, size = bytes.length): Refuse {
  return (rule) => {
    // The length of a header may begin as another format does.
    const startsAsHeader = bytes[8] === 0x7b && bytes.subarray(4, 8).every((byte) => byte === 0);
    const kind = startsAsHeader ? undefined : recognise(bytes);
    if (kind) {
      const length = size === 0 ? "" : ` (${size} bytes)`;
      const index = /"weight_map"\s*:/.test(new TextDecoder().decode(bytes.subarray(0, 2 ** 16)));
      const what = index ? "the index of a model in parts" : `${kind.what}${length}`;
      throw new FormatError(
        `${where}: not a safetensors file but ${what}. ${index ? "Give the files that it names." : cures[kind.family]}`,
      );
    }
    throw new FormatError(`${where}: not a whole safetensors file: ${rule}. Copy or write the file again.`);
  };
}

/**
 * Reads a safetensors file; `where` names it in errors.
 * @throws FormatError when the bytes are cut short, the header lies, tensors overlap, leave gaps or do not fit their shapes, a
 * whole number does not fit 32 bits, or the file is something else: a git-lfs pointer, a page, an archive, a pickle
 * @source https://github.com/huggingface/safetensors, section "Format"; 64-bit numbers are narrowed to 32
 */
export function readSafetensors(bytes: Uint8Array, where: string): SafetensorsFile {
  const header = readHeader(bytes, refusalAt(where, bytes));
  const tensors = header.entries.map((entry): [string, HostTensor] => {
    const { name, dtype, shape, from, to } = entry;
    // A copy, because typed arrays insist on aligned bytes and a file does not.
    const { buffer } = Uint8Array.from(bytes.subarray(header.bytes + from, header.bytes + to));
    return [name, { dtype, shape, data: decode(entry, buffer, where) }];
  });
  return { metadata: header.metadata, tensors: new Map(tensors) };
}

/** A tensor's numbers from its bytes in the file. */
export function decode({ name, dtype }: TensorEntry, buffer: ArrayBuffer, where: string): HostTensor["data"] {
  const fitting = (value: bigint | number): number => {
    if (BigInt.asIntN(32, BigInt(value)) !== BigInt(value)) {
      throw new FormatError(
        `${where}: whole numbers must fit 32 bits; tensor ${JSON.stringify(name)} holds ${value}. Save it as floats.`,
      );
    }
    return Number(value);
  };
  switch (dtype) {
    case "F64":
      return Float32Array.from(new Float64Array(buffer));
    case "F32":
      return new Float32Array(buffer);
    case "F16":
      return decodeHalf(new Uint16Array(buffer));
    case "BF16":
      return decodeBrain(new Uint16Array(buffer));
    case "F8_E5M2":
    case "F8_E4M3":
    case "F8_E5M2FNUZ":
    case "F8_E4M3FNUZ":
    case "F8_E8M0":
      return decodeFloat8(dtype, new Uint8Array(buffer));
    case "I64":
      return Int32Array.from(new BigInt64Array(buffer), fitting);
    case "U64":
      return Int32Array.from(new BigUint64Array(buffer), fitting);
    case "U32":
      return Int32Array.from(new Uint32Array(buffer), fitting);
    case "U16":
      return Int32Array.from(new Uint16Array(buffer));
    case "I32":
      return new Int32Array(buffer);
    case "I16":
      return Int32Array.from(new Int16Array(buffer));
    case "I8":
      return Int32Array.from(new Int8Array(buffer));
    case "U8":
    case "BOOL":
      return new Uint8Array(buffer);
  }
}

/** Float types that can be written. */
export type SafetensorsFloat = "F32" | "F16" | "BF16";

/** Types that can be written. */
export type WrittenType = SafetensorsFloat | "I32" | "I8" | "U8";

/** A tensor to write, in row-major order. */
export interface TensorToWrite {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
  /** Without it the file's `dtype`. */
  readonly dtype?: WrittenType;
}

export interface WriteOptions {
  /** Of tensors that do not name their own; float32 if left out. Halves round to nearest, ties to even. */
  readonly dtype?: SafetensorsFloat;
}

/**
 * Writes a safetensors file: names and metadata in the order given, data from a multiple of 8 bytes on.
 * @throws FormatError when a shape does not fit its numbers, a name is taken by the format, or names and metadata are too long
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, TensorToWrite>,
  metadata: Readonly<Record<string, string>> = {},
  { dtype: floats = "F32" }: WriteOptions = {},
): Uint8Array {
  for (const [name, { shape, data }] of tensors) checkCount(name, shape, data);
  const { head, dataBytes } = layOut(tensors, metadata, floats);
  const bytes = new Uint8Array(head.length + dataBytes);
  bytes.set(head);
  let at = head.length;
  for (const { data, dtype = floats } of tensors.values()) {
    const part = encode(dtype, data);
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
    at += part.byteLength;
  }
  return bytes;
}

/** @throws FormatError when a tensor has not as many numbers as its shape says */
export function checkCount(name: string, shape: readonly number[], { length }: ArrayLike<number>): void {
  const elements = shape.reduce((product, size) => product * size, 1);
  if (elements !== length) {
    throw new FormatError(
      `safetensors: tensor "${name}" of shape [${shape.join(", ")}] needs ${elements} numbers, got ${length}.`,
    );
  }
}

/** All bytes in front of the data, and how many follow them.
 *  @throws FormatError when a name is taken by the format, or all are too long for it */
export function layOut(
  tensors: ReadonlyMap<string, Omit<TensorToWrite, "data">>,
  metadata: Readonly<Record<string, string>>,
  floats: SafetensorsFloat,
  mostBytes = largestHeader,
): { readonly head: Uint8Array; readonly dataBytes: number } {
  const header: [name: string, entry: unknown][] = Object.keys(metadata).length > 0 ? [["__metadata__", metadata]] : [];
  let dataBytes = 0;
  for (const [name, { shape, dtype = floats }] of tensors) {
    if (name === "__metadata__") throw new FormatError(`safetensors: a tensor cannot be named "__metadata__". Rename it.`);
    const end = dataBytes + shape.reduce((product, size) => product * size, elementBytes[dtype]);
    header.push([name, { dtype, shape, data_offsets: [dataBytes, end] }]);
    dataBytes = end;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const headerBytes = Math.ceil(text.length / 8) * 8;
  if (headerBytes > mostBytes) {
    throw new FormatError(
      `safetensors: names and metadata take ${headerBytes} bytes, the format allows ${mostBytes}. Shorten them.`,
    );
  }
  const head = new Uint8Array(8 + headerBytes);
  new DataView(head.buffer).setBigUint64(0, BigInt(headerBytes), true);
  // The format pads with spaces.
  head.fill(0x20, 8);
  head.set(text, 8);
  return { head, dataBytes };
}

/** A tensor's bytes in the file; those of numbers that are stored as they are, without a copy. */
export function encode(dtype: WrittenType, data: ArrayLike<number>): ArrayBufferView {
  switch (dtype) {
    case "F32":
      return data instanceof Float32Array ? data : Float32Array.from(data);
    case "F16":
      return encodeHalf(Float32Array.from(data));
    case "BF16":
      return encodeBrain(Float32Array.from(data));
    case "I32":
      return Int32Array.from(data);
    case "I8":
      return data instanceof Int8Array ? data : Int8Array.from(data);
    case "U8":
      return Uint8Array.from(data);
  }
}
