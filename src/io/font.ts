import type { Colour, Picture } from "./picture.js";

/** Pixels from one line of text to the next. */
export const lineHeight = 9;

/** The letters, five pixels wide and seven above the line, one below it. */
const sheet = [
  {
    glyphs: "ABCDEFGHIJKLM",
    rows: [
      ".###. ####. .###. ####. ##### ##### .###. #...# .###. ..### #...# #.... #...#",
      "#...# #...# #...# #...# #.... #.... #...# #...# ..#.. ...#. #..#. #.... ##.##",
      "#...# #...# #.... #...# #.... #.... #.... #...# ..#.. ...#. #.#.. #.... #.#.#",
      "##### ####. #.... #...# ####. ####. #.### ##### ..#.. ...#. ##... #.... #.#.#",
      "#...# #...# #.... #...# #.... #.... #...# #...# ..#.. ...#. #.#.. #.... #...#",
      "#...# #...# #...# #...# #.... #.... #...# #...# ..#.. #..#. #..#. #.... #...#",
      "#...# ####. .###. ####. ##### #.... .#### #...# .###. .##.. #...# ##### #...#",
    ],
  },
  {
    glyphs: "NOPQRSTUVWXYZ",
    rows: [
      "#...# .###. ####. .###. ####. .#### ##### #...# #...# #...# #...# #...# #####",
      "##..# #...# #...# #...# #...# #.... ..#.. #...# #...# #...# #...# #...# ....#",
      "##..# #...# #...# #...# #...# #.... ..#.. #...# #...# #...# .#.#. .#.#. ...#.",
      "#.#.# #...# ####. #...# ####. .###. ..#.. #...# #...# #.#.# ..#.. ..#.. ..#..",
      "#..## #...# #.... #.#.# #.#.. ....# ..#.. #...# .#.#. #.#.# .#.#. ..#.. .#...",
      "#..## #...# #.... #..#. #..#. ....# ..#.. #...# .#.#. ##.## #...# ..#.. #....",
      "#...# .###. #.... .##.# #...# ####. ..#.. .###. ..#.. #...# #...# ..#.. #####",
    ],
  },
  {
    glyphs: "abcdefghijklm",
    rows: [
      "..... #.... ..... ...#. ..... ..##. ..... #.... #.... ...#. #.... ##... .....",
      "..... #.... ..... ...#. ..... .#... ..... #.... ..... ..... #.... .#... .....",
      ".##.. ###.. .##.. .###. .##.. ###.. .###. ###.. #.... ...#. #..#. .#... ##.#.",
      "...#. #..#. #.... #..#. #..#. .#... #..#. #..#. #.... ...#. #.#.. .#... #.#.#",
      ".###. #..#. #.... #..#. ####. .#... #..#. #..#. #.... ...#. ##... .#... #.#.#",
      "#..#. #..#. #.... #..#. #.... .#... .###. #..#. #.... ...#. #.#.. .#... #.#.#",
      ".###. ###.. .###. .###. .###. .#... ...#. #..#. #.... ...#. #..#. ..#.. #.#.#",
      "..... ..... ..... ..... ..... ..... .##.. ..... ..... .##.. ..... ..... .....",
    ],
  },
  {
    glyphs: "nopqrstuvwxyz",
    rows: [
      "..... ..... ..... ..... ..... ..... .#... ..... ..... ..... ..... ..... .....",
      "..... ..... ..... ..... ..... ..... .#... ..... ..... ..... ..... ..... .....",
      "###.. .##.. ###.. .###. #.##. .###. ###.. #..#. #...# #.#.# #...# #..#. ####.",
      "#..#. #..#. #..#. #..#. ##... #.... .#... #..#. #...# #.#.# .#.#. #..#. ...#.",
      "#..#. #..#. #..#. #..#. #.... .##.. .#... #..#. .#.#. #.#.# ..#.. #..#. .##..",
      "#..#. #..#. ###.. .###. #.... ...#. .#... #..#. .#.#. #.#.# .#.#. .###. #....",
      "#..#. .##.. #.... ...#. #.... ###.. ..##. .###. ..#.. .#.#. #...# ...#. ####.",
      "..... ..... #.... ...#. ..... ..... ..... ..... ..... ..... ..... .##.. .....",
    ],
  },
  {
    glyphs: "0123456789+-=",
    rows: [
      ".###. ..#.. .###. ##### ...#. ##### ..##. ##### .###. .###. ..... ..... .....",
      "#...# .##.. #...# ...#. ..##. #.... .#... ....# #...# #...# ..#.. ..... .....",
      "#..## ..#.. ....# ..#.. .#.#. ####. #.... ...#. #...# #...# ..#.. ..... ####.",
      "#.#.# ..#.. ...#. ...#. #..#. ....# ####. ..#.. .###. .#### ##### ####. .....",
      "##..# ..#.. ..#.. ....# ##### ....# #...# .#... #...# ....# ..#.. ..... ####.",
      "#...# ..#.. .#... #...# ...#. #...# #...# .#... #...# ...#. ..#.. ..... .....",
      ".###. .###. ##### .###. ...#. .###. .###. .#... .###. .##.. ..... ..... .....",
    ],
  },
  {
    glyphs: ".,:;!?'\"()/%&#*_",
    rows: [
      "..... ..... ..... ..... #.... .###. #.... #.#.. ..#.. #.... ....# ##..# .##.. .#.#. ..... .....",
      "..... ..... ..... ..... #.... #...# #.... #.#.. .#... .#... ...#. ##..# #..#. .#.#. #.#.# .....",
      "..... ..... #.... .#... #.... ....# ..... ..... #.... ..#.. ...#. ...#. #.#.. ##### .###. .....",
      "..... ..... ..... ..... #.... ...#. ..... ..... #.... ..#.. ..#.. ..#.. .#... .#.#. #.#.# .....",
      "..... ..... ..... ..... #.... ..#.. ..... ..... #.... ..#.. .#... .#... #.#.# ##### ..... .....",
      "..... .#... ..... .#... ..... ..... ..... ..... .#... .#... .#... #..## #..#. .#.#. ..... .....",
      "#.... .#... #.... .#... #.... ..#.. ..... ..... ..#.. #.... #.... #..## .##.# .#.#. ..... #####",
      "..... #.... ..... #.... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... ..... .....",
    ],
  },
] as const;

