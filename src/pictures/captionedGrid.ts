import { type Font, smallFont } from "./font.js";
import { blank, type Colour, grid, type Picture, place } from "./picture.js";
import { wrapText } from "./wrap.js";

export interface CaptionedGridOptions {
  /** Pixels around every cell. */
  readonly gap?: number;
  /** Most lines of a caption; longer ones are cut. */
  readonly lines?: number;
  readonly background?: Colour;
  readonly ink?: Colour;
  /** Letters of the captions; the small font has those of English. `await fontFor(captions)` gives one that has all letters. */
  readonly font?: Font;
}

/** A grid of pictures, each with its caption centred under it.
 *  @throws ShapeError when there is no picture or no column */
export function captionedGrid(
  pictures: readonly Picture[],
  captions: readonly string[],
  columns: number,
  {
    gap = 4,
    lines = 2,
    background = [255, 255, 255, 255],
    ink = [40, 40, 48, 255],
    font = smallFont,
  }: CaptionedGridOptions = {},
): Picture {
  const width = Math.max(0, ...pictures.map((picture) => picture.width));
  const height = Math.max(0, ...pictures.map((picture) => picture.height));
  const wrapped = pictures.map((_, i) => wrapText(captions[i] ?? "", width, lines, font));
  const most = Math.max(0, ...wrapped.map((own) => own.length));
  const cells = pictures.map((picture, i) => {
    const cell = blank(width, height + 2 + most * font.lineHeight, background);
    place(picture, cell, Math.floor((width - picture.width) / 2), 0);
    for (const [line, text] of wrapped[i].entries()) {
      font.draw(cell, text, Math.floor((width - font.width(text)) / 2), height + 2 + line * font.lineHeight, ink);
    }
    return cell;
  });
  return grid(cells, columns, gap, background);
}
