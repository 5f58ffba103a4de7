import { type Colour, type Picture, toPlanar } from "../pictures/picture.js";
import { cropSquare, resizeArea } from "../pictures/resize.js";

/** Pictures and what they show, all in memory. */
export interface Dataset {
  readonly name: string;
  /** Side of every picture in pixels. */
  readonly size: number;
  readonly count: number;
  readonly captions: readonly string[];
  /** Name of every picture's file within the set. */
  readonly files?: readonly string[];
  /** @shape [count, 3, size, size]  @units -1 (dark) .. 1 (full colour) */
  readonly pictures: Float32Array;
  /** Files that could not be used, and why. */
  readonly skipped: readonly SkippedFile[];
  /** Files that were read otherwise than they stand, or not to their end, and how. */
  readonly notes?: readonly SkippedFile[];
}

/** A file or a line of one, `captions.csv:3`, and what there is to say of it. */
export interface SkippedFile {
  readonly file: string;
  readonly reason: string;
}

/** One picture and its caption. @shape picture [3, size, size] in -1..1 */
export interface Sample {
  /** Name of its file within the set. */
  readonly file?: string;
  readonly caption: string;
  readonly picture: Float32Array;
}

/** What shows through transparent pictures: a light grey-blue on which both white and black drawings stay visible. */
export const background: Colour = [200, 214, 228, 255];

/** The engine's numbers of a picture: its square middle on the background, by area averaging.
 *  @shape -> [3, size, size] in -1..1 */
export function normalised(picture: Picture, size: number): Float32Array {
  const square = cropSquare(picture);
  return resizeArea(toPlanar(square, background), 3, square.width, square.height, size);
}

/** Joins samples of one size into a data set. */
export function datasetOf(
  name: string,
  size: number,
  samples: readonly Sample[],
  skipped: readonly SkippedFile[] = [],
  notes: readonly SkippedFile[] = [],
): Dataset {
  const pictures = new Float32Array(samples.length * 3 * size * size);
  for (const [i, { picture }] of samples.entries()) pictures.set(picture, i * 3 * size * size);
  const files = samples.flatMap(({ file }) => (file === undefined ? [] : [file]));
  const captions = samples.map(({ caption }) => caption);
  const count = samples.length;
  return { name, size, count, captions, ...(files.length === count && { files }), pictures, skipped, notes };
}
