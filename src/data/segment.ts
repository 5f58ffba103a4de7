/** Words of scripts that are written without spaces between them. */

/** Scripts without spaces; marks belong to the letter before, and the long-sound sign and its like to no script of their own. */
const unspacedLetter = `[${[
  "Han",
  "Hira",
  "Kana",
  "Bopo",
  "Yiii",
  "Thai",
  "Laoo",
  "Khmr",
  "Mymr",
  "Tale",
  "Talu",
  "Lana",
  "Tavt",
  "Java",
  "Bali",
]
  .map((script) => `\\p{sc=${script}}`)
  .join("")}\\u3006\\u3031-\\u3035\\u303c\\u30fc\\uff70\\uff9e\\uff9f]\\p{M}*`;
const runs = new RegExp(`(?:${unspacedLetter})+`, "gu");
const letters = new RegExp(unspacedLetter, "gu");

/** A word, or a run of letters without a space that may be several. */
export interface Piece {
  readonly text: string;
  readonly isUnspaced: boolean;
}

/** Cuts a word where scripts with and without spaces meet: "iphone手机" is "iphone" and "手机". */
export function piecesOf(word: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const { 0: text, index } of word.matchAll(runs)) {
    if (index > end) pieces.push({ text: word.slice(end, index), isUnspaced: false });
    pieces.push({ text, isUnspaced: true });
    end = index + text.length;
  }
  if (end < word.length) pieces.push({ text: word.slice(end), isUnspaced: false });
  return pieces;
}

/** The words of a run without spaces, by the runtime's dictionaries; where it has none, its letters. */
export function segment(run: string): string[] {
  if (typeof Intl.Segmenter !== "function") return run.match(letters) ?? [];
  // Dictionaries go by script; the language only has to be the same everywhere.
  segmenter ??= new Intl.Segmenter("en", { granularity: "word" });
  return Array.from(segmenter.segment(run), (part) => part.segment);
}

let segmenter: Intl.Segmenter | undefined;

/** A way to read the letters up to a place: how many are unknown, in how many words, and where its last word begins. */
interface Reading {
  readonly unknown: number;
  readonly words: number;
  readonly start: number;
  readonly isKnown: boolean;
}

/**
 * The words of a run without spaces among those that a vocabulary knows: as few letters unknown as can be, then as few words.
 * Runtimes cut the same text differently; this way a vocabulary reads it alike in all of them. What it does not know is cut by
 * the runtime.
 */
export function segmentKnown(run: string, isKnown: (word: string) => boolean, longest: number): string[] {
  const parts = run.match(letters) ?? [];
  const best: Reading[] = [{ unknown: 0, words: 0, start: 0, isKnown: true }];
  for (let end = 1; end <= parts.length; end++) {
    const { unknown, words } = best[end - 1];
    let choice: Reading = { unknown: unknown + 1, words: words + 1, start: end - 1, isKnown: false };
    let word = "";
    for (let start = end - 1; start >= 0; start--) {
      word = parts[start] + word;
      if (word.length > longest) break;
      const before = best[start];
      const isBetter =
        before.unknown < choice.unknown || (before.unknown === choice.unknown && before.words + 1 <= choice.words);
      if (isBetter && isKnown(word)) choice = { unknown: before.unknown, words: before.words + 1, start, isKnown: true };
    }
    best.push(choice);
  }
  // From the end backwards: known words, and stretches of unknown letters.
  const stretches: { text: string; isKnown: boolean }[] = [];
  for (let end = parts.length; end > 0; end = best[end].start) {
    const text = parts.slice(best[end].start, end).join("");
    const after = stretches.at(-1);
    if (after && !after.isKnown && !best[end].isKnown) after.text = text + after.text;
    else stretches.push({ text, isKnown: best[end].isKnown });
  }
  return stretches.reverse().flatMap((stretch) => (stretch.isKnown ? [stretch.text] : segment(stretch.text)));
}
