/** Writes small picture files of every kind that is read. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import encodeAvif, { init as initAvif } from "@jsquash/avif/encode.js";
import encodeWebp, { init as initWebp } from "@jsquash/webp/encode.js";
import jpegJs from "jpeg-js";
import { GifWriter } from "omggif";
import { joined } from "../../src/base/joined.js";
import type { Picture } from "../../src/pictures/picture.js";

export const ascii = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const big16 = (value: number) => Uint8Array.of(value >> 8, value & 255);
const little = (value: number, bytes: number) => Uint8Array.from({ length: bytes }, (_, i) => (value / 256 ** i) & 255);

/** Red, green, blue and yellow quarters: no turn of it looks like another. */
export function quarters(width: number, height: number): Picture {
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const quarter = (2 * x < width ? 0 : 1) + (2 * y < height ? 0 : 2);
      data.set([...quarterColours[quarter], 255], 4 * (y * width + x));
    }
  }
  return { width, height, channels: 4, data };
}

export const quarterColours = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [255, 255, 0],
] as const;

/** Colours in the middles of the quarters, row by row. */
export function middles({ width, height, data }: Picture): number[][] {
  return [0, 1, 2, 3].map((i) => {
    const [x, y] = [Math.floor(((i % 2 ? 3 : 1) * width) / 4), Math.floor(((i > 1 ? 3 : 1) * height) / 4)];
    return [...data.subarray(4 * (y * width + x), 4 * (y * width + x) + 4)];
  });
}

/** EXIF data that say how a picture is turned, in either order of bytes. */
export function exif(orientation: number, littleEndian = false): Uint8Array {
  const bytes = new Uint8Array(26);
  const view = new DataView(bytes.buffer);
  bytes.set(ascii(littleEndian ? "II" : "MM"));
  view.setUint16(2, 42, littleEndian);
  view.setUint32(4, 8, littleEndian);
  view.setUint16(8, 1, littleEndian);
  view.setUint16(10, 0x112, littleEndian);
  view.setUint16(12, 3, littleEndian);
  view.setUint32(14, 1, littleEndian);
  view.setUint16(18, orientation, littleEndian);
  return bytes;
}

const segment = (marker: number, ...parts: Uint8Array[]) => {
  const body = joined(...parts);
  return joined(Uint8Array.of(0xff, marker), big16(body.length + 2), body);
};
export const exifSegment = (...args: Parameters<typeof exif>) => segment(0xe1, ascii("Exif\0\0"), exif(...args));
export const adobeSegment = (transform: number) => segment(0xee, ascii("Adobe"), Uint8Array.of(0, 100, 0, 0, 0, 0, transform));
export const jfifSegment = segment(0xe0, ascii("JFIF\0"), Uint8Array.of(1, 1, 0, 0, 1, 0, 1, 0, 0));

const written = new WeakMap<Picture, Uint8Array>();

/** A JPEG written by jpeg-js, with segments put in front of its own. */
export function jpeg(picture: Picture, ...segments: Uint8Array[]): Uint8Array {
  const data = written.get(picture) ?? jpegJs.encode({ ...picture, data: Buffer.from(picture.data) }, 95).data;
  written.set(picture, data);
  return joined(data.subarray(0, 2), ...segments, data.subarray(2));
}

/** A JPEG of blocks of one colour each, in any number of components, whole or in steps. */
export function blockJpeg(
  wide: number,
  components: readonly (readonly number[])[],
  options: { segments?: readonly Uint8Array[]; names?: readonly number[]; frame?: number; cutBits?: number } = {},
): Uint8Array {
  const { segments = [], names = components.map((_, i) => i + 1), frame = 0xc0, cutBits = 0 } = options;
  const high = components[0].length / wide;
  const steps = components.map(() => 0);
  let bits = "";
  for (let block = 0; block < wide * high; block++) {
    components.forEach((values, c) => {
      // With a quantiser of 8 the mean's coefficient is the value's distance from the middle.
      const change = values[block] - 128 - steps[c];
      steps[c] = values[block] - 128;
      const size = change === 0 ? 0 : Math.floor(Math.log2(Math.abs(change))) + 1;
      bits += size.toString(2).padStart(4, "0");
      if (size > 0) bits += (change > 0 ? change : change + 2 ** size - 1).toString(2).padStart(size, "0");
      if (frame !== 0xc2) bits += "0"; // End of block.
    });
  }
  bits = bits.slice(0, bits.length - cutBits);
  const packed = (bits.match(/.{1,8}/g) ?? []).flatMap((byte) => {
    const value = Number.parseInt(byte.padEnd(8, "1"), 2);
    return value === 0xff ? [0xff, 0] : [value];
  });
  const counts = (length: number, count: number) => Uint8Array.from({ length: 16 }, (_, i) => (i === length - 1 ? count : 0));
  const sizes = Uint8Array.from({ length: 12 }, (_, i) => i);
  return joined(
    Uint8Array.of(0xff, 0xd8),
    ...segments,
    segment(0xdb, Uint8Array.of(0), new Uint8Array(64).fill(8)),
    segment(
      frame,
      Uint8Array.of(8),
      big16(8 * high),
      big16(8 * wide),
      Uint8Array.of(components.length),
      ...names.map((name) => Uint8Array.of(name, 0x11, 0)),
    ),
    segment(0xc4, Uint8Array.of(0), counts(4, 12), sizes),
    segment(0xc4, Uint8Array.of(0x10), counts(1, 1), Uint8Array.of(0)),
    scan(names, 0, frame === 0xc2 ? 0 : 63),
    Uint8Array.from(packed),
    // In steps, every block of every component ends at once in a scan of its own.
    ...(frame === 0xc2 ? names.map((name) => joined(scan([name], 1, 63), endsOfBlocks(wide * high))) : []),
    Uint8Array.of(0xff, 0xd9),
  );
}

