import { constant, type Tensor } from "../autograd/tensor.js";
import { checkValue, object } from "../base/options.js";
import type { PTDiTConfig } from "./config.js";
import {
  inverseOrder,
  shiftedOrder,
  shiftRegions,
  type Triple,
  type WindowSizes,
  windowOrder,
  windowSizes,
} from "./windows.js";

/** All tables of one token grid: orders, regions, counts. Made once a grid and shared by the blocks. */
export class Geometry {
  readonly sizes: WindowSizes;
  /** Raster index of every position in window order. */
  readonly order: Int32Array;
  /** Position in window order of every raster index. */
  readonly inverse: Int32Array;
  /** Positions that the shifted windows take their tokens from, and back. */
  readonly shifted: Int32Array;
  readonly unshifted: Int32Array;
  private labels: { readonly regions: Tensor | undefined } | undefined;

  constructor(
    readonly grid: Triple,
    private readonly config: PTDiTConfig,
  ) {
    checkValue("geometry", "the configuration", config, object);
    const { window, proxyWindow, proxyGrouping } = config;
    this.sizes = windowSizes(grid, window, proxyWindow);
    this.order = windowOrder(grid, window, proxyWindow, proxyGrouping);
    this.inverse = inverseOrder(this.order);
    this.shifted = shiftedOrder(this.order, grid, window);
    this.unshifted = inverseOrder(this.shifted);
  }

  /** Regions of the shifted windows, or undefined when no axis is shifted and every token may see its whole window.
   *  @shape -> i32 [M, P] */
  get regions(): Tensor | undefined {
    this.labels ??= { regions: this.makeRegions() };
    return this.labels.regions;
  }

  private makeRegions(): Tensor | undefined {
    const regions = shiftRegions(this.order, this.grid, this.config.window);
    if (regions.every((region) => region === regions[0])) return undefined;
    return constant(regions, [this.sizes.windows, this.sizes.tokens]);
  }

  /**
   * Bilinear interpolation of the proxies' grid at every token, in window order; beyond the outermost proxies their value holds.
   * @shape -> [T, M n], rows sum to 1
   */
  interpolation(): Float32Array {
    const { windows, tokens, proxies, cell } = this.sizes;
    const total = windows * tokens;
    const places = Array.from({ length: windows * proxies }, (_, p) => this.centre(p * cell, cell));
    const weights = new Float32Array(total * windows * proxies);
    const axes = [0, 1, 2].map((axis) => [...new Set(places.map((place) => place[axis]))].sort((a, b) => a - b));
    const index = new Map(places.map((place, p) => [place.join(), p]));
    for (let position = 0; position < total; position++) {
      const token = this.centre(position, 1);
      const ends = token.map((x, axis) => around(axes[axis], x));
      for (const [f, wf] of ends[0] ?? []) {
        for (const [r, wr] of ends[1] ?? []) {
          for (const [c, wc] of ends[2] ?? []) {
            const at = position * windows * proxies + (index.get([f, r, c].join()) ?? 0);
            weights[at] = (weights[at] ?? 0) + wf * wr * wc;
          }
        }
      }
    }
    return weights;
  }

  /** Mean place of `count` positions from `start`. */
  private centre(start: number, count: number): [number, number, number] {
    const [, rows, columns] = this.grid;
    const place: [number, number, number] = [0, 0, 0];
    for (const index of this.order.subarray(start, start + count)) {
      place[0] += Math.floor(index / (rows * columns)) / count;
      place[1] += (Math.floor(index / columns) % rows) / count;
      place[2] += (index % columns) / count;
    }
    return place;
  }
}

/** The grid points on either side of x and their weights. */
function around(points: readonly number[], x: number): [number, number][] {
  const above = points.findIndex((point) => point >= x);
  if (above <= 0) return [[points[above < 0 ? points.length - 1 : 0], 1]];
  const [low, high] = [points[above - 1], points[above]];
  const part = (x - low) / (high - low);
  return [
    [low, 1 - part],
    [high, part],
  ];
}
