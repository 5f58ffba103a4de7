import { ConfigError, FormatError } from "../base/errors.js";
import { joined } from "../base/joined.js";
import { type Orientation, orientationOf, upright } from "./orientation.js";
import { checkPixels, mostPixels, type Picture } from "./picture.js";
import type { PictureFile } from "./pictureFile.js";
import { wasmCodec } from "./wasmCodec.js";

/** What a JPEG says before its pixels, and where it ends. */
interface JpegHeader {
  readonly orientation: Orientation;
  /** Its colours are four inks. */
  readonly hasInks: boolean;
  /** The file without what follows its end mark. */
  readonly bytes: Uint8Array;
}

/** Kinds of JPEG that neither browsers nor the decoder read, by the lowest bits of their frame's marker. */
const unreadProcesses: Readonly<Record<number, string>> = {
  3: "lossless",
  ...Object.fromEntries([5, 6, 7, 13, 14, 15].map((process) => [process, "hierarchical"])),
  ...Object.fromEntries([9, 10, 11].map((process) => [process, "arithmetic-coded"])),
};

/** Every block of 64 pixels takes a bit at least. */
const mostPixelsPerByte = 8 * 64;

/** Adobe's segment of plain inks. */
const inkSegment = Uint8Array.of(0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0);

const isFrame = (marker: number): boolean => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/** Takes a JPEG apart. It may be grey, colour or CMYK, baseline or progressive.
 *  @throws FormatError when the kind of JPEG is not read, or it claims too many pixels
 *  @throws Error or RangeError when it is broken or cut short */
export function openJpeg(bytes: Uint8Array, where: string): PictureFile {
  const header = readHeader(bytes, where);
  return { bytes: header.bytes, decode: () => decode(header) };
}

/**
 * Walks the segments up to the end mark.
 * @source ITU-T T.81, annex B; JFIF 1.02; the Adobe segment as in ITU-T T.872, section 6.5.3
 */
function readHeader(bytes: Uint8Array, where: string): JpegHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let frame: { width: number; height: number; colours: number } | undefined;
  let orientation: Orientation | undefined;
  let saysAdobe = false;
  for (let at = nextMarker(bytes, 2); ; ) {
    const marker = bytes[at - 1];
    if (marker === 0xd9) {
      if (!frame) throw new Error("it holds no picture");
      const { width, height, colours } = frame;
      checkPixels(width, height, where);
      if (width * height > mostPixelsPerByte * bytes.length)
        throw new Error(`it claims ${width}x${height}, which its ${bytes.length} bytes cannot hold`);
      const whole = bytes.subarray(0, at);
      const hasInks = colours === 4;
      // Inks without Adobe's segment are taken as Adobe's, as browsers do; the decoder insists on it.
      const marked = hasInks && !saysAdobe ? joined(whole.subarray(0, 2), inkSegment, whole.subarray(2)) : whole;
      return { orientation: orientation ?? 1, hasInks, bytes: marked };
    }
    const length = view.getUint16(at);
    const segment = bytes.subarray(at + 2, at + length);
    const tag = String.fromCharCode(...segment.subarray(0, 6));
    if (marker === 0xe1 && tag === "Exif\0\0") orientation ??= orientationOf(segment.subarray(6));
    else if (marker === 0xee && tag.startsWith("Adobe")) saysAdobe = true;
    else if (isFrame(marker) && !frame) {
      const bits = view.getUint8(at + 2);
      const process = unreadProcesses[marker & 15] ?? (bits === 8 ? undefined : `${bits}-bit`);
      if (process) throw new FormatError(`${where}: a ${process} JPEG, which is not read. Save it as a plain JPEG or PNG.`);
      frame = { height: view.getUint16(at + 3), width: view.getUint16(at + 5), colours: view.getUint8(at + 7) };
    }
    at = nextMarker(bytes, at + length);
  }
}

/** The place after the next marker that stands for a segment or the end; fill bytes, restarts and data are passed over. */
function nextMarker(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0 && at + 1 < bytes.length; at = bytes.indexOf(0xff, at + 1)) {
    const marker = bytes[at + 1];
    if (marker > 0x01 && marker < 0xff && !(marker >= 0xd0 && marker <= 0xd8)) return at + 2;
  }
  throw new RangeError("it ends without its end mark");
}

const decodeColours = wasmCodec("jpeg", {
  packageName: "@jsquash/jpeg",
  wasmFile: "codec/dec/mozjpeg_dec.wasm",
  load: () => import("@jsquash/jpeg/decode.js"),
  // It goes on after these, and leaves the rest grey.
  isFatal: (complaint) => /premature end|bad huffman|found marker/i.test(complaint),
});

async function inkCodec(): Promise<typeof import("jpeg-js").decode> {
  try {
    return (await import("jpeg-js")).default.decode;
  } catch {
    throw new ConfigError("jpeg: reading CMYK needs the package jpeg-js, which is not installed. Run: npm install jpeg-js");
  }
}

/** mozjpeg reads grey and colours five times as fast as jpeg-js, which alone reads inks. */
async function decode({ bytes, orientation, hasInks }: JpegHeader): Promise<Picture> {
  return upright(await (hasInks ? decodeInks(bytes) : decodeColours(bytes)), orientation);
}

async function decodeInks(bytes: Uint8Array): Promise<Picture> {
  const decodeJpeg = await inkCodec();
  const { width, height, data } = decodeJpeg(bytes, {
    useTArray: true,
    // A picture cut short is an error, not half grey.
    tolerantDecoding: false,
    maxResolutionInMP: Math.ceil(mostPixels / 1e6),
    maxMemoryUsageInMB: 2048,
  });
  return { width, height, channels: 4, data };
}
