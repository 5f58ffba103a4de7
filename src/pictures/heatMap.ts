import { ShapeError } from "../base/errors.js";
import { blank, type Colour, type Picture } from "./picture.js";

/** Colours from the least to the most, as dark to bright, which printers and most of the colour-blind keep apart. */
const scale: readonly Colour[] = [
  [68, 1, 84, 255],
  [59, 82, 139, 255],
  [33, 145, 140, 255],
  [94, 201, 98, 255],
  [253, 231, 37, 255],
];
/** What is no number. */
const none: Colour = [160, 160, 160, 255];

/** A number's colour. @units value: 0..1; what lies outside is drawn as the nearer end */
export function heatColour(value: number): Colour {
  if (Number.isNaN(value)) return none;
  const place = Math.min(1, Math.max(0, value)) * (scale.length - 1);
  const below = Math.min(Math.floor(place), scale.length - 2);
  const part = place - below;
  const [from, to] = [scale[below], scale[below + 1]];
  const mixed = (i: 0 | 1 | 2) => Math.round(from[i] + part * (to[i] - from[i]));
  return [mixed(0), mixed(1), mixed(2), 255];
}

/** A table as a picture, every number a box of pixels.
 *  @shape values [rows, columns] in 0..1
 *  @throws ShapeError when they are no whole rows */
export function heatMap(
  values: ArrayLike<number>,
  columns: number,
  box: { readonly width: number; readonly height: number },
): Picture {
  const rows = values.length / columns;
  if (!Number.isInteger(rows))
    throw new ShapeError(`heatMap: ${values.length} numbers are no whole rows of ${columns}. Give a number for every column.`);
  const picture = blank(columns * box.width, rows * box.height, none);
  for (let y = 0; y < picture.height; y++) {
    const row = Math.floor(y / box.height) * columns;
    for (let x = 0; x < picture.width; x++)
      picture.data.set(heatColour(values[row + Math.floor(x / box.width)]), (y * picture.width + x) * 4);
  }
  return picture;
}
