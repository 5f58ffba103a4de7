/** A chart of several lines. */
import { type Axis, axisOf, tickLabel } from "./axis.js";
import { drawText, type Font, lineHeight, paint, smallFont, textWidth } from "./font.js";
import { Legend, type LegendEntry } from "./legend.js";
import { blank, type Colour, type Picture } from "./picture.js";
import type { Point } from "./smooth.js";

/** A line of a chart: numbers that are drawn as they are. */
export interface Line extends LegendEntry {
  /** In pixels. */
  readonly thickness: number;
  readonly points: readonly Point[];
}

export interface LinesOptions {
  readonly width: number;
  readonly height: number;
  /** Equal ratios of y take equal heights: all numbers are positive. */
  readonly logarithmic?: boolean;
  readonly title?: string;
  readonly font?: Font;
  /** Least and most of y; those of the points if not given. */
  readonly range?: readonly [least: number, most: number];
  /** About how many numbers stand at the axes. */
  readonly ticks?: { readonly x: number; readonly y: number };
  /** Whether the lines are named; charts beside each other can share one legend. */
  readonly legend?: boolean;
}

const [paper, ink, lines]: Colour[] = [
  [255, 255, 255, 255],
  [60, 60, 70, 255],
  [228, 230, 236, 255],
];
const margin = { left: 44, right: 16, bottom: 20 } as const;
/** Pixels above and below the title and the legend. */
const headGap = 6;

/** Draws lines over axes with round numbers, with a title and a legend; those without points are left out. */
export function drawLines(
  given: readonly Line[],
  {
    width,
    height,
    logarithmic = false,
    title = "",
    font = smallFont,
    range,
    ticks = { x: 8, y: 6 },
    legend: named = true,
  }: LinesOptions,
): Picture {
  const picture = blank(width, height, paper);
  const drawn = given.filter((own) => own.points.length > 0);
  const heading = drawn.length > 0 ? title : `${title} (no numbers yet)`.trim();
  const legend = new Legend(named ? drawn : [], font);
  // Beside the title where there is room, otherwise below it.
  const beside = font.width(heading) + 2 * margin.left + legend.width <= width;
  const legendTop = headGap + (beside ? 0 : font.lineHeight);
  const all = drawn.flatMap(({ points }) => points);
  const [xs, ys] = [all.map(([x]) => x), range ?? all.map(([, y]) => y)];
  const top = legendTop + font.lineHeight + headGap;
  const chart = new Chart(picture, axisOf(xs, ticks.x), axisOf(ys, ticks.y, logarithmic), top);
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
