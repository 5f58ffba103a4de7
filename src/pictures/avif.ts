import { type Orientation, upright } from "./orientation.js";
import { checkPixels } from "./picture.js";
import type { PictureFile } from "./pictureFile.js";
import { wasmCodec } from "./wasmCodec.js";

interface Box {
  readonly name: string;
  readonly data: DataView;
}

/** Takes an AVIF apart: its main picture counts.
 *  @throws FormatError when it has too many pixels
 *  @throws Error or RangeError when it is broken or cut short */
export function openAvif(bytes: Uint8Array, where: string): PictureFile {
  const properties = mainProperties(bytes);
  const size = only(properties, "ispe");
  checkPixels(size.getUint32(4), size.getUint32(8), where);
  return { bytes, decode: async () => properties.flatMap(turnOf).reduce(upright, await decodePixels(bytes)) };
}

/** Properties of the main picture, in the order in which they are applied.
 *  @source ISO/IEC 14496-12, section 8.11 (boxes); ISO/IEC 23008-12, section 6.5 (properties) */
function mainProperties(bytes: Uint8Array): Box[] {
  const meta = only(boxesOf(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)), "meta");
  const parts = boxesOf(rest(meta, 4));
  const properties = boxesOf(only(parts, "iprp"));
  const known = boxesOf(only(properties, "ipco"));
  return associated(only(properties, "ipma"), mainItem(only(parts, "pitm"))).flatMap((place) => known[place - 1] ?? []);
}

function boxesOf(view: DataView): Box[] {
  const boxes: Box[] = [];
  for (let at = 0; at + 8 <= view.byteLength; ) {
    const short = view.getUint32(at);
    const header = short === 1 ? 16 : 8;
    // 0: up to the end; 1: the length follows in 64 bits.
    const claimed = short === 0 ? view.byteLength - at : short === 1 ? Number(view.getBigUint64(at + 8)) : short;
    if (claimed < header) throw new Error("a part of it has no length");
    const name = String.fromCharCode(...[4, 5, 6, 7].map((i) => view.getUint8(at + i)));
    // What follows the last part may be anything: only a part that is used must be whole.
    const length = Math.min(claimed, view.byteLength - at);
    boxes.push({ name, data: new DataView(view.buffer, view.byteOffset + at + header, length - header) });
    at += length;
  }
  return boxes;
}

function only(boxes: readonly Box[], name: string): DataView {
  const box = boxes.find((one) => one.name === name);
  if (!box) throw new Error(`its part "${name}" is missing`);
  return box.data;
}

const rest = (view: DataView, from: number): DataView =>
  new DataView(view.buffer, view.byteOffset + from, view.byteLength - from);

const mainItem = (pitm: DataView): number => (pitm.getUint8(0) === 0 ? pitm.getUint16(4) : pitm.getUint32(4));

/** Places of an item's properties, from 1 on. */
function associated(ipma: DataView, item: number): number[] {
  const wideItems = ipma.getUint8(0) > 0;
  const widePlaces = (ipma.getUint8(3) & 1) === 1;
  let at = 8;
  for (let entries = ipma.getUint32(4); entries > 0; entries--) {
    const id = wideItems ? ipma.getUint32(at) : ipma.getUint16(at);
    const count = ipma.getUint8(at + (wideItems ? 4 : 2));
    at += wideItems ? 5 : 3;
    const step = widePlaces ? 2 : 1;
    if (id === item) {
      const place = (i: number) => (widePlaces ? ipma.getUint16(at + 2 * i) & 0x7fff : ipma.getUint8(at + i) & 0x7f);
      return Array.from({ length: count }, (_, i) => place(i));
    }
    at += count * step;
  }
  return [];
}

/** A quarter turn against the clock, or several, and mirrors. */
function turnOf({ name, data }: Box): Orientation[] {
  const [quarters, mirrors] = [[1, 8, 3, 6] as const, [4, 2] as const];
  if (name === "irot") return [quarters[data.getUint8(0) & 3]];
  return name === "imir" ? [mirrors[data.getUint8(0) & 1]] : [];
}

const decodePixels = wasmCodec("avif", {
  packageName: "@jsquash/avif",
  wasmFile: "codec/dec/avif_dec.wasm",
  load: () => import("@jsquash/avif/decode.js"),
});
