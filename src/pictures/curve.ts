import { encodePng } from "./encodePng.js";
import { type Font, smallFont } from "./font.js";
import { fontFor } from "./fontPackages.js";
import { drawLines } from "./lines.js";
import type { Colour, Picture } from "./picture.js";
import { smoothLine } from "./smooth.js";

export interface CurvePoint {
  readonly x: number;
  readonly y: number;
  /** The same, smoothed by the caller; without it see `smooth`. */
  readonly smoothed?: number | null;
}

export interface CurveOptions {
  readonly width?: number;
  readonly height?: number;
  /** Equal ratios of y take equal heights; numbers from 0 down are left out. */
  readonly logarithmic?: boolean;
  /** Draw a second line, smoothed without lag, where the points bring none. */
  readonly smooth?: boolean;
  readonly title?: string;
  /** What the legend calls the two lines. */
  readonly names?: { readonly measured: string; readonly smoothed: string };
  /** Letters of title and legend; the small font has those of English. `await fontFor([title])` gives one that has all letters. */
  readonly font?: Font;
}

const [pale, strong]: Colour[] = [
  [176, 200, 236, 255],
  [24, 84, 176, 255],
];

/** A loss curve as PNG bytes, with a smoothed line; numbers that are not finite are left out. Without `font`, letters that the small
 *  font lacks are drawn by installed fonts. */
export async function lossCurve(points: readonly CurvePoint[], options: CurveOptions = {}): Promise<Uint8Array> {
  const { title = "loss by step", names, font } = options;
  const texts = [title, ...Object.values(names ?? {})];
  return encodePng(drawCurve(points, { smooth: true, ...options, title, font: font ?? (await fontFor(texts)) }));
}

/** Draws numbers over steps: a pale line, over it the smoothed one, axes with round numbers, a legend. */
export function drawCurve(points: readonly CurvePoint[], options: CurveOptions = {}): Picture {
  const { width = 640, height = 360, logarithmic = false, smooth = false, title = "", font = smallFont } = options;
  const { measured, smoothed: smoothedName } = options.names ?? { measured: "measured", smoothed: "smoothed" };
  const drawable = (y: number | null | undefined): y is number => Number.isFinite(y) && (!logarithmic || Number(y) > 0);
  const line = (y: (point: CurvePoint) => number | null | undefined) =>
    points.flatMap((point) => {
      const value = y(point);
      return Number.isFinite(point.x) && drawable(value) ? [[point.x, value] as const] : [];
    });
  const raw = line((point) => point.y);
  const given = line((point) => point.smoothed);
  const smoothed = given.length > 0 || !smooth ? given : smoothLine(raw).filter(([, y]) => drawable(y));
  const lines = [
    { name: measured, colour: pale, thickness: 1, points: raw },
    { name: smoothedName, colour: strong, thickness: 2, points: smoothed },
  ];
  return drawLines(lines, { width, height, logarithmic, title, font });
}
