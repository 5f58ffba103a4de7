import { type Axis, axisOf, tickLabel } from "./axis.js";
import { encodePng } from "./encodePng.js";
import { drawText, type Font, lineHeight, paint, smallFont, textWidth } from "./font.js";
import { fontFor } from "./fontPackages.js";
import { Legend } from "./legend.js";
import { blank, type Colour, type Picture } from "./picture.js";
import { type Point, smoothLine } from "./smooth.js";

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

const [paper, ink, lines, pale, strong]: Colour[] = [
  [255, 255, 255, 255],
  [60, 60, 70, 255],
  [228, 230, 236, 255],
  [176, 200, 236, 255],
  [24, 84, 176, 255],
];
const margin = { left: 44, right: 16, bottom: 20 } as const;
/** Pixels above and below the title and the legend. */
const headGap = 6;

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
  const picture = blank(width, height, paper);
  const drawable = (y: number | null | undefined): y is number => Number.isFinite(y) && (!logarithmic || Number(y) > 0);
  const line = (y: (point: CurvePoint) => number | null | undefined) =>
    points.flatMap((point) => {
      const value = y(point);
      return Number.isFinite(point.x) && drawable(value) ? [[point.x, value] as const] : [];
    });
  const raw = line((point) => point.y);
  const given = line((point) => point.smoothed);
  const smoothed = given.length > 0 || !smooth ? given : smoothLine(raw).filter(([, y]) => drawable(y));
  const all = [...raw, ...smoothed];
  const drawn = [
    { name: measured, colour: pale, thickness: 1, points: raw },
    { name: smoothedName, colour: strong, thickness: 2, points: smoothed },
  ].filter((own) => own.points.length > 0);
  const heading = drawn.length > 0 ? title : `${title} (no numbers yet)`.trim();
  const legend = new Legend(drawn, font);
  // Beside the title where there is room, otherwise below it.
  const beside = font.width(heading) + 2 * margin.left + legend.width <= width;
  const legendTop = headGap + (beside ? 0 : font.lineHeight);
  const [xs, ys] = [all.map(([x]) => x), all.map(([, y]) => y)];
  const chart = new Chart(picture, axisOf(xs, 8), axisOf(ys, 6, logarithmic), legendTop + font.lineHeight + headGap);
  chart.drawAxes();
  for (const own of drawn) chart.drawLine(own.points, own.colour, own.thickness);
  font.draw(picture, heading, margin.left, headGap, ink);
  legend.draw(picture, beside ? width - margin.right - legend.width : margin.left, legendTop, ink);
  return picture;
}

class Chart {
  constructor(
    private readonly picture: Picture,
    private readonly x: Axis,
    private readonly y: Axis,
    /** Pixels above the chart. */
    private readonly top: number,
  ) {}

  drawAxes(): void {
    const { picture, x, y } = this;
    const [right, bottom] = [picture.width - margin.right, picture.height - margin.bottom];
    for (const tick of y.ticks) {
      const at = this.down(tick);
      this.segment(margin.left, at, right, at, lines, 1);
      const label = tickLabel(tick);
      drawText(picture, label, margin.left - 6 - textWidth(label), at - 3, ink);
    }
    for (const tick of x.ticks) {
      const at = this.across(tick);
      this.segment(at, bottom, at, bottom + 3, ink, 1);
      const label = tickLabel(tick);
      drawText(picture, label, at - Math.floor(textWidth(label) / 2), picture.height - lineHeight - 2, ink);
    }
    this.segment(margin.left, this.top, margin.left, bottom, ink, 1);
    this.segment(margin.left, bottom, right, bottom, ink, 1);
  }

  drawLine(points: readonly Point[], colour: Colour, thickness: number): void {
    points.forEach(([x, y], i) => {
      const [fromX, fromY] = points[Math.max(0, i - 1)] ?? [x, y];
      this.segment(this.across(fromX), this.down(fromY), this.across(x), this.down(y), colour, thickness);
    });
  }

  private across(x: number): number {
    return Math.round(margin.left + this.x.position(x) * (this.picture.width - margin.left - margin.right));
  }

  private down(y: number): number {
    return Math.round(
      this.picture.height - margin.bottom - this.y.position(y) * (this.picture.height - this.top - margin.bottom),
    );
  }

  private segment(fromX: number, fromY: number, toX: number, toY: number, colour: Colour, thickness: number): void {
    const count = Math.max(1, Math.abs(toX - fromX), Math.abs(toY - fromY));
    for (let i = 0; i <= count; i++) {
      const x = Math.round(fromX + ((toX - fromX) * i) / count);
      const y = Math.round(fromY + ((toY - fromY) * i) / count);
      for (let dy = 0; dy < thickness; dy++) for (let dx = 0; dx < thickness; dx++) paint(this.picture, x + dx, y - dy, colour);
    }
  }
}
