/** What a picture shows that can be measured: its main colours, and the ground they stand on. */
import { type ColourName, colourName, colourNames } from "./colourNames.js";
import type { Picture } from "./picture.js";

/** What can be said of a picture by its pixels alone. Which way something faces is not among it: no rule tells (`docs/rejected.md`). */
export interface VisibleFacts {
  /** Main colours of what stands on the ground, the largest first. */
  readonly colours: readonly ColourName[];
  /** Colour of a plain opaque ground around it. */
  readonly ground?: ColourName;
}

/** Most pixels along a side that are looked at. */
const mostPixels = 64;
/** Part of the shape that a main colour covers, and how many are named. */
const [leastPart, mostColours] = [1 / 8, 3];
/** A ground is plain if this part of the border is within so many levels of its colour. @units 0..255 */
const [plainPart, plainLevels] = [3 / 4, 28];
/** Part of the picture that is enough of a shape to speak of its colours. */
const leastShape = 1 / 100;

/** Red, green, blue, opacity of the pixels that are looked at, in rows. @shape data [side, side, 4] */
interface Sampled {
  readonly side: number;
  readonly data: Uint8Array;
}

/** Measures the square middle of a picture. Pixels are picked, not averaged: a mean of red and white is a pink that is nowhere. */
export function visibleFacts(picture: Picture): VisibleFacts {
  const sampled = sample(picture);
  const { side, data } = sampled;
  const colour = groundColour(sampled);
  const isShape = shapeOf(sampled, colour);
  const areas = new Map<ColourName, number>(colourNames.map((name) => [name, 0]));
  let shape = 0;
  for (let i = 0; i < side * side; i++) {
    if (isShape[i] === 0) continue;
    const name = colourName(data[4 * i], data[4 * i + 1], data[4 * i + 2]);
    areas.set(name, (areas.get(name) ?? 0) + 1);
    shape++;
  }
  const ground = colour && { ground: colourName(...colour) };
  if (shape < leastShape * side * side) return { colours: [], ...ground };
  // Sorting is stable: of equal areas the commoner word comes first.
  const main = [...areas].filter(([, area]) => area >= leastPart * shape).sort(([, a], [, b]) => b - a);
  return { colours: main.slice(0, mostColours).map(([name]) => name), ...ground };
}

function sample({ width, height, data }: Picture): Sampled {
  const square = Math.min(width, height);
  const side = Math.min(square, mostPixels);
  const [left, top] = [Math.floor((width - square) / 2), Math.floor((height - square) / 2)];
  const place = (i: number) => Math.floor(((2 * i + 1) * square) / (2 * side)); // the middle of each of `side` parts
  const result = new Uint8Array(4 * side * side);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const from = 4 * ((top + place(row)) * width + left + place(column));
      result.set(data.subarray(from, from + 4), 4 * (row * side + column));
    }
  }
  return { side, data: result };
}

type Rgb = readonly [red: number, green: number, blue: number];

const isOpaque = (data: Uint8Array, i: number): boolean => data[4 * i + 3] >= 128;

/** Whether a pixel is of a colour, or nearly. */
const isNear = (data: Uint8Array, i: number, colour: Rgb): boolean =>
  isOpaque(data, i) && colour.every((level, channel) => Math.abs(data[4 * i + channel] - level) <= plainLevels);

/** Places of the outermost pixels. */
function borderOf(side: number): number[] {
  const places = new Set<number>();
  for (let i = 0; i < side; i++)
    for (const place of [i, (side - 1) * side + i, i * side, i * side + side - 1]) places.add(place);
  return [...places];
}

/** The colour of a plain ground: the border's median, if most of the border has it. */
function groundColour({ side, data }: Sampled): Rgb | undefined {
  const border = borderOf(side);
  const opaque = border.filter((i) => isOpaque(data, i));
  if (opaque.length < plainPart * border.length) return undefined;
  const median = (channel: number) => opaque.map((i) => data[4 * i + channel]).sort((a, b) => a - b)[opaque.length >> 1];
  const colour: Rgb = [median(0), median(1), median(2)];
  return border.filter((i) => isNear(data, i, colour)).length >= plainPart * border.length ? colour : undefined;
}

/** 1 where the shape is: what is opaque and no part of the ground. The ground is what is of its colour and joined to the border, so that
 *  the white of an eye is no hole. @shape -> [side, side] */
function shapeOf({ side, data }: Sampled, ground: Rgb | undefined): Uint8Array {
  const isShape = Uint8Array.from({ length: side * side }, (_, i) => (isOpaque(data, i) ? 1 : 0));
  if (!ground) return isShape;
  const front = borderOf(side);
  for (let i = front.pop(); i !== undefined; i = front.pop()) {
    if (isShape[i] === 0 || !isNear(data, i, ground)) continue;
    isShape[i] = 0;
    const column = i % side;
    if (column > 0) front.push(i - 1);
    if (column < side - 1) front.push(i + 1);
    if (i >= side) front.push(i - side);
    if (i < side * (side - 1)) front.push(i + side);
  }
  return isShape;
}
