import { drawText, lineHeight, textWidth, wrapText } from "./font.js";
import { blank, type Colour, grid, type Picture, place } from "./picture.js";

export interface CaptionedGridOptions {
  /** Pixels around every cell. */
  readonly gap?: number;
  /** Most lines of a caption; longer ones are cut. */
  readonly lines?: number;
  readonly background?: Colour;
  readonly ink?: Colour;
}

/** A grid of pictures, each with its caption centred under it.
 *  @throws ShapeError when there is no picture or no column */
export function captionedGrid(
  pictures: readonly Picture[],
  captions: readonly string[],
  columns: number,
  { gap = 4, lines = 2, background = [255, 255, 255, 255], ink = [40, 40, 48, 255] }: CaptionedGridOptions = {},
): Picture {
  const width = Math.max(0, ...pictures.map((picture) => picture.width));
  const height = Math.max(0, ...pictures.map((picture) => picture.height));
  const cells = pictures.map((picture, i) => {
    const cell = blank(width, height + 2 + lines * lineHeight, background);
    place(picture, cell, Math.floor((width - picture.width) / 2), 0);
    for (const [line, text] of wrapText(captions[i] ?? "", width, lines).entries()) {
      drawText(cell, text, Math.floor((width - textWidth(text)) / 2), height + 2 + line * lineHeight, ink);
    }
    return cell;
  });
  return grid(cells, columns, gap, background);
}
