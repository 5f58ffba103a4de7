/** Lines over two logarithmic axes, as SVG. */
import { axisOf, tickLabel } from "../../src/pictures/axis.js";
import { svgDrawing, svgLine, svgText, titleStyle } from "./svg.js";

/** A line and what the legend calls it. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly dashed?: boolean;
}

export interface LineChart {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
  /** Numbers along x that are marked with what they are. */
  readonly marks?: readonly { readonly at: number; readonly name: string }[];
}

const [width, height] = [820, 480];
const frame = { left: 76, top: 44, right: 560, bottom: 420 } as const;
// Okabe and Ito's colours: told apart by eyes of every kind.
const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8a8a00"];

/** Draws it. Numbers must be positive. */
export function lineChartSvg({ title, x, y, series, marks = [] }: LineChart): string {
  const all = series.flatMap(({ points }) => points);
  const xs = axisOf(
    all.map(([own]) => own),
    8,
    true,
  );
  const ys = axisOf(
    all.map(([, own]) => own),
    6,
    true,
  );
  const across = (value: number) => frame.left + xs.position(value) * (frame.right - frame.left);
  const down = (value: number) => frame.bottom - ys.position(value) * (frame.bottom - frame.top);
  const grid = [
    ...xs.ticks.flatMap((tick) => [
      svgLine(across(tick), frame.top, across(tick), frame.bottom, "#e4e6ec"),
      svgText(across(tick), frame.bottom + 18, tickLabel(tick), 'text-anchor="middle"'),
    ]),
    ...ys.ticks.flatMap((tick) => [
      svgLine(frame.left, down(tick), frame.right, down(tick), "#e4e6ec"),
      svgText(frame.left - 8, down(tick) + 4, tickLabel(tick), 'text-anchor="end"'),
    ]),
  ];
  const drawn = series.flatMap(({ name, points, dashed }, i) => {
    const colour = colours[i % colours.length];
    const dash = dashed ? 'stroke-dasharray="6 4"' : "";
    const path = points.map(([a, b]) => `${across(a).toFixed(1)},${down(b).toFixed(1)}`).join(" ");
    const at = frame.top + 8 + 20 * i;
    return [
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2" ${dash}/>`,
      svgLine(frame.right + 16, at, frame.right + 44, at, colour, `stroke-width="2" ${dash}`),
      svgText(frame.right + 52, at + 4, name),
    ];
  });
  const marked = marks.flatMap(({ at, name }) => [
    svgLine(across(at), frame.top, across(at), frame.bottom, "#555", 'stroke-dasharray="2 3"'),
    svgText(across(at) + 5, frame.bottom - 8, name),
  ]);
  return svgDrawing(width, height, [
    svgText(frame.left, 24, title, titleStyle),
    ...grid,
    svgLine(frame.left, frame.bottom, frame.right, frame.bottom, "#333"),
    svgLine(frame.left, frame.top, frame.left, frame.bottom, "#333"),
    ...drawn,
    ...marked,
    svgText((frame.left + frame.right) / 2, height - 16, x, 'text-anchor="middle"'),
    svgText(0, 0, y, `text-anchor="middle" transform="translate(18 ${(frame.top + frame.bottom) / 2}) rotate(-90)"`),
  ]);
}
