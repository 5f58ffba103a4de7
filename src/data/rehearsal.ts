/** New pictures learned among known ones, so that these are not forgotten. */
import { ConfigError } from "../base/errors.js";
import { joinedIn } from "../base/joined.js";
import { samplesFrom } from "./batches.js";
import type { Dataset } from "./dataset.js";
import { PictureSet, type PictureSetOptions } from "./pictureSet.js";

/** Some pictures to learn, and known ones that make a part of every batch. The new ones stand first. */
export class RehearsedSet extends PictureSet implements Dataset {
  /** @throws ConfigError when the pictures differ in size, or the part leaves none of one kind */
  constructor(
    readonly own: PictureSet,
    readonly known: PictureSet,
    /** Of every batch; where it is no whole number, on the average of several. */
    readonly part: number,
  ) {
    if (own.size !== known.size)
      throw new ConfigError(
        `rehearsal: pictures must be of one size; "${own.name}" has ${own.size} px, "${known.name}" ${known.size}. Load both in one size.`,
      );
    if (!(part > 0 && part < 1))
      throw new ConfigError(`rehearsal: the part of known pictures must lie between 0 and 1, got ${part}. Take 0.5, say.`);
    super(joinedSets(own.name, [own, known]));
  }

  /** Of both kinds each picture comes once an epoch of its kind. Which places of the batch are whose is drawn anew at every step: a
   *  trainer may spread times of noise over a batch in its order. */
  draw(batch: number, seed: number, step: number): Int32Array {
    const rehearsed = (steps: number) => Math.floor(steps * batch * this.part);
    const from = rehearsed(step);
    const count = rehearsed(step + 1) - from;
    const learned = samplesFrom(step * batch - from, batch - count, this.own.count, seed);
    // Of another seed, lest sets of equal size come in pairs.
    const known = samplesFrom(from, count, this.known.count, seed + 1);
    const indices = joinedIn((length) => new Int32Array(length), [learned, known.map((index) => this.own.count + index)]);
    return samplesFrom(step * batch, batch, batch, seed + 2).map((place) => indices[place]);
  }
}

/** What makes one set of several of one size, in their order. */
export function joinedSets(name: string, sets: readonly PictureSet[]): PictureSetOptions {
  const [{ size }] = sets;
  const files = sets.flatMap((set) => set.files ?? set.captions);
  const variants = sets.flatMap((set) => set.variants ?? set.captions.map(() => []));
  const heldOut = sets.flatMap((set) => set.heldOut ?? set.captions.map(() => undefined));
  return {
    name,
    size,
    captions: sets.flatMap(({ captions }) => captions),
    ...(sets.some((set) => set.variants) && { variants }),
    ...(sets.some((set) => set.heldOut) && { heldOut }),
    pictures: joinedIn(
      (length) => new Float32Array(length),
      sets.map(({ pictures }) => pictures),
    ),
    ...(sets.some((set) => set.files) && { files }),
    skipped: sets.flatMap(({ skipped }) => skipped),
    notes: sets.flatMap(({ notes }) => notes),
  };
}
