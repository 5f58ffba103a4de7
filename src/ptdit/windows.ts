/** Window geometry: integer tables, no tensors. Grids and windows are [frames, rows, columns] in tokens. */
import { ConfigError } from "../base/errors.js";
import { checkValue, triple } from "../base/options.js";

export type Triple = readonly [number, number, number];

/** The same along each axis. */
const along = ([frames, rows, columns]: Triple, f: (size: number, axis: number) => number): Triple => [
  f(frames, 0),
  f(rows, 1),
  f(columns, 2),
];

/** How a window's tokens form the cells that its proxies stand for: contiguous blocks, or the released code's dilated lattice. */
export type ProxyGrouping = "block" | "strided";

/** Sizes that follow from grid, window and proxy window. */
export interface WindowSizes {
  /** Windows in the grid (M at the published settings). */
  readonly windows: number;
  /** Tokens in a window (P of the paper). */
  readonly tokens: number;
  /** Proxies in a window. */
  readonly proxies: number;
  /** Tokens a proxy stands for. */
  readonly cell: number;
}

const axes = ["frames", "height", "width"] as const;
const product = (sizes: readonly number[]): number => sizes.reduce((n, size) => n * size, 1);

/** Checks that windows tile the grid and proxies tile a window; returns the counts.
 *  @throws ConfigError naming the axis, the sizes and what would do */
export function windowSizes(grid: Triple, window: Triple, proxyWindow: Triple): WindowSizes {
  for (const [name, own] of Object.entries({ grid, window, proxyWindow })) checkValue("windows", name, own, triple);
  axes.forEach((axis, i) => {
    const [size, own] = [grid[i], window[i]];
    if (size % own !== 0) {
      const divisors = Array.from({ length: size }, (_, d) => d + 1).filter((d) => size % d === 0);
      throw new ConfigError(
        `windows: ${axis} ${size} is not divisible by window ${own} (token grid ${grid.join("x")}). ` +
          `Choose a divisor of ${size} (${divisors.join(", ")}) or pad to ${Math.ceil(size / own) * own}.`,
      );
    }
  });
  const perAxis = proxiesPerAxis(window, proxyWindow);
  const [tokens, proxies] = [product(window), product(perAxis)];
  return { windows: product(grid) / tokens, tokens, proxies, cell: tokens / proxies };
}

/** Proxies along each axis of a window. The frame axis always gives one, as in the released code. */
function proxiesPerAxis(window: Triple, proxyWindow: Triple): Triple {
  const count = (i: 1 | 2): number => {
    const n = Math.floor(window[i] / proxyWindow[i]);
    if (!(n >= 1) || window[i] % n !== 0) {
      throw new ConfigError(
        `windows: ${axes[i]} of the window, ${window[i]}, is not a whole number of proxy cells of ${proxyWindow[i]}. Choose a divisor of ${window[i]}.`,
      );
    }
    return n;
  };
  return [1, count(1), count(2)];
}

/**
 * The order tokens are kept in: raster index (frame, row, column) of every position. Windows run in raster order; within a
 * window its proxies' cells are contiguous, cells in raster order, tokens of a cell too. With one proxy a window that
 * is plain raster order within the window.
 * @shape -> [windows · tokens]
 */
export function windowOrder(grid: Triple, window: Triple, proxyWindow: Triple, grouping: ProxyGrouping): Int32Array {
  const { windows, tokens } = windowSizes(grid, window, proxyWindow);
  const proxies = proxiesPerAxis(window, proxyWindow);
  const cell = along(window, (size, i) => size / proxies[i]);
  const count = along(grid, (size, i) => size / window[i]);
  const order = new Int32Array(windows * tokens);
  let position = 0;
  for (const w of raster(count)) {
    for (const p of raster(proxies)) {
      for (const c of raster(cell)) {
        const place = along(window, (size, i) => {
          const [n, j, k] = [proxies[i], p[i], c[i]];
          const inside = grouping === "block" ? j * cell[i] + k : k * n + j;
          return w[i] * size + inside;
        });
        order[position++] = rasterIndex(place, grid);
      }
    }
  }
  return order;
}

/** For windows shifted by half a window along every axis: which position (in window order) each position of the shifted
 *  windows takes its token from.
 *  @shape order [T] -> [T] */
export function shiftedOrder(order: Int32Array, grid: Triple, window: Triple): Int32Array {
  checkValue("shift", "grid", grid, triple);
  checkValue("shift", "window", window, triple);
  const positionOf = inverseOrder(order);
  return order.map((index) => {
    const place = rasterPlace(index, grid);
    const from = along(place, (x, i) => (x + Math.floor(window[i] / 2)) % grid[i]);
    return positionOf[rasterIndex(from, grid)];
  });
}

/**
 * Region of every token of the shifted windows: two tokens of a window were neighbours before the wrap-around exactly where
 * their regions agree.
 * @shape order [T] -> [T] int32
 * @source Liu et al., arXiv 2103.14030 (Swin); the released PT-DiT code, which keeps the regions even where one window fills an axis
 */
export function shiftRegions(order: Int32Array, grid: Triple, window: Triple): Int32Array {
  checkOrder("shift", order);
  checkValue("shift", "grid", grid, triple);
  checkValue("shift", "window", window, triple);
  return order.map((index) =>
    rasterPlace(index, grid).reduce((label, x, i) => {
      const [size, own] = [grid[i], window[i]];
      const shift = Math.floor(own / 2);
      const region = shift === 0 || x < size - own ? 0 : x < size - shift ? 1 : 2;
      return label * 3 + region;
    }, 0),
  );
}

/** Position of every raster index: the inverse of a permutation. */
export function inverseOrder(order: Int32Array): Int32Array {
  checkOrder("inverse", order);
  const inverse = new Int32Array(order.length);
  order.forEach((index, position) => {
    inverse[index] = position;
  });
  return inverse;
}

function checkOrder(where: string, order: unknown): void {
  checkValue(where, "the order", order, { text: "an Int32Array", holds: (value) => value instanceof Int32Array });
}

function* raster([frames, rows, columns]: Triple): Generator<Triple> {
  for (let f = 0; f < frames; f++) for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) yield [f, r, c];
}

const rasterIndex = ([f, r, c]: Triple, [, rows, columns]: Triple): number => (f * rows + r) * columns + c;
const rasterPlace = (index: number, [, rows, columns]: Triple): Triple => [
  Math.floor(index / (rows * columns)),
  Math.floor(index / columns) % rows,
  index % columns,
];