/** A glyph without the empty columns around it. */
interface Glyph {
  readonly width: number;
  /** Offsets of its pixels from the left top corner. */
  readonly pixels: readonly (readonly [x: number, y: number])[];
}

const font = new Map<string, Glyph>([[" ", { width: 2, pixels: [] }]]);
for (const { glyphs, rows } of sheet) {
  for (const [i, character] of [...glyphs].entries()) {
    const drawn = rows.flatMap((row, y) => [0, 1, 2, 3, 4].flatMap((x) => (row[i * 6 + x] === "#" ? [[x, y] as const] : [])));
    const left = Math.min(...drawn.map(([x]) => x));
    const right = Math.max(...drawn.map(([x]) => x));
    font.set(character, { width: right - left + 1, pixels: drawn.map(([x, y]) => [x - left, y] as const) });
  }
}

/** Glyphs of a text. Accents are left out, curly quotes straightened; what the font lacks becomes a question mark. */
function glyphsOf(text: string): Glyph[] {
  const plain = text
    .normalize("NFKD")
    .replace(/\p{Mark}/gu, "")
    .replace(/[‘’]/g, "'")
    .replace(/[“”]/g, '"')
    .replace(/[–—−]/g, "-");
  return [...plain].flatMap((character) => font.get(character) ?? font.get("?") ?? []);
}

/** Pixels a text takes from left to right. */
export function textWidth(text: string): number {
  const glyphs = glyphsOf(text);
  return Math.max(
    0,
    glyphs.reduce((width, glyph) => width + glyph.width + 1, -1),
  );
}

/** Writes a text onto a picture, its left top corner at (x, y); what lies outside is cut off. */
export function drawText(target: Picture, text: string, x: number, y: number, colour: Colour): void {
  let left = x;
  for (const { width, pixels } of glyphsOf(text)) {
    for (const [across, down] of pixels) paint(target, left + across, y + down, colour);
    left += width + 1;
  }
}

/** Sets one pixel, if it is on the picture. */
export function paint({ width, height, data }: Picture, x: number, y: number, colour: Colour): void {
  if (x >= 0 && x < width && y >= 0 && y < height) data.set(colour, (y * width + x) * 4);
}

/** Cuts a text into at most `lines` lines of `width` pixels, between words where it can; what does not fit ends in "..". */
export function wrapText(text: string, width: number, lines: number): string[] {
  const result: string[] = [];
  let rest = text.trim();
  while (rest !== "" && result.length < lines) {
    const words = rest.split(/\s+/);
    const fits = (count: number) => textWidth(words.slice(0, count).join(" ")) <= width;
    let count = words.length;
    // The last line takes all that is left, to be clipped; so does a word too long for any line.
    if (result.length < lines - 1) while (count > 1 && !fits(count)) count--;
    result.push(clip(words.slice(0, count).join(" "), width));
    rest = words.slice(count).join(" ");
  }
  return result;
}

function clip(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let kept = text;
  while (kept !== "" && textWidth(`${kept}..`) > width) kept = kept.slice(0, -1);
  return `${kept.trimEnd()}..`;
}
