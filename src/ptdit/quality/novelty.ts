/** Whether samples are new, or training pictures again. */
import { ConfigError } from "../../base/errors.js";
import { checkValue, type Rule } from "../../base/options.js";
import { quantile } from "../quantile.js";

/**
 * How near samples come to training pictures, beside how near these come to each other. A distance is the root of the mean squared
 * difference, to a picture or to its mirror image, whichever is nearer.
 * @units nearest, nearestReal: 8-bit levels, of which a picture has 256
 */
export interface Novelty {
  readonly samples: number;
  /** Median over the samples of the distance to the nearest training picture. */
  readonly nearest: number;
  /** Median over the training pictures of the distance to the nearest other one. */
  readonly nearestReal: number;
  /** Part of the samples that are new: farther from their nearest training picture than that one is from its nearest other. */
  readonly novel: number;
  /** The same of training pictures, each held against all others: what pictures come to that are as new as those were. */
  readonly novelReal: number;
}

/** Fewest training pictures: of two each is the other's nearest, and a third tells whether that is near. */
export const leastPictures = 3;

/** Levels of a unit: numbers go from -1 to 1, levels from 0 to 255. */
const levelsPerUnit = 127.5;

/** A picture, and its mirror image. */
export interface Print {
  /** @shape [numbers] each  @units -1..1 */
  readonly picture: Float32Array;
  readonly mirrored: Float32Array;
}

/**
 * Holds samples against training pictures.
 * @throws ConfigError when there is no sample, or fewer than `leastPictures` training pictures, or they differ in size
 * @source Alaa et al., arXiv 2102.08921, section 4.3 (authenticity, there of features; here of pixels, so that faults do not pass for news)
 */
export function novelty(samples: readonly Print[], training: readonly Print[]): Novelty {
  checkValue("novelty", "the samples", samples, printsRule(1));
  checkValue("novelty", "the training pictures", training, printsRule(leastPictures));
  const numbers = training[0].picture.length;
  if (samples[0].picture.length !== numbers)
    throw new ConfigError(
      `novelty: samples of ${samples[0].picture.length} numbers cannot be held against pictures of ${numbers}. Bring them to one size.`,
    );
  const among = training.map(({ picture }, i) => nearestOf(picture, training, i));
  const found = samples.map(({ picture }) => nearestOf(picture, training));
  const levels = (squares: readonly Nearest[]) =>
    levelsPerUnit *
    Math.sqrt(
      quantile(
        squares.map(({ squared }) => squared),
        0.5,
      ) / numbers,
    );
  const part = (list: readonly Nearest[], isNew: (one: Nearest, i: number) => boolean) =>
    list.filter(isNew).length / list.length;
  return {
    samples: samples.length,
    nearest: levels(found),
    nearestReal: levels(among),
    novel: part(found, ({ place, squared }) => squared > among[place].squared),
    // Of the others, what is nearest to a picture's nearest is as near as the picture or nearer, unless the two are each other's.
    novelReal: part(among, ({ place, squared }, i) => among[place].place !== i && squared > among[place].squared),
  };
}

const printsRule = (least: number): Rule => ({
  text: `a list of at least ${least} { picture, mirrored }, of finite numbers, all as long as each other`,
  holds: (value) => {
    if (!Array.isArray(value) || value.length < least) return false;
    const numbers = Object(Object(value[0]).picture).length;
    const fits = (list: unknown) => list instanceof Float32Array && list.length === numbers && list.every(Number.isFinite);
    return numbers > 0 && value.every((one) => fits(Object(one).picture) && fits(Object(one).mirrored));
  },
});

interface Nearest {
  readonly place: number;
  /** Sum of squared differences. */
  readonly squared: number;
}

/** Which of some pictures, but for one, is nearest. */
function nearestOf(picture: Float32Array, among: readonly Print[], butFor = -1): Nearest {
  let [place, squared] = [-1, Number.POSITIVE_INFINITY];
  for (const [j, other] of among.entries()) {
    if (j === butFor) continue;
    const distance = Math.min(apart(picture, other.picture, squared), apart(picture, other.mirrored, squared));
    if (distance < squared) [place, squared] = [j, distance];
  }
  return { place, squared };
}

/** Sum of squared differences, or Infinity where it comes to no less than `limit`: most pictures are far within a few rows. */
function apart(a: Float32Array, b: Float32Array, limit: number): number {
  let sum = 0;
  for (let i = 0; i < a.length; ) {
    for (const end = Math.min(a.length, i + 64); i < end; i++) sum += (a[i] - b[i]) ** 2;
    if (sum >= limit) return Number.POSITIVE_INFINITY;
  }
  return sum;
}
