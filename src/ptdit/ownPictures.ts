/** Samples, and the training pictures that their captions belong to. */
import { checkValue, whole } from "../base/options.js";
import { type Dataset, gatherSamples } from "../data/dataset.js";
import { type Tokenizer, wordsOf } from "../data/tokenizer.js";
import { checkSamples } from "./checks.js";

/** What samples are held against. */
export interface OwnPictures {
  /** @shape [n, C, F, H, W] */
  readonly pictures: Float32Array;
  /** Numbers of one picture. */
  readonly numbers: number;
  /** What the model reads of each caption: a picture is a sample's own where it is the same. */
  readonly read: readonly string[];
  /** Place in the data set of each sample's caption. */
  readonly places: readonly number[];
}

/**
 * The training pictures, for samples of all their captions, or of those at some places. Captions are equal if the tokenizer makes the same tokens of them; without
 * one, if they have the same words.
 * @shape samples [n, C, F, H, W], one a caption
 * @throws ConfigError when there are no such places, or the samples are not as many numbers as their pictures
 */
export async function ownPictures(
  where: string,
  samples: Float32Array,
  data: Dataset,
  tokenizer?: Tokenizer,
  given?: readonly number[],
): Promise<OwnPictures> {
  checkSamples(where, data);
  const places = given ?? [...data.captions.keys()];
  const numbers = data.shape.reduce((all, size) => all * size, 1);
  const place = whole(0, data.count - 1);
  checkValue(where, "the places", places, {
    text: `a list of whole numbers from 0 to ${data.count - 1}`,
    holds: (value) => Array.isArray(value) && value.length > 0 && value.every(place.holds),
  });
  const total = places.length * numbers;
  checkValue(where, "the samples", samples, {
    text: `as many numbers as the data set holds${places.length < data.count ? " of these places" : ""}, ${total}`,
    holds: (value) => Object(value).length === total,
  });
  return {
    pictures: await gatherSamples(data, [...data.captions.keys()]),
    numbers,
    read: data.captions.map((caption) => (tokenizer ? tokenizer.encode(caption).ids : wordsOf(caption)).join(" ")),
    places,
  };
}

/** Sum of the squared differences of `length` numbers.  @shape a, b [length] each from its place on */
export function squaredDistance(a: Float32Array, aAt: number, b: Float32Array, bAt: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += (a[aAt + i] - b[bAt + i]) ** 2;
  return sum;
}
