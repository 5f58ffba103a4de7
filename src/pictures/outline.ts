import type { Colour, Picture } from "./picture.js";

/** A straight piece of an outline, in pixels; y grows downwards. */
export type Edge = readonly [fromX: number, fromY: number, toX: number, toY: number];

/** A command of an outline as font engines give it: `M` move, `L` line, `Q` and `C` curves of two and three degrees, `Z` close. */
export interface OutlineCommand {
  readonly type: string;
  readonly values: readonly number[];
}

/** Lines a curve is drawn with: at the size of captions more would not be seen. */
const curveLines = 6;
/** Lines on which a row of pixels is measured. */
const samples = 8;

/** The straight edges of an outline, moved and scaled: (x, y) becomes (left + x · scale, baseline - y · scale). */
export function edgesOf(commands: readonly OutlineCommand[], left: number, baseline: number, scale: number): Edge[] {
  const edges: Edge[] = [];
  let [startX, startY, atX, atY] = [0, 0, 0, 0];
  const line = (x: number, y: number) => {
    if (y !== atY) edges.push([left + atX * scale, baseline - atY * scale, left + x * scale, baseline - y * scale]);
    [atX, atY] = [x, y];
  };
  for (const { type, values } of commands) {
    if (type === "M") [startX, startY] = [atX, atY] = [values[0], values[1]];
    else if (type === "Z") line(startX, startY);
    else {
      const [fromX, fromY] = [atX, atY];
      const points = [fromX, fromY, ...values];
      const parts = type === "L" ? 1 : curveLines;
      for (let i = 1; i <= parts; i++) line(...along(points, i / parts));
    }
  }
  return edges;
}

/** The point of a Bézier curve at t, by de Casteljau's construction. @shape points [x0, y0, x1, y1, …] */
function along(points: readonly number[], t: number): [x: number, y: number] {
  let rest = points;
  while (rest.length > 2) {
    const next: number[] = [];
    for (let i = 0; i + 2 < rest.length; i++) next.push(rest[i] + t * (rest[i + 2] - rest[i]));
    rest = next;
  }
  return [rest[0], rest[1]];
}

/** Paints the inside of closed outlines, which may overlap (non-zero winding), with smooth edges. */
export function fillOutline(target: Picture, edges: readonly Edge[], colour: Colour): void {
  const [left, right] = extent(edges, 0, target.width);
  const [top, bottom] = extent(edges, 1, target.height);
  if (left >= right) return;
  const row = new Float64Array(right - left);
  for (let y = top; y < bottom; y++) {
    row.fill(0);
    for (let i = 0; i < samples; i++) {
      for (const [from, to] of spans(edges, y + (i + 0.5) / samples)) cover(row, from - left, to - left, 1 / samples);
    }
    for (const [x, part] of row.entries()) blend(target, left + x, y, colour, part);
  }
}

/** Pixels the edges touch along one axis, 0 across and 1 down, on a picture of this size. */
function extent(edges: readonly Edge[], axis: 0 | 1, size: number): [from: number, to: number] {
  let [low, high] = [size, 0];
  for (const edge of edges) {
    low = Math.min(low, edge[axis], edge[axis + 2]);
    high = Math.max(high, edge[axis], edge[axis + 2]);
  }
  return [Math.max(0, Math.floor(low)), Math.min(size, Math.ceil(high))];
}

/** Where a horizontal line runs inside the outline. */
function spans(edges: readonly Edge[], y: number): [from: number, to: number][] {
  const crossings: [x: number, turn: number][] = [];
  for (const [fromX, fromY, toX, toY] of edges) {
    const down = fromY <= y && y < toY;
    if (!down && !(toY <= y && y < fromY)) continue;
    crossings.push([fromX + ((y - fromY) * (toX - fromX)) / (toY - fromY), down ? 1 : -1]);
  }
  crossings.sort(([a], [b]) => a - b);
  const result: [number, number][] = [];
  let winding = 0;
  for (const [i, [x, turn]] of crossings.entries()) {
    if (winding !== 0) result.push([crossings[i - 1][0], x]);
    winding += turn;
  }
  return result;
}

/** Adds `weight` times the covered part of each pixel of a row. */
function cover(row: Float64Array, from: number, to: number, weight: number): void {
  const [start, end] = [Math.max(0, from), Math.min(row.length, to)];
  for (let x = Math.floor(start); x < end; x++) row[x] += weight * (Math.min(end, x + 1) - Math.max(start, x));
}

/** Lays a colour over a pixel, `opacity` from 0 to 1. */
function blend({ width, data }: Picture, x: number, y: number, colour: Colour, opacity: number): void {
  if (opacity <= 0) return;
  const at = (y * width + x) * 4;
  const part = Math.min(1, opacity);
  for (let channel = 0; channel < 4; channel++) {
    data[at + channel] = Math.round(data[at + channel] + part * (colour[channel] - data[at + channel]));
  }
}
