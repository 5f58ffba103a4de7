import { joined } from "../base/joined.js";
import { unpackLzw } from "./lzw.js";
import { blank, checkPixels, type Picture } from "./picture.js";
import type { PictureFile } from "./pictureFile.js";

/** A GIF's first frame, still packed, and the screen that it is drawn on. */
interface Frame {
  readonly screen: readonly [width: number, height: number];
  readonly place: readonly [left: number, top: number, width: number, height: number];
  readonly interlaced: boolean;
  /** Red, green and blue of each colour. */
  readonly colours: Uint8Array;
  /** The colour that stands for none. */
  readonly transparent: number | undefined;
  readonly firstBits: number;
  readonly packed: Uint8Array;
  /** A GIF of this frame alone. */
  readonly bytes: Uint8Array;
}

const [extension, control, image, trailer] = [0x21, 0xf9, 0x2c, 0x3b];

/**
 * Takes a GIF apart, of which only the first frame counts: what follows it may be anything. The decoder is our own because it is
 * short, and of the packages one (omggif) hangs on damaged files while others (gifuct-js, modern-gif) take cut ones for whole.
 * @throws FormatError when it has too many pixels
 * @throws Error or RangeError when it is broken or cut short
 */
export function openGif(bytes: Uint8Array, where: string): PictureFile {
  const frame = firstFrame(bytes, where);
  return { bytes: frame.bytes, decode: async () => draw(frame) };
}

/** @source GIF89a specification, sections 18 to 26 */
function firstFrame(bytes: Uint8Array, where: string): Frame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const screenFlags = view.getUint8(10);
  let at = 13 + tableBytes(screenFlags);
  const shared = bytes.subarray(13, at);
  let controls = new Uint8Array(0);
  for (;;) {
    const block = view.getUint8(at);
    if (block === extension) {
      const end = skipSubBlocks(view, at + 2);
      if (bytes[at + 1] === control) controls = bytes.slice(at, end);
      at = end;
    } else if (block === image) {
      const [left, top, wide, high] = [1, 3, 5, 7].map((offset) => view.getUint16(at + offset, true));
      // A screen too small for the frame grows, as in browsers.
      const width = Math.max(view.getUint16(6, true), left + wide);
      const height = Math.max(view.getUint16(8, true), top + high);
      checkPixels(width, height, where);
      checkPixels(wide, high, where);
      const flags = view.getUint8(at + 9);
      const codes = at + 10 + tableBytes(flags);
      const end = skipSubBlocks(view, codes + 1);
      const colours = tableBytes(flags) > 0 ? bytes.subarray(at + 10, codes) : shared;
      if (colours.length === 0) throw new Error("it has no colours");
      const screen = Uint8Array.of(width & 255, width >> 8, height & 255, height >> 8, screenFlags, 0, 0);
      return {
        screen: [width, height],
        place: [left, top, wide, high],
        interlaced: (flags & 0x40) !== 0,
        colours,
        transparent: controls.length > 6 && controls[3] & 1 ? controls[6] : undefined,
        firstBits: view.getUint8(codes),
        packed: joined(...subBlocks(bytes, codes + 1)),
        bytes: joined(bytes.subarray(0, 6), screen, shared, controls, bytes.subarray(at, end), Uint8Array.of(trailer)),
      };
    } else if (block === 0) at++;
    else throw new Error(block === trailer ? "it holds no picture" : `it has a block of unknown kind ${block}`);
  }
}

/** Bytes of the colour table that flags announce. */
const tableBytes = (flags: number): number => (flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0);

/** The place after a row of sub-blocks: each begins with its length, the last is empty. */
function skipSubBlocks(view: DataView, from: number): number {
  let at = from;
  for (let length = view.getUint8(at); length > 0; length = view.getUint8(at)) at += 1 + length;
  return at + 1;
}

function subBlocks(bytes: Uint8Array, from: number): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (let at = from; bytes[at] > 0; at += 1 + bytes[at]) blocks.push(bytes.subarray(at + 1, at + 1 + bytes[at]));
  return blocks;
}

/** First row and step of the passes in which an interlaced picture is stored. */
const passes = [
  [0, 8],
  [4, 8],
  [2, 4],
  [1, 2],
] as const;

function draw({ screen, place, interlaced, colours, transparent, firstBits, packed }: Frame): Picture {
  const [left, top, width, height] = place;
  const numbers = unpackLzw(packed, firstBits, width * height);
  const picture = blank(...screen, [0, 0, 0, 0]);
  let from = 0;
  for (const [first, step] of interlaced ? passes : ([[0, 1]] as const)) {
    for (let row = first; row < height; row += step) {
      for (let column = 0; column < width; column++) {
        const colour = numbers[from++];
        // A colour beyond the table shows nothing, as in browsers.
        if (colour === transparent || 3 * colour >= colours.length) continue;
        const at = 4 * ((top + row) * picture.width + left + column);
        for (let channel = 0; channel < 3; channel++) picture.data[at + channel] = colours[3 * colour + channel];
        picture.data[at + 3] = 255;
      }
    }
  }
  return picture;
}
