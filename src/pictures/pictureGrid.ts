/** Pictures shown together: small ones enlarged, over their captions in letters of every script. */
import { captionedGrid } from "./captionedGrid.js";
import { smallFont } from "./font.js";
import { fontFor } from "./fontPackages.js";
import { fromPlanar, grid, type Picture } from "./picture.js";

/** Colour between the cells of a grid. */
const gap = { width: 2, colour: [255, 255, 255, 255] as const };
/** Where letters fill a cell from side to side, captions need more room between them, and more lines. */
const wide = { gap: 8, lines: 3 };

/** Cuts a batch of planar pictures in -1..1 into pictures. @shape data [n, 3, size, size] */
export function split(data: ArrayLike<number>, size: number): Picture[] {
  const pixels = 3 * size * size;
  const all = Float32Array.from(data);
  return Array.from({ length: all.length / pixels }, (_, i) =>
    fromPlanar(all.subarray(i * pixels, (i + 1) * pixels), size, size),
  );
}

/** Enlarges a picture by whole pixels, so that 32-pixel pictures can be seen. */
export function enlarge({ width, height, data }: Picture, factor: number): Picture {
  const result = new Uint8Array(width * height * factor * factor * 4);
  for (let y = 0; y < height * factor; y++) {
    for (let x = 0; x < width * factor; x++) {
      const from = (Math.floor(y / factor) * width + Math.floor(x / factor)) * 4;
      result.set(data.subarray(from, from + 4), (y * width * factor + x) * 4);
    }
  }
  return { width: width * factor, height: height * factor, channels: 4, data: result };
}

export interface PictureGridOptions {
  readonly columns: number;
  /** How many times each pixel is enlarged. */
  readonly factor: number;
  /** Text under each picture. */
  readonly captions?: readonly string[];
}

/** A grid of pictures; captions in the letters of the installed font packages.
 *  @throws ShapeError when there is no picture or no column */
export async function pictureGrid(
  pictures: readonly Picture[],
  { columns, factor, captions }: PictureGridOptions,
): Promise<Picture> {
  const enlarged = pictures.map((picture) => enlarge(picture, factor));
  if (!captions) return grid(enlarged, columns, gap.width, gap.colour);
  const font = await fontFor(captions);
  return captionedGrid(enlarged, captions, columns, { font, ...(font === smallFont ? {} : wide) });
}
