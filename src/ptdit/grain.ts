/** Grain: how uneven a sample is where its own picture is even, which is where the eye looks for it. */

/** Rows and columns of one plane: a channel of a frame. */
export interface Plane {
  readonly rows: number;
  readonly columns: number;
}

/** Flat ground begins this many rows and columns away from an edge. */
const flatReach = 2;
/** Where levels differ by more than this there is an edge: by one whole level pictures stray that were resized and rounded.
 *  @units 8-bit levels */
const flatLevels = 1.5;
/** A local mean takes in this many rows and columns on each side. */
const meanReach = 1;

/** Calls `visit` with every place of a plane and each place of the box around it, itself included; the plane's edges cut the box. */
function forBoxes({ rows, columns }: Plane, reach: number, visit: (at: number, near: number) => void): void {
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let y = Math.max(0, row - reach); y <= Math.min(rows - 1, row + reach); y++) {
        for (let x = Math.max(0, column - reach); x <= Math.min(columns - 1, column + reach); x++)
          visit(row * columns + column, y * columns + x);
      }
    }
  }
}

/**
 * Where a frame is flat ground: in no channel does a pixel differ by more than one level from those up to two rows and columns away, so
 * that a sample's soft edge around a shape does not count as grain.
 * @shape planes [C] of [H, W] -> [H, W] of 1 (flat) and 0
 * @units planes: 8-bit levels
 */
export function flatGround(planes: readonly Float32Array[], plane: Plane): Uint8Array {
  const flat = new Uint8Array(plane.rows * plane.columns).fill(1);
  for (const levels of planes) {
    forBoxes(plane, flatReach, (at, near) => {
      if (Math.abs(levels[at] - levels[near]) > flatLevels) flat[at] = 0;
    });
  }
  return flat;
}

/** A residual without its local mean: the mean of the 3 x 3 places around, fewer at the edges.
 *  @shape [H, W] -> [H, W] */
export function highFrequencies(residual: Float32Array, plane: Plane): Float32Array {
  const [sums, counts] = [new Float64Array(residual.length), new Float64Array(residual.length)];
  forBoxes(plane, meanReach, (at, near) => {
    sums[at] += residual[near];
    counts[at]++;
  });
  return residual.map((value, at) => value - sums[at] / counts[at]);
}

/** Gathers squared deviations in flat ground, each plane's from its own mean there: a colour that is off everywhere is no grain. */
export class Deviation {
  private squares = 0;
  private count = 0;

  /** @shape residual, flat [H, W] */
  add(residual: Float32Array, flat: Uint8Array): void {
    let [sum, count] = [0, 0];
    for (const [at, value] of residual.entries()) {
      if (flat[at] === 0) continue;
      sum += value;
      count++;
    }
    const mean = sum / count;
    for (const [at, value] of residual.entries()) if (flat[at] === 1) this.squares += (value - mean) ** 2;
    this.count += count;
  }

  /** The standard deviation; undefined: there was no flat ground. */
  get value(): number | undefined {
    return this.count > 0 ? Math.sqrt(this.squares / this.count) : undefined;
  }
}
