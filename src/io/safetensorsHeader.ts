/** The header of a safetensors file: JSON that says what and where each tensor is. Nothing in it is believed unchecked. */

/** Bytes an element takes in a file. */
export const elementBytes = {
  ...{ F64: 8, F32: 4, F16: 2, BF16: 2, F8_E5M2: 1, F8_E4M3: 1, F8_E5M2FNUZ: 1, F8_E4M3FNUZ: 1, F8_E8M0: 1 },
  ...{ I64: 8, I32: 4, I16: 2, I8: 1, U64: 8, U32: 4, U16: 2, U8: 1, BOOL: 1 },
} as const;

/** Types of the format that have no numbers here, and why. */
const unreadTypes: Readonly<Record<string, string>> = {
  C64: "complex numbers",
  F4: "floats of half a byte",
  F6_E2M3: "floats of three quarters of a byte",
  F6_E3M2: "floats of three quarters of a byte",
};

/** Element types that can be read. */
export type SafetensorsType = keyof typeof elementBytes;

/** Where a tensor lies: bytes [from, to) after the header. */
export interface TensorEntry {
  readonly name: string;
  readonly dtype: SafetensorsType;
  readonly shape: readonly number[];
  readonly from: number;
  readonly to: number;
}

export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of their bytes, without gap or overlap. */
  readonly entries: readonly TensorEntry[];
  /** Bytes in front of the data. */
  readonly bytes: number;
}

/** Says which rule of the format the file breaks. */
export type Refuse = (rule: string) => never;

/** The format's own limit, so that a lying length is seen for what it is. */
export const largestHeader = 100_000_000;

/** Reads and checks the header: afterwards every tensor is known to lie inside the file and to fit its shape. Of a file of
 *  `fileBytes` the first suffice, the header included.
 *  @throws whatever `refuse` throws, at the first broken rule */
export function readHeader(bytes: Uint8Array, refuse: Refuse, fileBytes = bytes.length): SafetensorsHeader {
  if (bytes.length < 8) refuse(`it has ${bytes.length} bytes, the length of its header alone takes 8`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0, true);
  if (length > BigInt(largestHeader)) refuse(`its header claims ${length} bytes, the format allows ${largestHeader}`);
  const start = 8 + Number(length);
  if (start > fileBytes) refuse(`its header claims ${length} bytes, ${fileBytes - 8} follow`);
  const header = parse(bytes.subarray(8, start), refuse);
  const entries = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, entry]) => checkEntry(name, entry, fileBytes - start, refuse))
    .sort((a, b) => a.from - b.from || a.to - b.to);
  checkCover(entries, fileBytes - start, refuse);
  return { metadata: checkMetadata(header, refuse), entries, bytes: start };
}

function parse(bytes: Uint8Array, refuse: Refuse): Record<string, unknown> {
  let text = "";
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    header = JSON.parse(text);
  } catch {
    refuse("its header is not JSON");
  }
  if (!isRecord(header)) return refuse("its header is not a JSON object");
  const twice = repeatedKey(text);
  if (twice !== undefined) refuse(`its header names ${quoted(twice)} twice`);
  return header;
}

/** A key that an object of the valid JSON `text` holds twice, of which `JSON.parse` would silently keep the last. */
function repeatedKey(text: string): string | undefined {
  const open: Set<string>[] = [];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "{") open.push(new Set());
    else if (text[i] === "}") open.pop();
    else if (text[i] === '"') {
      const end = closingQuote(text, i);
      // Valid JSON has a colon after a key and only there.
      if (nextLetter(text, end + 1) === ":") {
        const key = JSON.parse(text.slice(i, end + 1)) as string;
        const keys = open.at(-1);
        if (keys?.has(key)) return key;
        keys?.add(key);
      }
      i = end;
    }
  }
  return undefined;
}

/** Where the string that starts at `start` ends: at the first quote after an even number of backslashes. */
function closingQuote(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let slashes = 0;
    while (text[end - 1 - slashes] === "\\") slashes++;
    if (slashes % 2 === 0) return end;
  }
}

/** The first character from `start` on that is not white space. */
function nextLetter(text: string, start: number): string | undefined {
  let at = start;
  while (" \t\r\n".includes(text[at] ?? "x")) at++;
  return text[at];
}

function checkMetadata(header: Record<string, unknown>, refuse: Refuse): Record<string, string> {
  const metadata = Object.hasOwn(header, "__metadata__") ? header.__metadata__ : {};
  if (!isRecord(metadata)) return refuse("its __metadata__ is not an object");
  for (const [key, value] of Object.entries(metadata))
    if (typeof value !== "string") refuse(`its metadata ${quoted(key)} is not a string`);
  return metadata as Record<string, string>;
}

function checkEntry(name: string, entry: unknown, dataBytes: number, refuse: Refuse): TensorEntry {
  const tensor = `tensor ${quoted(name)}`;
  if (!isRecord(entry)) return refuse(`${tensor} is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isType(dtype)) {
    if (typeof dtype !== "string") return refuse(`${tensor} has no type, known are ${typeNames}`);
    const meaning = Object.hasOwn(unreadTypes, dtype) ? `, ${unreadTypes[dtype]}, which are not read` : "";
    return refuse(`${tensor} has type ${quoted(dtype)}${meaning}; known are ${typeNames}`);
  }
  if (!isSizes(shape)) return refuse(`${tensor} has a shape that is not a list of whole numbers from 0`);
  if (!isSizes(offsets) || offsets.length !== 2)
    return refuse(`${tensor} has data_offsets that are not two whole numbers from 0`);
  const [from = 0, to = 0] = offsets;
  if (from > to || to > dataBytes) return refuse(`${tensor} claims bytes ${from} to ${to}, the file holds ${dataBytes}`);
  const needed = shape.reduce((product, size) => product * size, elementBytes[dtype]);
  if (needed !== to - from) {
    const bytes = Number.isSafeInteger(needed) ? `${needed}` : "too many";
    return refuse(
      `${tensor} of shape [${excerpt(shape.join(", "))}] and type ${dtype} needs ${bytes} bytes, its offsets span ${to - from}`,
    );
  }
  return { name, dtype, shape, from, to };
}

function checkCover(entries: readonly TensorEntry[], dataBytes: number, refuse: Refuse): void {
  let end = 0;
  let before = "the header";
  for (const { name, from, to } of entries) {
    if (from < end) refuse(`tensor ${quoted(name)} overlaps ${before}`);
    if (from > end) refuse(`${from - end} bytes between ${before} and tensor ${quoted(name)} belong to nothing`);
    [end, before] = [to, `tensor ${quoted(name)}`];
  }
  if (end < dataBytes) refuse(`${dataBytes - end} bytes after ${before} belong to nothing`);
}

const typeNames = Object.keys(elementBytes).join(", ");
const isType = (value: unknown): value is SafetensorsType => typeof value === "string" && Object.hasOwn(elementBytes, value);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isSizes = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
const excerpt = (text: string): string => (text.length <= 80 ? text : `${text.slice(0, 80)}…`);
const quoted = (name: string): string => JSON.stringify(excerpt(name));
