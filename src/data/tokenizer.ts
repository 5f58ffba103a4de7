import { editDistance } from "../base/editDistance.js";
import { ConfigError, FormatError } from "../base/errors.js";

/** Token of places after a caption's end. */
export const paddingToken = 0;
/** Token of every word that is not known. */
export const unknownToken = 1;
const firstWord = 2;

/** Most words a tokenizer keeps of a caption unless it is told otherwise: attention to text grows with it. */
const defaultLongest = 32;

/** A caption as numbers. */
export interface EncodedCaption {
  /** @shape [length] */
  readonly ids: Int32Array;
  /** @shape [length]  @units 1 a word, 0 padding */
  readonly mask: Float32Array;
  /** Words that are not known. */
  readonly unknown: readonly string[];
  /** Words beyond the length, which were cut off. */
  readonly cut: readonly string[];
}

export interface TokenizerJSON {
  readonly length: number;
  readonly words: readonly string[];
}

/** The words of a caption in lower case: letters, digits and inner apostrophes; a symbol is a word of its own. */
export function wordsOf(caption: string): string[] {
  const text = caption.normalize("NFC").toLowerCase().replaceAll("’", "'");
  return text.match(/[\p{L}\p{N}\p{M}]+(?:'[\p{L}\p{N}\p{M}]+)*|[\p{S}#*]/gu) ?? [];
}

/** Turns captions into rows of word numbers: 0 is padding, 1 an unknown word, the others by frequency, then alphabet. */
export class Tokenizer {
  private readonly ids: ReadonlyMap<string, number>;

  private constructor(
    /** Known words; the number of the first is 2. */
    readonly words: readonly string[],
    /** Places in a caption. */
    readonly length: number,
  ) {
    if (!Number.isInteger(length) || length < 1)
      throw new ConfigError(`tokenizer: length must be a positive whole number, got ${length}.`);
    this.ids = new Map(words.map((word, i) => [word, i + firstWord]));
  }

  /** A tokenizer that knows the words of these captions; without `length` as long as the longest of them, 32 words at most.
   *  @throws ConfigError when length is not a positive whole number */
  static fromCaptions(captions: readonly string[], { length }: { readonly length?: number } = {}): Tokenizer {
    const counts = new Map<string, number>();
    let longest = 1;
    for (const caption of captions) {
      const words = wordsOf(caption);
      longest = Math.max(longest, words.length);
      for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    const byFrequency = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    return new Tokenizer(
      byFrequency.map(([word]) => word),
      length ?? Math.min(longest, defaultLongest),
    );
  }

  /** @throws FormatError when the value was not made by `toJSON` */
  static fromJSON(json: unknown): Tokenizer {
    const { length, words } = Object(json) as Partial<Record<keyof TokenizerJSON, unknown>>;
    const valid =
      Array.isArray(words) && words.every((word) => typeof word === "string") && new Set(words).size === words.length;
    if (!valid || !Number.isInteger(length) || Number(length) < 1) {
      throw new FormatError(
        "tokenizer: its JSON must hold a positive whole length and a list of different words. Save it again.",
      );
    }
    return new Tokenizer(words, Number(length));
  }

  /** How many numbers there are: words, padding and the unknown word. */
  get size(): number {
    return this.words.length + firstWord;
  }

  /** A caption's words as numbers. An empty caption is all padding. */
  encode(caption: string): EncodedCaption {
    const words = wordsOf(caption);
    const kept = words.slice(0, this.length);
    const ids = new Int32Array(this.length).fill(paddingToken);
    const mask = new Float32Array(this.length);
    kept.forEach((word, i) => {
      ids[i] = this.ids.get(word) ?? unknownToken;
      mask[i] = 1;
    });
    return { ids, mask, unknown: kept.filter((word) => !this.ids.has(word)), cut: words.slice(this.length) };
  }

  /** The known words that take the fewest typing errors to become `word`; of equals, the more frequent. */
  nearest(word: string, count = 3): string[] {
    const target = wordsOf(word).join(" ");
    const distances = this.words.map((known) => ({ known, distance: editDistance(target, known) }));
    // Sorting is stable, and words are in the order of their frequency.
    return distances
      .sort((a, b) => a.distance - b.distance)
      .slice(0, count)
      .map(({ known }) => known);
  }

  toJSON(): TokenizerJSON {
    return { length: this.length, words: this.words };
  }
}
