import { FormatError } from "../base/errors.js";

/** Element types that can be read. Floats come as Float32Array, whole numbers as Int32Array. */
export type SafetensorsType = "F64" | "F32" | "F16" | "BF16" | "I64" | "I32" | "I16" | "I8" | "U8" | "BOOL";

/** A tensor of a file, on the host. */
export interface HostTensor {
  readonly dtype: SafetensorsType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

export interface SafetensorsFile {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, HostTensor>;
}

const elementBytes: Readonly<Record<SafetensorsType, number>> = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 };
/** The format's own limit on headers. */
const largestHeader = 100_000_000;

/**
 * Reads a safetensors file from its bytes.
 * @throws FormatError when the bytes are cut, the header lies, or tensors overlap, leave gaps or do not fit their shapes
 * @source the safetensors format description
 */
export function readSafetensors(bytes: Uint8Array, where: string): SafetensorsFile {
  const fail = (rule: string): never => {
    throw new FormatError(`${where}: not a whole safetensors file: ${rule}. Copy or write it again.`);
  };
  if (bytes.length < 8) fail(`it has ${bytes.length} bytes, the header's length alone takes 8`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = view.getBigUint64(0, true);
  if (headerBytes > BigInt(largestHeader)) fail(`its header claims ${headerBytes} bytes, more than the format allows (${largestHeader})`);
  const start = 8 + Number(headerBytes);
  if (start > bytes.length) fail(`its header claims ${headerBytes} bytes, the file ends after ${bytes.length - 8}`);
  const header = parseHeader(bytes.subarray(8, start), fail);

  const metadata: Record<string, string> = {};
  const tensors = new Map<string, HostTensor>();
  const ranges: { name: string; from: number; to: number }[] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") {
      if (!isRecord(entry)) fail("its __metadata__ is not an object");
      for (const [key, value] of Object.entries(entry as object)) {
        if (typeof value !== "string") fail(`metadata "${key}" is not a string`);
        metadata[key] = value as string;
      }
      continue;
    }
    const { dtype, shape, from, to } = checkEntry(name, entry, bytes.length - start, fail);
    ranges.push({ name, from, to });
    tensors.set(name, { dtype, shape, data: decode(dtype, new Uint8Array(bytes.subarray(start + from, start + to)), name, fail) });
  }
  checkRanges(ranges, bytes.length - start, fail);
  return { metadata, tensors };
}

type Fail = (rule: string) => never;
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  let header: unknown;
  let text = "";
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (error) {
    fail(`its header is not JSON (${(error as Error).message.slice(0, 80)})`);
  }
  if (!isRecord(header)) return fail("its header is not an object");
  // JSON.parse keeps the last of equal keys: count the names to find the others.
  const names = new Set<string>();
  for (const name of topLevelKeys(text)) {
    if (names.has(name)) fail(`tensor "${name}" appears twice in the header`);
    names.add(name);
  }
  return header;
}

/** Keys of the outermost object of valid JSON text. */
function* topLevelKeys(text: string): Generator<string> {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") depth--;
    else if (character === '"') {
      let end = i + 1;
      while (text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
      let next = end + 1;
      while (/\s/.test(text[next] ?? "")) next++;
      if (depth === 1 && text[next] === ":") yield JSON.parse(text.slice(i, end + 1)) as string;
      i = end;
    }
  }
}

