import { type Axis, axisOf, tickLabel } from "./axis.js";
import { drawText, lineHeight, paint, textWidth } from "./font.js";
import { blank, type Colour, type Picture } from "./picture.js";
import { encodePng } from "./png.js";

export interface CurvePoint {
  readonly x: number;
  readonly y: number;
  /** The same, smoothed; without it no second line is drawn. */
  readonly smoothed?: number | null;
}

export interface CurveOptions {
  readonly width?: number;
  readonly height?: number;
  /** Equal ratios of y take equal heights; numbers from 0 down are left out. */
  readonly logarithmic?: boolean;
  readonly title?: string;
}

const [paper, ink, lines, pale, strong]: Colour[] = [
  [255, 255, 255, 255],
  [60, 60, 70, 255],
  [228, 230, 236, 255],
  [176, 200, 236, 255],
  [24, 84, 176, 255],
];
const margin = { left: 44, right: 16, top: 20, bottom: 20 } as const;

/** A loss curve as PNG bytes; numbers that are not finite are left out.
 *  @throws ConfigError when pngjs is not installed */
export async function lossCurve(points: readonly CurvePoint[], options: CurveOptions = {}): Promise<Uint8Array> {
  return encodePng(drawCurve(points, { title: "loss by step", ...options }));
}

/** Draws numbers over steps: a pale line, over it the smoothed one, axes with round numbers. */
export function drawCurve(points: readonly CurvePoint[], options: CurveOptions = {}): Picture {
  const { width = 640, height = 360, logarithmic = false, title = "" } = options;
  const picture = blank(width, height, paper);
  const drawable = (y: number | null | undefined): y is number => Number.isFinite(y) && (!logarithmic || Number(y) > 0);
  const line = (y: (point: CurvePoint) => number | null | undefined) =>
    points.flatMap((point) => {
      const value = y(point);
      return Number.isFinite(point.x) && drawable(value) ? [[point.x, value] as const] : [];
    });
  const raw = line((point) => point.y);
  const smoothed = line((point) => point.smoothed);
  const all = [...raw, ...smoothed];
  const chart = new Chart(
    picture,
    axisOf(
      all.map(([x]) => x),
      8,
    ),
    axisOf(
      all.map(([, y]) => y),
      6,
      logarithmic,
    ),
  );
  chart.drawAxes();
  chart.drawLine(raw, pale, 1);
  chart.drawLine(smoothed, strong, 2);
  drawText(picture, all.length > 0 ? title : `${title} (no numbers yet)`.trim(), margin.left, 6, ink);
  return picture;
}

class Chart {
  constructor(
    private readonly picture: Picture,
    private readonly x: Axis,
    private readonly y: Axis,
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
    this.segment(margin.left, margin.top, margin.left, bottom, ink, 1);
    this.segment(margin.left, bottom, right, bottom, ink, 1);
  }

  drawLine(points: readonly (readonly [x: number, y: number])[], colour: Colour, thickness: number): void {
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
      this.picture.height - margin.bottom - this.y.position(y) * (this.picture.height - margin.top - margin.bottom),
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
