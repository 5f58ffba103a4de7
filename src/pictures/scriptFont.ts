import type { Bidi } from "bidi-js";
import type * as HarfBuzz from "harfbuzzjs";
import { type Font, firstLetters, invisible, lettersOf } from "./font.js";
import { type Edge, edgesOf, fillOutline } from "./outline.js";
import type { Colour, Picture } from "./picture.js";

/** What shapes text: HarfBuzz joins and stacks letters, bidi-js orders what is read from right to left. */
export interface Shaper {
  readonly harfbuzz: typeof HarfBuzz;
  readonly bidi: Pick<Bidi, "getEmbeddingLevels">;
}

/** A font file at one size. */
export interface Face {
  readonly font: HarfBuzz.Font;
  /** Code points it has glyphs for. */
  readonly letters: ReadonlySet<number>;
  /** Drawn on the grid of pixels: glyphs stand on whole pixels. */
  readonly pixelated: boolean;
  readonly emoji: boolean;
}

/** Font engines count in parts of a pixel. */
export const unitsPerPixel = 64;

/** Letters that take one face, direction and script. */
interface Run {
  readonly face: Face;
  readonly level: number;
  readonly script: string | undefined;
  text: string;
}

interface PlacedGlyph {
  readonly face: Face;
  readonly id: number;
  readonly x: number;
  /** Pixels above the baseline. */
  readonly y: number;
}

interface Layout {
  readonly width: number;
  readonly glyphs: readonly PlacedGlyph[];
}

/** Shown in place of a letter no face has. */
const replacement = "\uFFFD";

/** What is drawn as a picture unless a text asks otherwise. */
export const emoji = /\p{Emoji_Presentation}|\p{Emoji}\uFE0F|\p{RI}/u;

/** The code points of a letter that show something. */
export function pointsOf(letter: string): number[] {
  return Array.from(letter.replace(invisible, ""), (character) => character.codePointAt(0) ?? 0);
}

/** Scripts that share a face, each with rules of its own. */
const scripts = ["Latin", "Greek", "Cyrillic", "Armenian", "Georgian", "Hebrew", "Arabic", "Nko", "Lao"].map(
  (name) => [name, new RegExp(`\\p{Script=${name}}`, "u")] as const,
);

/** Pixels above and below the baseline that a line has at least: those of a capital letter and of a g. */
const [leastAbove, leastBelow] = [9, 3];

/** Letters of a text by which the height of its lines is known. */
const measuredLetters = 500;

/** A font of many faces: each letter takes the first that has it. Lines are as high as what the texts it is for need. */
export class ScriptFont implements Font {
  readonly lineHeight: number;
  private readonly ascent: number;
  private readonly layouts = new Map<string, Layout>();

  constructor(
    private readonly shaper: Shaper,
    private readonly faces: readonly Face[],
    texts: readonly string[],
  ) {
    let [above, below] = [leastAbove, leastBelow];
    for (const { face, id, y } of texts.flatMap((text) => this.layout(firstLetters(text, measuredLetters)).glyphs)) {
      const extents = face.font.glyphExtents(id);
      if (!extents) continue;
      // Heights are counted upwards: that of a glyph is negative.
      const { yBearing, height } = extents;
      above = Math.max(above, y + yBearing / unitsPerPixel);
      below = Math.max(below, -y - (yBearing + height) / unitsPerPixel);
    }
    this.ascent = Math.ceil(above);
    this.lineHeight = this.ascent + Math.ceil(below) + 1;
  }

  width(text: string): number {
    return this.layout(text).width;
  }

  draw(target: Picture, text: string, x: number, y: number, colour: Colour): void {
    for (const glyph of this.layout(text).glyphs) {
      const outline = glyph.face.font.glyphToJson(glyph.id);
      const edges: Edge[] = edgesOf(outline, x + glyph.x, y + this.ascent - glyph.y, 1 / unitsPerPixel);
      fillOutline(target, edges, colour);
    }
  }

  missing(text: string): string[] {
    return [...new Set(lettersOf(readable(text)))].filter((letter) => !this.faceOf(letter));
  }

  private layout(text: string): Layout {
    let layout = this.layouts.get(text);
    if (!layout) {
      layout = this.shape(this.runs(readable(text)));
      this.layouts.set(text, layout);
    }
    return layout;
  }

  /** The face for a letter: one that has all of it, of the kind it asks for if there is one; a space goes with what is before it. */
  private faceOf(letter: string, before?: Face): Face | undefined {
    const points = pointsOf(letter);
    const has = (face: Face) => points.every((point) => face.letters.has(point));
    if (before && !before.emoji && /^[\p{Z}\p{P}]+$/u.test(letter) && has(before)) return before;
    const able = this.faces.filter(has);
    return able.find((face) => face.emoji === emoji.test(letter)) ?? able[0];
  }

  /** A letter, or as much of it as some face has. */
  private drawable(letter: string): string {
    const [base = replacement] = letter;
    return [letter, base].find((part) => this.faceOf(part)) ?? replacement;
  }

  /** A text's runs in the order they are read. */
  private runs(text: string): Run[] {
    const letters = lettersOf(text).map((letter) => this.drawable(letter));
    const { levels } = this.shaper.bidi.getEmbeddingLevels(letters.join(""));
    const runs: Run[] = [];
    let at = 0;
    for (const letter of letters) {
      const last = runs.at(-1);
      const level = levels[at];
      at += letter.length;
      const face = this.faceOf(letter, last?.face) ?? this.faces[0];
      const own = scripts.find(([, test]) => test.test(letter))?.[0];
      const script = own ?? last?.script;
      if (last && last.face === face && last.level === level && last.script === script) last.text += letter;
      else runs.push({ face, level, script, text: letter });
    }
    return runs;
  }

  private shape(runs: readonly Run[]): Layout {
    const { Buffer, Direction, shape } = this.shaper.harfbuzz;
    const glyphs: PlacedGlyph[] = [];
    let pen = 0;
    for (const { face, level, text } of visualOrder(runs)) {
      const buffer = new Buffer();
      buffer.addText(text);
      buffer.guessSegmentProperties();
      buffer.setDirection(level % 2 === 1 ? Direction.RTL : Direction.LTR);
      shape(face.font, buffer);
      if (face.pixelated) pen = Math.ceil(pen);
      for (const { codepoint: id, xAdvance = 0, xOffset = 0, yOffset = 0 } of buffer.getGlyphInfosAndPositions()) {
        glyphs.push({ face, id, x: pen + xOffset / unitsPerPixel, y: yOffset / unitsPerPixel });
        pen += xAdvance / unitsPerPixel;
      }
    }
    return { width: Math.ceil(pen), glyphs };
  }
}

/** White space as spaces, marks in one piece with their letters, no control characters. */
function readable(text: string): string {
  return text
    .normalize("NFC")
    .replace(/\s/gu, " ")
    .replace(/\p{Cc}/gu, "");
}

/** Runs from left to right: from the highest level down, what is read from right to left is turned round.
 *  @source Unicode Standard Annex 9, rule L2 */
function visualOrder(runs: readonly Run[]): Run[] {
  const result = [...runs];
  const highest = Math.max(0, ...runs.map(({ level }) => level));
  for (let level = highest; level > 0; level--) {
    for (let from = 0; from < result.length; from++) {
      if (result[from].level < level) continue;
      let to = from;
      while (to < result.length && result[to].level >= level) to++;
      result.splice(from, to - from, ...result.slice(from, to).reverse());
      from = to;
    }
  }
  return result;
}
