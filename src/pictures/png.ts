import { ConfigError, FormatError, messageOf } from "../base/errors.js";
import { joined } from "../base/joined.js";
import { recognise } from "../io/recognise.js";
import { type Orientation, orientationOf, upright } from "./orientation.js";
import { checkPixels, type Picture } from "./picture.js";
import { decodeFile, type PictureFile } from "./pictureFile.js";

export * from "./picture.js";

/** Loaded when first used, so that whoever reads no pictures needs no package. */
async function codec(): Promise<typeof import("pngjs").PNG.sync> {
  try {
    return (await import("pngjs")).PNG.sync;
  } catch {
    throw new ConfigError("png: reading PNG needs the package pngjs, which is not installed. Run: npm install pngjs");
  }
}

/**
 * Reads a PNG of any bit depth and colour type, turned upright; `where` names it in errors. Bytes after its end are left out.
 * @throws FormatError when the bytes are not a whole PNG
 * @throws ConfigError when pngjs is not installed
 */
export async function decodePng(bytes: Uint8Array, where: string): Promise<Picture> {
  const kind = recognise(bytes);
  if (kind?.format !== "PNG") {
    const what = kind ? ` but ${kind.what}` : "";
    throw new FormatError(`${where}: not a PNG${what}. Convert it to one.`);
  }
  return decodeFile("PNG", openPng, bytes, where);
}

/** What a PNG says before its pixels, and what of the file belongs to it. */
interface PngHeader {
  readonly orientation: Orientation;
  readonly interlaced: boolean;
  /** Its packed pixels, and the bytes that they take when unpacked. */
  readonly packed: readonly Uint8Array[];
  readonly unpacked: number;
  readonly bytes: Uint8Array;
}

const firstChunk = 8;
/** Length, name and checksum of a chunk. */
const chunkFrame = 12;
const endChunk = Uint8Array.of(0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82);

/** Deflate makes at most this much of a byte.
 *  @source zlib, technical details: maximum compression factor */
const mostUnpacked = 1032;

/** Values a pixel has, by colour type. */
const samples: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Takes a PNG apart; pngjs decodes it.
 *  @throws FormatError when it claims too many pixels, or only Apple's programs read it
 *  @throws Error or RangeError when it is broken or cut short */
export function openPng(bytes: Uint8Array, where: string): PictureFile {
  const header = readHeader(bytes, where);
  return { bytes: header.bytes, decode: () => decode(header) };
}

/** Walks the chunks up to the end mark. A file that lacks nothing but that mark is whole: its pixels carry a checksum.
 *  @source PNG specification, third edition, section 5.3 */
function readHeader(bytes: Uint8Array, where: string): PngHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const nameAt = (at: number) => String.fromCharCode(...bytes.subarray(at + 4, at + 8));
  if (nameAt(firstChunk) === "CgBI")
    throw new FormatError(`${where}: a PNG packed for Apple's programs alone. Convert it to a plain PNG.`);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  checkPixels(width, height, where);
  const bits = width * view.getUint8(24) * (samples[view.getUint8(25)] ?? 1);
  const unpacked = height * (1 + Math.ceil(bits / 8));
  const packed: Uint8Array[] = [];
  let orientation: Orientation = 1;
  let at = firstChunk;
  while (at + chunkFrame <= bytes.length && nameAt(at) !== "IEND") {
    const end = at + chunkFrame + view.getUint32(at);
    if (end > bytes.length) throw new RangeError("it is cut short");
    const data = bytes.subarray(at + 8, end - 4);
    if (nameAt(at) === "IDAT") packed.push(data);
    if (nameAt(at) === "eXIf") orientation = orientationOf(data);
    at = end;
  }
  const packedBytes = packed.reduce((sum, { length }) => sum + length, 0);
  if (unpacked > mostUnpacked * packedBytes)
    throw new Error(`it claims ${width}x${height}, which its ${bytes.length} bytes cannot hold`);
  const marked = bytes.subarray(at, at + chunkFrame);
  if (!marked.every((byte, i) => byte === endChunk[i])) throw new Error("its end mark is damaged");
  const interlaced = view.getUint8(28) === 1;
  return { orientation, interlaced, packed, unpacked, bytes: joined(bytes.subarray(0, at), endChunk) };
}

async function decode({ bytes, orientation, interlaced, packed, unpacked }: PngHeader): Promise<Picture> {
  const { read } = await codec();
  if (interlaced) {
    // pngjs unpacks these whole, and a few bytes may become thousands of millions. Seven passes have more rows than one.
    await checkUnpacked(packed, 4 * unpacked + 4096);
  }
  try {
    const { width, height, data } = read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return upright({ width, height, channels: 4, data: Uint8Array.from(data) }, orientation);
  } catch (error) {
    // pngjs stops at a chunk that it refuses, and then complains of the rest.
    if (messageOf(error).startsWith("unrecognised content")) throw new Error("a part of it is damaged");
    throw error;
  }
}

/** Unpacks piece by piece, and stops when it is too much.
 *  @throws Error when the bytes unpack to more than `most`, or are damaged */
async function checkUnpacked(packed: readonly Uint8Array[], most: number): Promise<void> {
  const pieces = new Blob([joined(...packed)]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  let unpacked = 0;
  for (let piece = await pieces.read(); !piece.done; piece = await pieces.read()) {
    unpacked += piece.value.length;
    if (unpacked <= most) continue;
    await pieces.cancel();
    throw new Error("its pixels are more than it claims");
  }
}
