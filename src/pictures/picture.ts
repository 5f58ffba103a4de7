import { FormatError, ShapeError } from "../base/errors.js";

/** Red, green, blue and opacity, 0..255. */
export type Colour = readonly [red: number, green: number, blue: number, alpha: number];

/** A picture as files hold it: rows from the top, 4 bytes a pixel. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: 4;
  /** @shape [height, width, 4]  @units red, green, blue, opacity in 0..255 */
  readonly data: Uint8Array;
}

/** Four bytes each: a header may claim thousands of millions before a single pixel follows. */
export const mostPixels = 2 ** 26;

/** @throws FormatError when a file claims no pixels, or more than a picture may have; `where` names it */
export function checkPixels(width: number, height: number, where: string): void {
  if (width * height > mostPixels) {
    throw new FormatError(
      `${where}: a picture may have ${mostPixels} pixels, this one claims ${width}x${height}. Make it smaller.`,
    );
  }
  if (width * height === 0) throw new FormatError(`${where}: it claims ${width}x${height} pixels. Copy or save it again.`);
}

/** A picture of one colour. */
export function blank(width: number, height: number, [red, green, blue, alpha]: Colour): Picture {
  const data = new Uint8Array(width * height * 4);
  for (let i = 0; i < data.length; i += 4) {
    data[i] = red;
    data[i + 1] = green;
    data[i + 2] = blue;
    data[i + 3] = alpha;
  }
  return { width, height, channels: 4, data };
}

/** Copies `picture` onto `target` with its left top corner at (x, y); what lies outside is cut off. */
export function place(picture: Picture, target: Picture, x: number, y: number): void {
  const left = Math.max(0, -x);
  const right = Math.min(picture.width, target.width - x);
  if (left >= right) return;
  for (let row = Math.max(0, -y); row < Math.min(picture.height, target.height - y); row++) {
    const pixels = picture.data.subarray((row * picture.width + left) * 4, (row * picture.width + right) * 4);
    target.data.set(pixels, ((row + y) * target.width + x + left) * 4);
  }
}

/** Pictures side by side, row after row, `gap` pixels of `background` around each; cells are as large as the largest picture.
 *  @throws ShapeError when there is no picture or no column */
export function grid(
  pictures: readonly Picture[],
  columns: number,
  gap = 0,
  background: Colour = [255, 255, 255, 255],
): Picture {
  if (pictures.length === 0 || !(Number.isInteger(columns) && columns > 0)) {
    throw new ShapeError(
      `grid: needs at least one picture and one column; got ${pictures.length} pictures, ${columns} columns.`,
    );
  }
  const across = Math.min(columns, pictures.length);
  const down = Math.ceil(pictures.length / columns);
  const width = Math.max(...pictures.map((picture) => picture.width));
  const height = Math.max(...pictures.map((picture) => picture.height));
  const result = blank(across * (width + gap) + gap, down * (height + gap) + gap, background);
  pictures.forEach((picture, i) => {
    place(picture, result, gap + (i % columns) * (width + gap), gap + Math.floor(i / columns) * (height + gap));
  });
  return result;
}

/** The engine's numbers of a picture laid on a background.
 *  @shape -> [3, height, width]
 *  @units -1 (dark) .. 1 (full colour) */
export function toPlanar({ width, height, data }: Picture, background: Colour): Float32Array {
  const pixels = width * height;
  const result = new Float32Array(3 * pixels);
  for (let i = 0; i < pixels; i++) {
    const opacity = data[4 * i + 3] / 255;
    for (let channel = 0; channel < 3; channel++) {
      const value = opacity * data[4 * i + channel] + (1 - opacity) * background[channel];
      result[channel * pixels + i] = value / 127.5 - 1;
    }
  }
  return result;
}

/** The opaque picture of the engine's numbers, clamped and rounded.
 *  @shape data [3, height, width] in -1..1
 *  @throws ShapeError when the numbers do not fit the size */
export function fromPlanar(data: ArrayLike<number>, width: number, height: number): Picture {
  const pixels = width * height;
  if (data.length !== 3 * pixels) {
    throw new ShapeError(`fromPlanar: a ${width}x${height} picture has ${3 * pixels} numbers, got ${data.length}.`);
  }
  const result = blank(width, height, [0, 0, 0, 255]);
  for (let i = 0; i < pixels; i++) {
    for (let channel = 0; channel < 3; channel++) {
      // A NaN, as from a model that diverged, becomes 0.
      const value = Math.min(1, Math.max(-1, data[channel * pixels + i]));
      result.data[4 * i + channel] = Math.round((value + 1) * 127.5);
    }
  }
  return result;
}
