import { ConfigError } from "../base/errors.js";
import { checkOptions, needed, type Rule, type Rules, text, whole } from "../base/options.js";
import { type Colour, type Picture, toPlanar } from "../pictures/picture.js";
import { cropSquare, resizeArea } from "../pictures/resize.js";
import type { Dataset, SampleShape } from "./dataset.js";
import type { RichCaptions } from "./richCaptions.js";

/** A file or a line of one, `captions.csv:3`, and what there is to say of it. */
export interface SkippedFile {
  readonly file: string;
  readonly reason: string;
}

/** What a set of pictures is made of. */
export interface PictureSetOptions {
  readonly name: string;
  /** Side of every picture in pixels. */
  readonly size: number;
  readonly captions: readonly string[];
  /** Other captions of every picture, for training to draw from. */
  readonly variants?: readonly (readonly string[])[];
  /** A caption of every picture that training never sees; undefined where it has none. */
  readonly heldOut?: readonly (string | undefined)[];
  /** @shape [count, 3, size, size]  @units -1 (dark) .. 1 (full colour) */
  readonly pictures: Float32Array;
  /** Name of every picture's file within the set. */
  readonly files?: readonly string[];
  /** Files that could not be used, and why. */
  readonly skipped?: readonly SkippedFile[];
  /** Files that were read otherwise than they stand, or not to their end, and how. */
  readonly notes?: readonly SkippedFile[];
}

const list: Rule = { text: "a list", holds: Array.isArray };
const rules: Rules<PictureSetOptions> = {
  name: needed(text),
  size: needed(whole(1)),
  captions: needed(list),
  variants: list,
  heldOut: list,
  pictures: needed({ text: "a Float32Array", holds: (value) => value instanceof Float32Array }),
  files: list,
  skipped: list,
  notes: list,
};

/** Square pictures and what they show, all in memory. */
export class PictureSet implements Dataset, PictureSetOptions {
  readonly name: string;
  readonly size: number;
  readonly count: number;
  readonly shape: SampleShape;
  readonly captions: readonly string[];
  readonly variants?: readonly (readonly string[])[];
  readonly heldOut?: readonly (string | undefined)[];
  readonly pictures: Float32Array;
  readonly files?: readonly string[];
  readonly skipped: readonly SkippedFile[];
  readonly notes: readonly SkippedFile[];

  /** @throws ConfigError when there are not as many pictures, or lists of variants, as captions */
  constructor(options: PictureSetOptions) {
    checkOptions("pictures", options, rules);
    const { name, size, captions, variants, heldOut, pictures, files, skipped = [], notes = [] } = options;
    this.name = name;
    this.size = size;
    this.count = captions.length;
    this.shape = [3, 1, size, size];
    this.captions = captions;
    if (variants) this.variants = variants;
    if (heldOut) this.heldOut = heldOut;
    this.pictures = pictures;
    if (files) this.files = files;
    this.skipped = skipped;
    this.notes = notes;
    const numbers = this.count * 3 * size ** 2;
    if (pictures.length !== numbers)
      throw new ConfigError(
        `pictures: ${this.count} captions need as many pictures of 3 x ${size} x ${size}, ${numbers} numbers, got ${pictures.length}.`,
      );
    for (const [what, own] of Object.entries({ variants, heldOut }))
      if (own && own.length !== this.count)
        throw new ConfigError(
          `pictures: ${what} has ${own.length} entries for ${this.count} captions. Give one a picture, an empty one where there is none.`,
        );
  }

  async sample(index: number): Promise<Float32Array> {
    const numbers = 3 * this.size ** 2;
    return this.pictures.subarray(index * numbers, (index + 1) * numbers);
  }
}

/** One picture and its caption. @shape picture [3, size, size] in -1..1 */
export interface Sample {
  /** Name of its file within the set. */
  readonly file?: string;
  readonly caption: string;
  /** Its other captions; all samples of a set have them, or none. */
  readonly rich?: RichCaptions;
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

/** Joins samples of one size into a set. */
export function pictureSetOf(
  name: string,
  size: number,
  samples: readonly Sample[],
  skipped: readonly SkippedFile[] = [],
  notes: readonly SkippedFile[] = [],
): PictureSet {
  const pictures = new Float32Array(samples.length * 3 * size * size);
  for (const [i, { picture }] of samples.entries()) pictures.set(picture, i * 3 * size * size);
  const files = samples.flatMap(({ file }) => (file === undefined ? [] : [file]));
  const captions = samples.map(({ caption }) => caption);
  const rich = samples.flatMap((sample) => sample.rich ?? []);
  const others = { variants: rich.map(({ variants }) => variants), heldOut: rich.map(({ heldOut }) => heldOut) };
  return new PictureSet({
    name,
    size,
    captions,
    ...(rich.length > 0 && others),
    ...(files.length === samples.length && { files }),
    pictures,
    skipped,
    notes,
  });
}
