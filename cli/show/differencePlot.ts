/** Differences with their intervals, a line each, as SVG. */
import { svgDrawing, svgLine, svgText, titleStyle } from "./svg.js";

/** A difference and half of its interval; without a half it is one number. */
export interface PlottedDifference {
  readonly name: string;
  readonly mean: number;
  readonly half: number | null;
  readonly hollow?: boolean;
}

export interface DifferencePlot {
  readonly title: string;
  readonly x: string;
  readonly groups: readonly { readonly title: string; readonly rows: readonly PlottedDifference[] }[];
}

const [width, left, right, rowHeight] = [800, 290, 770, 20];

/** Draws it: to the left of the line at 0 is less. */
export function differencePlotSvg({ title, x, groups }: DifferencePlot): string {
  const all = groups.flatMap(({ rows }) => rows.map(({ mean, half }) => Math.abs(mean) + (half ?? 0)));
  const most = Math.max(...all, 1e-9) * 1.05;
  const across = (value: number): number => left + ((value + most) / (2 * most)) * (right - left);
  const parts: string[] = [];
  let y = 50;
  for (const group of groups) {
    parts.push(svgText(12, y + 4, group.title, 'font-weight="bold"'));
    y += rowHeight;
    for (const { name, mean, half, hollow } of group.rows) {
      parts.push(svgText(left - 12, y + 4, name, 'text-anchor="end"'));
      parts.push(svgLine(left, y, right, y, "#eceef3"));
      if (half !== null) parts.push(svgLine(across(mean - half), y, across(mean + half), y, "#0072b2", 'stroke-width="2"'));
      parts.push(
        `<circle cx="${across(mean).toFixed(1)}" cy="${y}" r="4.5" fill="${hollow ? "#fff" : "#0072b2"}" stroke="#0072b2" stroke-width="2"/>`,
      );
      y += rowHeight;
    }
    y += 6;
  }
  parts.push(svgLine(across(0), 40, across(0), y, "#333"));
  for (const part of [-1, -0.5, 0.5, 1])
    parts.push(svgText(across((part * most) / 1.05), y + 16, ((part * most) / 1.05).toPrecision(2), 'text-anchor="middle"'));
  parts.push(svgText(across(0), y + 16, "0", 'text-anchor="middle"'));
  parts.push(svgText((left + right) / 2, y + 38, x, 'text-anchor="middle"'));
  return svgDrawing(width, y + 52, [svgText(12, 24, title, titleStyle), ...parts]);
}
