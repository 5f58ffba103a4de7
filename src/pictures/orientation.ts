import type { Picture } from "./picture.js";

/** How a picture is stored, as EXIF counts: 1 upright, 3 upside down, 6 and 8 on a side, the others mirrored too. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** How each orientation is put upright: rows and columns change places first, then sides. */
const turns: Readonly<Record<Orientation, readonly [swap: boolean, flipX: boolean, flipY: boolean]>> = {
  1: [false, false, false],
  2: [false, true, false],
  3: [false, true, true],
  4: [false, false, true],
  5: [true, false, false],
  6: [true, false, true],
  7: [true, true, true],
  8: [true, true, false],
};

/** A picture as it is meant to be seen. */
export function upright(picture: Picture, orientation: Orientation): Picture {
  if (orientation === 1) return picture;
  const [swap, flipX, flipY] = turns[orientation];
  const { width, height } = picture;
  const [wide, high] = swap ? [height, width] : [width, height];
  const source = new DataView(picture.data.buffer, picture.data.byteOffset, picture.data.byteLength);
  const data = new Uint8Array(picture.data.length);
  const target = new DataView(data.buffer);
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      const [column, row] = swap ? [y, x] : [x, y];
      const from = (flipY ? height - 1 - row : row) * width + (flipX ? width - 1 - column : column);
      target.setUint32(4 * (y * wide + x), source.getUint32(4 * from));
    }
  }
  return { width: wide, height: high, channels: 4, data };
}

const orientationTag = 0x112;
const shortType = 3;

/** The orientation that EXIF data give; 1 when they give none or are broken, as viewers take it.
 *  @source Exif 2.3, sections 4.5.2 and 4.6.4 */
export function orientationOf(exif: Uint8Array): Orientation {
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  try {
    const little = view.getUint16(0) === 0x4949;
    if (!little && view.getUint16(0) !== 0x4d4d) return 1;
    const directory = view.getUint32(4, little);
    const count = view.getUint16(directory, little);
    for (let i = 0; i < count; i++) {
      const entry = directory + 2 + 12 * i;
      if (view.getUint16(entry, little) !== orientationTag || view.getUint16(entry + 2, little) !== shortType) continue;
      const value = view.getUint16(entry + 8, little);
      return value >= 1 && value <= 8 ? (value as Orientation) : 1;
    }
  } catch (error) {
    // A directory beyond the data: metadata never cost a picture.
    if (!(error instanceof RangeError)) throw error;
  }
  return 1;
}
