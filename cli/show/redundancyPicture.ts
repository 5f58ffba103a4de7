/** Pictures of attention rows: those of one window as the paper shows them, and their spread by ring. */
import { smallFont } from "../../src/pictures/font.js";
import { heatColour, heatMap } from "../../src/pictures/heatMap.js";
import { Legend, type LegendEntry } from "../../src/pictures/legend.js";
import { drawLines } from "../../src/pictures/lines.js";
import { blank, type Colour, grid, type Picture, place } from "../../src/pictures/picture.js";
import type { LayerRedundancy, RingStatistics } from "../../src/ptdit/redundancy/measureRedundancy.js";
import type { Rings } from "../../src/ptdit/redundancy/rings.js";

/** Rows of one window of one sample. */
export interface ShownRows {
  readonly rings: Rings;
  readonly window: number;
  readonly layer: number;
  readonly t: number;
  readonly caption: string;
  /** Rows of every head. @shape [heads][tokens of the window, N] */
  readonly heads: readonly Float64Array[];
  /** Of the head whose rows are drawn as maps too. */
  readonly head: number;
}

const paper: Colour = [255, 255, 255, 255];
const ink: Colour = [60, 60, 70, 255];
const outline: Colour = [230, 40, 40, 255];
const gap = 12;
/** Pixels of a whole map, and of a strip of all keys, at most; and a row of a strip. */
const [mapSide, stripWidth, rowHeight] = [96, 768, 5];
/** Pixels of a strip's name. */
const headWidth = 42;
/** More heads than these are not drawn. */
const mostHeads = 8;
const chart = { width: 230, height: 150 } as const;

/** Weights as colours: logarithms of what they are of an even share, as many times less to as many times more. */
interface Shades {
  readonly times: number;
  readonly of: (weights: Float64Array) => Float64Array;
}

/** The range in which nearly all weights of all heads lie, so that what differs is seen. */
function shadesFor(heads: readonly Float64Array[], keys: number): Shades {
  const folds = heads
    .flatMap((rows) => Array.from(rows, (weight) => Math.abs(Math.log10(weight * keys))))
    .sort((a, b) => a - b);
  const most = Math.max(0.1, Math.min(4, folds[Math.floor(0.99 * (folds.length - 1))]));
  return {
    times: 10 ** most,
    of: (weights) => weights.map((weight) => (weight > 0 ? (Math.log10(weight * keys) / most + 1) / 2 : 0)),
  };
}

/** Everything in one picture: a window's rows, then the spread by ring of every layer at every time. */
export function redundancyPicture(
  shown: ShownRows,
  layers: readonly LayerRedundancy[],
  untrained: readonly LayerRedundancy[],
): Picture {
  return stacked([rowsPicture(shown), curvesPicture(layers, untrained)]);
}

/** The rows of a window as maps of the grid, and of every head as strips of keys from the window outward. */
function rowsPicture(shown: ShownRows): Picture {
  const { rings, window, layer, t, head, caption, heads } = shown;
  const shades = shadesFor(heads, rings.windows * rings.tokens);
  const some = heads.length > mostHeads ? ` (the first ${mostHeads} of ${heads.length})` : "";
  return stacked([
    text(
      `attention rows of the ${rings.tokens} tokens of window ${window}, layer ${layer}, t ${t}: "${caption}". ` +
        `Left: maps of head ${head}, the window outlined. Right: all heads${some}, keys by ring`,
    ),
    beside([
      maps(shown, shades),
      stacked([...heads.slice(0, mostHeads).entries()].map(([i, rows]) => strip(shown, i, shades.of(rows)))),
    ]),
    scaleLine(shades),
  ]);
}

/** Maps of a head's rows, arranged as their tokens are. */
function maps({ rings, window, heads, head }: ShownRows, shades: Shades): Picture {
  const { grid: sizes, window: own, tokens } = rings;
  const [frames, rows, columns] = sizes;
  const keys = frames * rows * columns;
  const side = Math.max(1, Math.floor(mapSide / Math.max(frames * rows, columns)));
  const ring = rings.ringOf(window);
  const ringAt = (row: number, column: number) => ring[row * columns + column];
  const pictures = Array.from({ length: tokens }, (_, i) => {
    const map = heatMap(shades.of(heads[head].subarray(i * keys, (i + 1) * keys)), columns, { width: side, height: side });
    for (let y = 0; y < map.height; y++)
      for (let x = 0; x < map.width; x++) {
        const [row, column] = [Math.floor(y / side), Math.floor(x / side)];
        if (ringAt(row, column) !== 0) continue;
        const isEdge =
          (x % side === 0 && (column === 0 || ringAt(row, column - 1) !== 0)) ||
          (x % side === side - 1 && (column === columns - 1 || ringAt(row, column + 1) !== 0)) ||
          (y % side === 0 && (row === 0 || ringAt(row - 1, column) !== 0)) ||
          (y % side === side - 1 && (row === frames * rows - 1 || ringAt(row + 1, column) !== 0));
        if (isEdge) map.data.set(outline, (y * map.width + x) * 4);
      }
    return map;
  });
  return grid(pictures, own[2], 4, paper);
}