function checkEntry(name: string, entry: unknown, dataBytes: number, fail: Fail) {
  if (!isRecord(entry)) return fail(`the entry of tensor "${name}" is not an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string" || !Object.hasOwn(elementBytes, dtype)) return fail(`tensor "${name}" has the unknown type ${JSON.stringify(dtype)}`);
  const whole = (list: unknown): list is number[] => Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!whole(shape)) return fail(`tensor "${name}" has the impossible shape ${JSON.stringify(shape)}`);
  if (!whole(offsets) || offsets.length !== 2) return fail(`tensor "${name}" has the impossible offsets ${JSON.stringify(offsets)}`);
  const [from, to] = offsets as [number, number];
  if (from > to || to > dataBytes) return fail(`tensor "${name}" claims bytes ${from}..${to}, the file holds ${dataBytes}`);
  const type = dtype as SafetensorsType;
  const needed = shape.reduce((product, n) => product * n, elementBytes[type]);
  if (needed !== to - from) return fail(`tensor "${name}" of shape [${shape}] and type ${dtype} needs ${needed} bytes, its offsets span ${to - from}`);
  return { dtype: type, shape, from, to };
}

function checkRanges(ranges: { name: string; from: number; to: number }[], dataBytes: number, fail: Fail): void {
  let at = 0;
  let previous = "the header";
  for (const { name, from, to } of ranges.sort((a, b) => a.from - b.from || a.to - b.to)) {
    if (from < at) fail(`tensors "${previous}" and "${name}" overlap`);
    if (from > at) fail(`there is a gap of ${from - at} bytes before tensor "${name}"`);
    [at, previous] = [to, name];
  }
  if (at !== dataBytes) fail(`${dataBytes - at} bytes after the last tensor belong to nothing`);
}

/** Numbers from bytes; `bytes` is a copy of its own, so that it is aligned. */
function decode(dtype: SafetensorsType, bytes: Uint8Array, name: string, fail: Fail): Float32Array | Int32Array {
  const { buffer } = bytes;
  switch (dtype) {
    case "F32":
      return new Float32Array(buffer);
    case "F64":
      return Float32Array.from(new Float64Array(buffer));
    case "F16":
      return Float32Array.from(new Uint16Array(buffer), fromHalf);
    case "BF16":
      return new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer);
    case "I32":
      return new Int32Array(buffer);
    case "I16":
      return Int32Array.from(new Int16Array(buffer));
    case "I8":
      return Int32Array.from(new Int8Array(buffer));
    case "U8":
    case "BOOL":
      return Int32Array.from(bytes);
    case "I64":
      return Int32Array.from(new BigInt64Array(buffer), (value) => {
        if (BigInt.asIntN(32, value) !== value) fail(`tensor "${name}" holds ${value}, which does not fit 32 bits`);
        return Number(value);
      });
  }
}

function fromHalf(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

const floatBits = new Uint32Array(1);
const floatValue = new Float32Array(floatBits.buffer);

/** Nearest bfloat16, ties to even. */
function toBrain(value: number): number {
  floatValue[0] = value;
  const bits = floatBits[0] as number;
  if (Number.isNaN(value)) return 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** Nearest float16, ties to even; too large becomes infinite. */
function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const scaled = size / 2 ** (exponent - 10);
  const rounded = roundEven(scaled);
  // A carry out of the fraction moves into the exponent by itself; subnormals have exponent field 0.
  return sign | (rounded < 1024 ? rounded : ((exponent + 15) << 10) + (rounded - 1024));
}

function roundEven(x: number): number {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

/** What to write: floats in row-major order, or whole numbers. */
export interface TensorToWrite {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
  readonly dtype?: "F32" | "F16" | "BF16" | "I32";
}

/**
 * Bytes of a safetensors file; names in the order given, the data 8-byte aligned.
 * @throws FormatError when a shape does not fit its numbers
 */
export function writeSafetensors(tensors: ReadonlyMap<string, TensorToWrite>, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const header: Record<string, unknown> = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  let dataBytes = 0;
  for (const [name, { shape, data, dtype = "F32" }] of tensors) {
    const elements = shape.reduce((product, n) => product * n, 1);
    if (elements !== data.length) throw new FormatError(`safetensors: tensor "${name}" of shape [${shape}] needs ${elements} numbers, got ${data.length}.`);
    const to = dataBytes + elements * elementBytes[dtype];
    header[name] = { dtype, shape, data_offsets: [dataBytes, to] };
    dataBytes = to;
  }
  const text = JSON.stringify(header);
  const encoded = new TextEncoder().encode(text);
  const headerBytes = Math.ceil(encoded.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerBytes + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.fill(0x20, 8, 8 + headerBytes);
  bytes.set(encoded, 8);
  let at = 8 + headerBytes;
  for (const { data, dtype = "F32" } of tensors.values()) {
    const part = encode(dtype, data);
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function encode(dtype: "F32" | "F16" | "BF16" | "I32", data: ArrayLike<number>): Uint8Array {
  if (dtype === "F32") return new Uint8Array(Float32Array.from(data).buffer);
  if (dtype === "I32") return new Uint8Array(Int32Array.from(data).buffer);
  return new Uint8Array(Uint16Array.from(data, dtype === "F16" ? toHalf : toBrain).buffer);
}