const scan = (names: readonly number[], from: number, to: number) =>
  segment(0xda, Uint8Array.of(names.length), ...names.map((name) => Uint8Array.of(name, 0)), Uint8Array.of(from, to, 0));

function endsOfBlocks(count: number): Uint8Array {
  const bits = "0".repeat(count).padEnd(8 * Math.ceil(count / 8), "1");
  return Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2));
}

const wasmFile = (path: string) => readFile(createRequire(import.meta.url).resolve(path));
const imageData = ({ width, height, data }: Picture) => ({
  width,
  height,
  data: Uint8ClampedArray.from(data),
  colorSpace: "srgb" as const,
});

export async function webp(picture: Picture, options: { lossless?: 0 | 1; quality?: number } = {}): Promise<Uint8Array> {
  await initWebp({ wasmBinary: await wasmFile("@jsquash/webp/codec/enc/webp_enc_simd.wasm") });
  return new Uint8Array(await encodeWebp(imageData(picture), { quality: 95, ...options }));
}

/** An animation: a canvas and stills with their places. */
export function animatedWebp(
  width: number,
  height: number,
  frames: readonly { still: Uint8Array; left: number; top: number; width: number; height: number }[],
): Uint8Array {
  const chunk = (name: string, data: Uint8Array) =>
    joined(ascii(name), little(data.length, 4), data, new Uint8Array(data.length % 2));
  const body = joined(
    ascii("WEBP"),
    chunk("VP8X", joined(Uint8Array.of(0x12, 0, 0, 0), little(width - 1, 3), little(height - 1, 3))),
    chunk("ANIM", new Uint8Array(6)),
    ...frames.map((frame) => {
      const head = joined(
        ...[frame.left / 2, frame.top / 2, frame.width - 1, frame.height - 1, 100].map((value) => little(value, 3)),
        Uint8Array.of(0),
      );
      // A still with opacity has a header of its own in front of its parts.
      const parts = frame.still.subarray(String.fromCharCode(...frame.still.subarray(12, 16)) === "VP8X" ? 30 : 12);
      return chunk("ANMF", joined(head, parts));
    }),
  );
  return joined(ascii("RIFF"), little(body.length, 4), body);
}

export async function avif(picture: Picture): Promise<Uint8Array> {
  await initAvif({ wasmBinary: await wasmFile("@jsquash/avif/codec/enc/avif_enc.wasm") });
  return new Uint8Array(await encodeAvif(imageData(picture), { quality: 95, speed: 10 }));
}

/** An AVIF with turns added to the properties of its one picture: quarter turns against the clock, then a mirror. */
export function turnedAvif(file: Uint8Array, quarterTurns: number, mirror?: 0 | 1): Uint8Array {
  const property = (name: string, value: number) => joined(Uint8Array.of(0, 0, 0, 9), ascii(name), Uint8Array.of(value));
  const added = [property("irot", quarterTurns), ...(mirror === undefined ? [] : [property("imir", mirror)])];
  const start = (name: string) => Buffer.from(file).indexOf(name) - 4;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const end = (name: string) => start(name) + view.getUint32(start(name));
  const placesBefore = file[start("ipma") + 18];
  const known: number[] = [];
  for (let at = start("ipco") + 8; at < end("ipco"); at += view.getUint32(at)) known.push(at);
  const places = Uint8Array.from(added, (_, i) => 0x80 | (known.length + 1 + i));
  const placesEnd = start("ipma") + 19 + placesBefore;
  const result = joined(
    file.subarray(0, end("ipco")),
    ...added,
    file.subarray(end("ipco"), placesEnd),
    places,
    file.subarray(placesEnd),
  );
  const grown = new DataView(result.buffer);
  const [inProperties, inPlaces] = [9 * added.length, places.length];
  const grow = (at: number, bytes: number) => grown.setUint32(at, grown.getUint32(at) + bytes);
  for (const name of ["meta", "iprp"]) grow(start(name), inProperties + inPlaces);
  grow(start("ipco"), inProperties);
  grow(start("ipma") + inProperties, inPlaces);
  grown.setUint8(start("ipma") + inProperties + 18, placesBefore + added.length);
  for (let at = start("iloc"); at + 4 <= end("iloc"); at++)
    if (view.getUint32(at) === start("mdat") + 8) grow(at, inProperties + inPlaces);
  return result;
}

/** A GIF of frames of colour numbers. */
export function gif(
  width: number,
  height: number,
  palette: readonly number[],
  frames: readonly { numbers: readonly number[]; box?: readonly [number, number, number, number]; transparent?: number }[],
): Uint8Array {
  const bytes = new Uint8Array(4 * width * height * frames.length + 4096);
  const writer = new GifWriter(bytes, width, height, { palette: [...palette] });
  for (const { numbers, box = [0, 0, width, height], transparent } of frames)
    writer.addFrame(...(box as [number, number, number, number]), [...numbers], { transparent });
  return bytes.slice(0, writer.end());
}
