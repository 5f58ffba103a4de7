import { checkValue, triple, whole } from "../../base/options.js";
import { type Triple, windowOrder, windowSizes } from "../windows.js";

/** The windows of a token grid, and how far every token lies from each of them. Tokens are told by their raster index. */
export interface Rings {
  readonly grid: Triple;
  readonly window: Triple;
  /** Windows of the grid, and tokens of a window. */
  readonly windows: number;
  readonly tokens: number;
  /** Tokens of every window. @shape [windows, tokens] */
  readonly members: Int32Array;
  /** Ring of every token as a window sees it, made when asked for: of all windows they would be a table that grows with N².
   *  @shape -> [N]
   *  @throws ConfigError when there is no such window */
  readonly ringOf: (window: number) => Int32Array;
  /** Rings that there are: 0, the window itself, to this number less 1. */
  readonly count: number;
}

/** Rings up to this one are near: the window and its neighbours. */
export const lastNearRing = 1;

/**
 * Rings around every window of a grid: ring 0 is the window, ring 1 its neighbours, and so on. A ring is as wide as a window:
 * r = ceil(distance to the window / side of the window), the largest of the axes.
 * @shape -> members [windows, tokens]
 * @throws ConfigError when windows do not tile the grid
 */
export function attentionRings(grid: Triple, window: Triple): Rings {
  checkValue("rings", "the grid", grid, triple);
  checkValue("rings", "the window", window, triple);
  const { windows, tokens } = windowSizes(grid, window, window);
  const members = windowOrder(grid, window, window, "block");
  const [, rows, columns] = grid;
  const isWindow = whole(0, windows - 1);
  const ringOf = (w: number): Int32Array => {
    checkValue("rings", "the window's number", w, isWindow);
    // The first token of a window is its corner.
    const corner = placeOf(members[w * tokens], rows, columns);
    return Int32Array.from({ length: windows * tokens }, (_, j) => {
      const place = placeOf(j, rows, columns);
      let farthest = 0;
      for (let axis = 0; axis < 3; axis++) {
        const [from, side, x] = [corner[axis], window[axis], place[axis]];
        farthest = Math.max(farthest, Math.ceil(Math.max(0, from - x, x - (from + side - 1)) / side));
      }
      return farthest;
    });
  };
  // From one end of an axis the other's window is as far as there are windows between.
  const count = Math.max(...grid.map((size, axis) => size / window[axis]));
  return { grid, window, windows, tokens, members, ringOf, count };
}

const placeOf = (index: number, rows: number, columns: number): Triple => [
  Math.floor(index / (rows * columns)),
  Math.floor(index / columns) % rows,
  index % columns,
];
