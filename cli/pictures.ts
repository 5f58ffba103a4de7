import { dirname } from "node:path";
import { writeFileAtomic } from "../src/io/atomic-file.js";
import { captionedGrid } from "../src/io/captioned-grid.js";
import { makeFolder } from "../src/io/folder.js";
import { encodePng, fromPlanar, grid, type Picture } from "../src/io/png.js";
import { checkReplaceable } from "../src/io/replaceable.js";

/** Colour between the cells of a grid. */
const gap = { width: 2, colour: [255, 255, 255, 255] as const };

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

/** Writes pictures as one PNG. */
export async function writeGrid(
  path: string,
  pictures: readonly Picture[],
  { columns, factor, captions }: GridOptions,
): Promise<void> {
  await checkReplaceable(path, "picture");
  await makeFolder(dirname(path));
  const enlarged = pictures.map((picture) => enlarge(picture, factor));
  const whole = captions ? captionedGrid(enlarged, captions, columns) : grid(enlarged, columns, gap.width, gap.colour);
  await writeFileAtomic(path, await encodePng(whole));
}
