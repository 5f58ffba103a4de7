/** Differences with their intervals, a line each, as SVG. */

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

const [width, left, right, rowHeight] = [760, 250, 730, 20];
const escaped = (words: string): string => words.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** Draws it: to the left of the line at 0 is less. */
export function differencePlotSvg({ title, x, groups }: DifferencePlot): string {
  const all = groups.flatMap(({ rows }) => rows.map(({ mean, half }) => Math.abs(mean) + (half ?? 0)));
  const most = Math.max(...all, 1e-9) * 1.05;
  const across = (value: number): number => left + ((value + most) / (2 * most)) * (right - left);
  const parts: string[] = [];
  const words = (at: number, y: number, text: string, more = "") =>
    parts.push(`<text x="${at.toFixed(1)}" y="${y}" ${more}>${escaped(text)}</text>`);
  const line = (x1: number, y1: number, x2: number, y2: number, stroke: string, more = "") =>
    parts.push(`<line x1="${x1.toFixed(1)}" y1="${y1}" x2="${x2.toFixed(1)}" y2="${y2}" stroke="${stroke}" ${more}/>`);
  let y = 50;
  for (const group of groups) {
    words(12, y + 4, group.title, 'font-weight="bold"');
    y += rowHeight;
    for (const { name, mean, half, hollow } of group.rows) {
      words(left - 12, y + 4, name, 'text-anchor="end"');
      line(left, y, right, y, "#eceef3");
      if (half !== null) line(across(mean - half), y, across(mean + half), y, "#0072b2", 'stroke-width="2"');
      parts.push(
        `<circle cx="${across(mean).toFixed(1)}" cy="${y}" r="4.5" fill="${hollow ? "#fff" : "#0072b2"}" stroke="#0072b2" stroke-width="2"/>`,
      );
      y += rowHeight;
    }
    y += 6;
  }
  line(across(0), 40, across(0), y, "#333");
  for (const part of [-1, -0.5, 0.5, 1])
    words(across((part * most) / 1.05), y + 16, ((part * most) / 1.05).toPrecision(2), 'text-anchor="middle"');
  words(across(0), y + 16, "0", 'text-anchor="middle"');
  words((left + right) / 2, y + 38, x, 'text-anchor="middle"');
  const height = y + 52;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#333">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="12" y="24" font-size="15" font-weight="bold">${escaped(title)}</text>`,
    ...parts,
    "</svg>",
  ].join("\n")}\n`;
}
