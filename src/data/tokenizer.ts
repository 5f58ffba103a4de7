import { editDistance } from "../base/editDistance.js";
import { ConfigError, FormatError } from "../base/errors.js";
import { piecesOf, segment, segmentKnown } from "./segment.js";

/** Token of places after a caption's end. */
export const paddingToken = 0;
/** Token of every word that is not known. */
export const unknownToken = 1;
const firstWord = 2;
/** What people write before a thing's name, and lists of names do not. */
const articles = ["a", "A", "an", "An", "the", "The"];

/** Most words a tokenizer keeps of a caption unless it is told otherwise: attention to text grows with it. */
export const mostWords = 32;

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
  /** Whether scripts without spaces are cut into words; tokenizers saved before that was so took them whole. */
  readonly segmented?: boolean;
  /** Articles that no caption begins with: where a prompt does, they are left out. Tokenizers saved before that was so read them. */
  readonly skipped?: readonly string[];
}

/** Words that longer captions lost. */
export interface LostWords {
  /** How many captions lost words. */
  readonly captions: number;
  /** The lost words, each once, in the order in which they come. */
  readonly words: readonly string[];
}

/** The words of a caption in lower case: letters, digits and inner apostrophes; a symbol is a word of its own. Scripts without
 *  spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) are cut by the runtime's dictionaries, or into letters where it has none. */
export function wordsOf(caption: string): string[] {
  return cutUnspaced(spacedWords(caption), segment);
}

function cutUnspaced(words: readonly string[], cut: (run: string) => string[]): string[] {
  return words.flatMap((word) => piecesOf(word).flatMap(({ text, isUnspaced }) => (isUnspaced ? cut(text) : [text])));
}

/** Words between spaces and signs. */
function spacedWords(caption: string): string[] {
  const text = caption.normalize("NFC").toLowerCase().replaceAll("’", "'");
  return text.match(/[\p{L}\p{N}\p{M}]+(?:'[\p{L}\p{N}\p{M}]+)*|[\p{S}#*]/gu) ?? [];
}

/** Turns captions into rows of word numbers: 0 is padding, 1 an unknown word, the others by frequency, then alphabet. */
export class Tokenizer {
  private readonly ids: ReadonlyMap<string, number>;
  private readonly longestWord: number;

  private constructor(
    /** Known words; the number of the first is 2. */
    readonly words: readonly string[],
    /** Places in a caption. */
    readonly length: number,
    private readonly segmented: boolean,
    private readonly skipped: readonly string[],
  ) {
    if (!Number.isInteger(length) || length < 1)
      throw new ConfigError(`tokenizer: length must be a positive whole number, got ${length}.`);
    this.ids = new Map(words.map((word, i) => [word, i + firstWord]));
    this.longestWord = words.reduce((longest, word) => Math.max(longest, word.length), 0);
  }

  /**
   * A tokenizer that knows the words of these captions; without `length` as long as the longest of them, 32 words at most. Words
   * beyond the length are not learned: `lostWords` tells which those are.
   * @throws ConfigError when length is not a positive whole number
   */
  static fromCaptions(captions: readonly string[], { length: asked }: { readonly length?: number } = {}): Tokenizer {
    const cut = captions.map(wordsOf);
    const longest = cut.reduce((most, words) => Math.max(most, words.length), 1);
    const length = asked ?? Math.min(longest, mostWords);
    const skipped = unused(articles, captions);
    const draft = new Tokenizer(byFrequency(cut.map((words) => words.slice(0, length))), length, true, skipped);
    // Among all known words it may read a run otherwise than the dictionaries cut it: what it never reads, it need not know.
    return new Tokenizer(byFrequency(captions.map((caption) => draft.read(caption).slice(0, length))), length, true, skipped);
  }

  /** As this tokenizer, with the words of more captions: known words keep their numbers, new ones follow, the more frequent first. */
  grown(captions: readonly string[]): Tokenizer {
    const skipped = unused(this.skipped, captions);
    const including = (cut: readonly (readonly string[])[]): Tokenizer => {
      const added = byFrequency(cut.map((words) => words.slice(0, this.length))).filter((word) => !this.ids.has(word));
      return new Tokenizer([...this.words, ...added], this.length, this.segmented, skipped);
    };
    // Twice, as in `fromCaptions`: a draft may read a run of letters otherwise than the dictionaries cut it.
    const draft = including(captions.map(this.segmented ? wordsOf : spacedWords));
    return including(captions.map((caption) => draft.read(caption)));
  }

  /** @throws FormatError when the value was not made by `toJSON` */
  static fromJSON(json: unknown): Tokenizer {
    const { length, words, segmented = false, skipped = [] }: Partial<Record<keyof TokenizerJSON, unknown>> = Object(json);
    const isList = (value: unknown): value is string[] =>
      Array.isArray(value) && value.every((word) => typeof word === "string") && new Set(value).size === value.length;
    if (
      !isList(words) ||
      !isList(skipped) ||
      typeof segmented !== "boolean" ||
      !Number.isInteger(length) ||
      Number(length) < 1
    ) {
      throw new FormatError(
        "tokenizer: its JSON must hold a positive whole length and lists of different words. Save it again.",
      );
    }
    return new Tokenizer(words, Number(length), segmented, skipped);
  }

  /** How many numbers there are: words, padding and the unknown word. */
  get size(): number {
    return this.words.length + firstWord;
  }

  /** A caption's words as numbers. An empty caption is all padding. */
  encode(caption: string): EncodedCaption {
    const words = this.read(caption);
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
    const target = spacedWords(word).join(" ");
    const distances = this.words.map((known) => ({ known, distance: editDistance(target, known) }));
    // Sorting is stable, and words are in the order of their frequency.
    return distances
      .sort((a, b) => a.distance - b.distance)
      .slice(0, count)
      .map(({ known }) => known);
  }

  toJSON(): TokenizerJSON {
    const { length, words, segmented, skipped } = this;
    return { length, words, ...(segmented && { segmented }), ...(skipped.length > 0 && { skipped }) };
  }

  /** A caption's words as this tokenizer knows them. */
  private read(caption: string): string[] {
    const words = spacedWords(caption);
    if (words.length > 1 && this.skipped.includes(leading(caption))) words.shift();
    if (!this.segmented) return words;
    return cutUnspaced(words, (run) => segmentKnown(run, (word) => this.ids.has(word), this.longestWord));
  }
}

/** What stands before a caption's first space. */
const leading = (caption: string): string => caption.trim().split(/\s/, 1)[0];
/** Those articles that no caption begins with. */
const unused = (list: readonly string[], captions: readonly string[]): string[] =>
  list.filter((article) => !captions.some((caption) => leading(caption) === article));

/** All words, the more frequent first; of equals, by alphabet. */
function byFrequency(captions: readonly (readonly string[])[]): string[] {
  const counts = new Map<string, number>();
  for (const word of captions.flat()) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([word]) => word);
}

/** What a tokenizer cuts off captions that are longer than it reads. */
export function lostWords(tokenizer: Tokenizer, captions: readonly string[]): LostWords {
  const cuts = captions.map((caption) => tokenizer.encode(caption).cut).filter((cut) => cut.length > 0);
  return { captions: cuts.length, words: [...new Set(cuts.flat())] };
}