/** A head's rows, one below the other, keys sorted by their ring.
 *  @shape values [tokens of the window, N] in 0..1 */
function strip({ rings, window }: ShownRows, head: number, values: Float64Array): Picture {
  const ring = rings.ringOf(window);
  const keys = ring.length;
  const width = Math.max(1, Math.floor(stripWidth / keys));
  const parts = Array.from({ length: rings.count }, (_, r) => {
    const own = [...ring.keys()].filter((j) => ring[j] === r);
    if (own.length === 0) return [];
    const table = Float64Array.from(
      { length: rings.tokens * own.length },
      (_, at) => values[Math.floor(at / own.length) * keys + own[at % own.length]],
    );
    return [stacked([text(`ring ${r}`), heatMap(table, own.length, { width, height: rowHeight })], 0)];
  });
  return beside([text(`head ${head}`, headWidth), ...parts.flat()], 4);
}

/** What the colours mean. */
function scaleLine({ times }: Shades): Picture {
  const bar = blank(200, 8, paper);
  for (let y = 0; y < bar.height; y++) for (let x = 0; x < bar.width; x++) bar.data.set(heatColour(x / 199), (y * 200 + x) * 4);
  return beside([text(`weight over an even share: 1/${times.toFixed(1)}`), bar, text(times.toFixed(1))], 6);
}

const lines = {
  window: { name: "a window's rows", colour: [24, 84, 176, 255] },
  quartiles: { name: "their quartiles", colour: [176, 200, 236, 255] },
  random: { name: "rows from anywhere", colour: [220, 120, 20, 255] },
  untrained: { name: "a window's rows before training", colour: [130, 130, 140, 255] },
} as const satisfies Readonly<Record<string, LegendEntry>>;

/** Charts of the spread by ring, a row a layer and a column a time. */
function curvesPicture(layers: readonly LayerRedundancy[], untrained: readonly LayerRedundancy[]): Picture {
  const order = [...layers].sort((a, b) => a.layer - b.layer || a.t - b.t);
  const times = new Set(layers.map(({ t }) => t)).size;
  const points = ({ spread }: RingStatistics, quartile: 0 | 1 | 2 = 1) =>
    spread.flatMap((own, ring) => (Number.isFinite(own[quartile]) ? [[ring, own[quartile]] as const] : []));
  // One range for all, so that they can be held against each other.
  const most = [...layers, ...untrained].flatMap(({ rows, random }) => [...points(rows, 2), ...points(random)]);
  const range = [0, most.reduce((greatest, [, y]) => Math.max(greatest, y), 0.1)] as const;
  const charts = order.map((own) => {
    const before = untrained.find(({ layer, t }) => layer === own.layer && t === own.t);
    const rings = own.rows.spread.length;
    return drawLines(
      [
        ...(before ? [{ ...lines.untrained, thickness: 1, points: points(before.rows) }] : []),
        { ...lines.random, thickness: 1, points: points(own.random) },
        { ...lines.quartiles, thickness: 1, points: points(own.rows, 0) },
        { ...lines.quartiles, thickness: 1, points: points(own.rows, 2) },
        { ...lines.window, thickness: 2, points: points(own.rows) },
      ],
      {
        ...chart,
        title: `layer ${own.layer}, t ${own.t}: ${own.verdict.outcome}`,
        range,
        ticks: { x: Math.min(8, rings - 1), y: 5 },
        legend: false,
      },
    );
  });
  const names = new Legend(Object.values(lines), smallFont);
  const legend = blank(names.width, smallFont.lineHeight, paper);
  names.draw(legend, 0, 0, ink);
  return stacked([
    text("D, the spread of rows, by ring of keys (0: the window): 0 where rows are equal"),
    legend,
    grid(charts, times, 0, paper),
  ]);
}

function text(words: string, width = smallFont.width(words) + 1): Picture {
  const picture = blank(width, smallFont.lineHeight + 2, paper);
  smallFont.draw(picture, words, 0, 1, ink);
  return picture;
}

/** Pictures below each other, from the left. */
function stacked(pictures: readonly Picture[], between = gap): Picture {
  const height = pictures.reduce((sum, own) => sum + own.height + between, between);
  const result = blank(2 * between + Math.max(...pictures.map(({ width }) => width)), height, paper);
  pictures.reduce((y, own) => {
    place(own, result, between, y);
    return y + own.height + between;
  }, between);
  return result;
}

/** Pictures beside each other, from the top. */
function beside(pictures: readonly Picture[], between = gap): Picture {
  const width = pictures.reduce((sum, own) => sum + own.width + between, 0) - between;
  const result = blank(width, Math.max(...pictures.map(({ height }) => height)), paper);
  pictures.reduce((x, own) => {
    place(own, result, x, 0);
    return x + own.width + between;
  }, 0);
  return result;
}
