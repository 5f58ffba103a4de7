import { joined } from "../base/joined.js";
import { blank, checkPixels, type Picture, place } from "./picture.js";
import type { PictureFile } from "./pictureFile.js";
import { wasmCodec } from "./wasmCodec.js";

/** A WebP's canvas, and the still picture that stands on it: the whole of a still, the first frame of an animation. */
interface WebpStill {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  /** A file of the still alone. */
  readonly bytes: Uint8Array;
}

interface Chunk {
  readonly name: string;
  readonly data: Uint8Array;
  /** Name, size, data and padding. */
  readonly whole: Uint8Array;
}

/** Takes a WebP apart, lossy, lossless or animated; of an animation the first frame counts.
 *  @throws FormatError when it has too many pixels
 *  @throws Error or RangeError when it is broken or cut short */
export function openWebp(bytes: Uint8Array, where: string): PictureFile {
  const still = firstPicture(bytes, where);
  return { bytes, decode: () => decode(still) };
}

/** @source RFC 9649, section 2 */
function firstPicture(bytes: Uint8Array, where: string): WebpStill {
  const length = uint(bytes, 4, 4) + 8;
  if (length > bytes.length) throw new RangeError(`it claims ${length} bytes and has ${bytes.length}`);
  const chunks = chunksOf(bytes.subarray(12, length));
  const frame = chunks.find(({ name }) => name === "ANMF")?.data;
  const picture = frame ? chunksOf(frame.subarray(16)) : chunks;
  const pixels = picture.find(({ name }) => name === "VP8 " || name === "VP8L");
  if (!pixels) throw new Error("it holds no picture");
  const [wide, high] = pixels.name === "VP8L" ? losslessSize(pixels.data) : lossySize(pixels.data);
  const canvas = chunks.find(({ name }) => name === "VP8X")?.data;
  const [width, height] = canvas ? [uint(canvas, 4, 3) + 1, uint(canvas, 7, 3) + 1] : [wide, high];
  checkPixels(width, height, where);
  checkPixels(wide, high, where);
  const [left, top] = frame ? [2 * uint(frame, 0, 3), 2 * uint(frame, 3, 3)] : [0, 0];
  return { width, height, left, top, bytes: stillOf(pixels, picture, wide, high) };
}

/** A file of one picture: its pixels, and its opacity where that stands apart. */
function stillOf(pixels: Chunk, picture: readonly Chunk[], width: number, height: number): Uint8Array {
  const opacity = pixels.name === "VP8 " ? picture.find(({ name }) => name === "ALPH") : undefined;
  const hasOpacity = 0x10;
  const size = [width - 1, height - 1].flatMap((side) => [side & 255, side >> 8, 0]);
  const extension = Uint8Array.of(...latin("VP8X"), 10, 0, 0, 0, hasOpacity, 0, 0, 0, ...size);
  const body = opacity ? joined(extension, opacity.whole, pixels.whole) : pixels.whole;
  const length = body.length + 4;
  const header = [...latin("RIFF"), ...[0, 8, 16, 24].map((shift) => (length >>> shift) & 255), ...latin("WEBP")];
  return joined(Uint8Array.from(header), body);
}

function chunksOf(bytes: Uint8Array): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const size = uint(bytes, at + 4, 4);
    if (at + 8 + size > bytes.length) throw new RangeError("a part of it is longer than the rest");
    const end = at + 8 + size + (size % 2);
    const name = String.fromCharCode(...bytes.subarray(at, at + 4));
    // The last chunk of some writers lacks its padding.
    const whole = end <= bytes.length ? bytes.subarray(at, end) : joined(bytes.subarray(at), Uint8Array.of(0));
    chunks.push({ name, data: bytes.subarray(at + 8, at + 8 + size), whole });
    at = end;
  }
  return chunks;
}

/** @source RFC 6386, section 9.1 */
const lossySize = (data: Uint8Array): [number, number] => [uint(data, 6, 2) & 0x3fff, uint(data, 8, 2) & 0x3fff];

/** @source RFC 9649, section 3.4 */
function losslessSize(data: Uint8Array): [number, number] {
  const bits = uint(data, 1, 4);
  return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1];
}

const latin = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0));

/** A whole number of some bytes, the lowest first. */
function uint(bytes: Uint8Array, at: number, length: number): number {
  if (at + length > bytes.length) throw new RangeError("it is cut short");
  let value = 0;
  for (let i = length - 1; i >= 0; i--) value = value * 256 + bytes[at + i];
  return value;
}

const decodeStill = wasmCodec("webp", {
  packageName: "@jsquash/webp",
  wasmFile: "codec/dec/webp_dec.wasm",
  load: () => import("@jsquash/webp/decode.js"),
});

async function decode({ width, height, left, top, bytes }: WebpStill): Promise<Picture> {
  const picture = await decodeStill(bytes);
  if (left === 0 && top === 0 && picture.width === width && picture.height === height) return picture;
  const canvas = blank(width, height, [0, 0, 0, 0]);
  place(picture, canvas, left, top);
  return canvas;
}
