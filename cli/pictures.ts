import { captionedGrid } from "../src/pictures/captionedGrid.js";
import { smallFont } from "../src/pictures/font.js";
import { absentScriptPackages, fontFor } from "../src/pictures/fontPackages.js";
import { fromPlanar, grid, type Picture } from "../src/pictures/png.js";
import { writePicture } from "./pictureFile.js";

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

export interface GridOptions {
  readonly columns: number;
  /** How many times each pixel is enlarged. */
  readonly factor: number;
  /** Text under each picture. */
  readonly captions?: readonly string[];
}

/** Writes pictures as one, as what the path ends in: .png, .jpg.
 *  @throws ConfigError when that cannot be written */
export async function writeGrid(
  path: string,
  pictures: readonly Picture[],
  { columns, factor, captions }: GridOptions,
): Promise<void> {
  const enlarged = pictures.map((picture) => enlarge(picture, factor));
  await writePicture(
    path,
    captions ? await withCaptions(enlarged, captions, columns) : grid(enlarged, columns, gap.width, gap.colour),
  );
}

/** A grid of pictures over their captions, in letters of every script. Letters that cannot be drawn are said once. */
export async function withCaptions(
  pictures: readonly Picture[],
  captions: readonly string[],
  columns: number,
): Promise<Picture> {
  const font = await fontFor(captions);
  await warnMissing(captions.flatMap((caption) => font.missing(caption)));
  return captionedGrid(pictures, captions, columns, { font, ...(font === smallFont ? {} : wide) });
}

/** Letters that were said to be missing. */
const said = new Set<string>();

async function warnMissing(letters: readonly string[]): Promise<void> {
  const missing = [...new Set(letters)].filter((letter) => !said.has(letter));
  if (missing.length === 0) return;
  for (const letter of missing) said.add(letter);
  const absent = await absentScriptPackages();
  const shown = `${missing.slice(0, 20).join(" ")}${missing.length > 20 ? " ..." : ""}`;
  const cure = absent.length > 0 ? ` Run: npm install ${absent.join(" ")}` : " No font that is used has them.";
  process.stderr.write(`warning: captions: ${missing.length} letters cannot be drawn as they are: ${shown}.${cure}\n`);
}
