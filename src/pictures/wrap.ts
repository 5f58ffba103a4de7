import { type Font, firstLetters, lettersOf, smallFont } from "./font.js";

/** Letters of scripts that are written without spaces and may be broken anywhere. */
const anywhere = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Bopomofo}\p{sc=Yi}\p{Emoji_Presentation}]/u;
/** Letters of scripts that are written without spaces and broken between words. */
const betweenWords = /[\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}\p{sc=Tibetan}]/u;
/** What may not begin a line. */
const closing = /^[\p{Pe}\p{Pf}\p{Po}\p{Mark}ー々〻ゝゞヽヾぁぃぅぇぉっゃゅょァィゥェォッャュョ]/u;
/** What may not end a line. */
const opening = /[\p{Ps}\p{Pi}]$/u;

const words = new Intl.Segmenter("en", { granularity: "word" });

/** Parts of a word between which a line may be broken. */
function parts(word: string): string[] {
  if (!anywhere.test(word) && !betweenWords.test(word)) return [word];
  const result: string[] = [];
  let free = false;
  const append = (part: string, breakable: boolean) => {
    const last = result.at(-1);
    const joined = last !== undefined && (closing.test(part) || opening.test(last) || !(free || breakable));
    if (joined) result[result.length - 1] = last + part;
    else result.push(part);
    free = breakable || (free && closing.test(part));
  };
  for (const { segment } of words.segment(word)) {
    if (anywhere.test(segment)) for (const letter of lettersOf(segment)) append(letter, true);
    else append(segment, betweenWords.test(segment));
  }
  return result;
}

const rightToLeft =
  /[\p{sc=Hebrew}\p{sc=Arabic}\p{sc=Syriac}\p{sc=Thaana}\p{sc=Nko}\p{sc=Adlam}\p{sc=Samaritan}\p{sc=Mandaic}\p{sc=Hanifi_Rohingya}]/u;
const direction = (text: string) => rightToLeft.test(text.match(/\p{L}/u)?.[0] ?? "");

/**
 * Cuts a text into at most `lines` lines of `width` pixels, between words where it can; in scripts without spaces between words or letters;
 * a word too long for a line between letters. What does not fit ends in "..". Lines keep the direction of the whole text.
 */
export function wrapText(text: string, width: number, lines: number, font: Font = smallFont): string[] {
  const result: string[] = [];
  let line = "";
  // A letter takes a pixel at least: beyond these none is seen.
  const waiting = firstLetters(text.trim(), (width + 2) * lines)
    .split(/\s+/u)
    .flatMap((word) => parts(word).map((part, i) => (i === 0 ? ` ${part}` : part)));
  for (let next = waiting.shift(); next !== undefined && result.length < lines; next = waiting.shift()) {
    const longer = line === "" ? next.trimStart() : line + next;
    if (result.length === lines - 1) {
      // The last line takes all that is left, to be clipped.
      line = [longer, ...waiting].join("");
      break;
    }
    if (font.width(longer) <= width) {
      line = longer;
    } else if (line === "") {
      const [fitting, rest] = split(longer, width, font);
      result.push(fitting);
      if (rest !== "") waiting.unshift(rest);
    } else {
      result.push(line);
      line = "";
      waiting.unshift(next);
    }
  }
  if (line !== "" && result.length < lines) result.push(line);
  const whole = direction(text);
  return result.map((own) => directed(clip(own, width, font), whole));
}

/** A line whose first letter does not tell the direction of the whole text gets a mark that does. */
function directed(line: string, whole: boolean): string {
  return direction(line) === whole ? line : `${whole ? "\u200f" : "\u200e"}${line}`;
}

function clip(text: string, width: number, font: Font): string {
  if (font.width(text) <= width) return text;
  const [fitting] = split(text, width, font, "..");
  return font.width(`${fitting}..`) > width ? ".." : `${fitting.trimEnd()}..`;
}

/** As many letters as fit before `end`, at least one, and the rest. */
function split(text: string, width: number, font: Font, end = ""): [fitting: string, rest: string] {
  const letters = lettersOf(text);
  let fitting = letters[0] ?? "";
  let count = 1;
  while (count < letters.length && font.width(fitting + letters[count] + end) <= width) fitting += letters[count++];
  return [fitting, letters.slice(count).join("")];
}
