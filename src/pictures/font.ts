import { letterSheet } from "./letterSheet.js";
import type { Colour, Picture } from "./picture.js";

/** Letters of one size. */
export interface Font {
  /** Pixels from one line to the next. */
  readonly lineHeight: number;
  /** Pixels a text takes from left to right. */
  width(text: string): number;
  /** Writes a line onto a picture, its left top corner at (x, y); what lies outside is cut off. */
  draw(target: Picture, text: string, x: number, y: number, colour: Colour): void;
  /** The letters of a text that this font cannot draw as they are written, each once. */
  missing(text: string): string[];
}

/** A glyph without the empty columns around it. */
interface Glyph {
  readonly width: number;
  /** Offsets of its pixels from the left top corner. */
  readonly pixels: readonly (readonly [x: number, y: number])[];
}

const glyphs = new Map<string, Glyph>([[" ", { width: 2, pixels: [] }]]);
for (const { glyphs: letters, rows } of letterSheet) {
  for (const [i, letter] of [...letters].entries()) {
    const drawn = rows.flatMap((row, y) => [0, 1, 2, 3, 4].flatMap((x) => (row[i * 6 + x] === "#" ? [[x, y] as const] : [])));
    const left = Math.min(...drawn.map(([x]) => x));
    const right = Math.max(...drawn.map(([x]) => x));
    glyphs.set(letter, { width: right - left + 1, pixels: drawn.map(([x, y]) => [x - left, y] as const) });
  }
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** What a reader sees as the letters of a text: accents, joined emoji and flags stay whole. */
export function lettersOf(text: string): string[] {
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

/** The first letters of a text, `count` at most: of a text as long as a book no more is looked at than can be drawn. */
export function firstLetters(text: string, count: number): string {
  let taken = 0;
  for (const { index } of graphemes.segment(text)) if (++taken > count) return text.slice(0, index);
  return text;
}

/** Marks of direction, joiners and the like, which show nothing by themselves, and control characters. */
export const invisible = /[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}]/gu;

/** A text as the small font writes it: white space as spaces, quotes and dashes straight. */
function straightened(text: string): string {
  return text
    .replace(/\s/gu, " ")
    .replace(invisible, "")
    .replace(/[‘’]/g, "'")
    .replace(/[“”]/g, '"')
    .replace(/[‐-―−]/g, "-")
    .replaceAll("…", "...");
}

/** Glyphs of a text. Accents are left out; what the font lacks becomes a question mark. */
function glyphsOf(text: string): Glyph[] {
  const plain = straightened(text)
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "");
  return [...plain].flatMap((letter) => glyphs.get(letter) ?? glyphs.get("?") ?? []);
}

/** The font that is always there: letters, digits and marks of English, seven pixels high. */
export const smallFont: Font = {
  lineHeight: 9,
  width: (text) =>
    Math.max(
      0,
      glyphsOf(text).reduce((width, glyph) => width + glyph.width + 1, -1),
    ),
  draw(target, text, x, y, colour) {
    let left = x;
    for (const { width, pixels } of glyphsOf(text)) {
      for (const [across, down] of pixels) paint(target, left + across, y + down, colour);
      left += width + 1;
    }
  },
  missing: (text) => [...new Set(lettersOf(straightened(text)))].filter((letter) => !glyphs.has(letter)),
};

/** Pixels from one line of the small font to the next. */
export const { lineHeight } = smallFont;

/** Pixels a text takes from left to right in the small font. */
export const textWidth = smallFont.width;

/** Writes a text in the small font onto a picture, its left top corner at (x, y); what lies outside is cut off. */
export const drawText = smallFont.draw;

/** Sets one pixel, if it is on the picture. */
export function paint({ width, height, data }: Picture, x: number, y: number, colour: Colour): void {
  if (x >= 0 && x < width && y >= 0 && y < height) data.set(colour, (y * width + x) * 4);
}
