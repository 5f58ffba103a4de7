/** Pictures made worse in known ways: what a measure of samples must tell apart. */
import { normalNumbers } from "../src/base/random.ts";

/** A number of a picture; beyond its border those of the border. */
type At = (channel: number, row: number, column: number) => number;

/** Each picture again, changed.
 *  @shape pictures n of [3, side, side] -> the same
 *  @units -1..1 */
export interface Faults {
  readonly mirrored: () => Float32Array[];
  /** Another style of the same things: a tenth of each colour goes to the next one, and what looked left looks right. */
  readonly styled: () => Float32Array[];
  /** Means of squares of 2 reach + 1 pixels. */
  readonly blurred: (reach: number) => Float32Array[];
  /** @units deviation: of a range of 2, as pictures have */
  readonly noisy: (deviation: number) => Float32Array[];
}

export function faultsOf(pictures: readonly Float32Array[], side: number): Faults {
  const made = (f: (of: At, i: number) => At): Float32Array[] =>
    pictures.map((picture, i) => {
      const inside = (at: number) => Math.min(side - 1, Math.max(0, at));
      const value = f((c, y, x) => picture[(c * side + inside(y)) * side + inside(x)], i);
      return picture.map((_, at) => value(Math.floor(at / side ** 2), Math.floor(at / side) % side, at % side));
    });
  return {
    mirrored: () => made((of) => (c, y, x) => of(c, y, side - 1 - x)),
    styled: () => made((of) => (c, y, x) => 0.9 * of(c, y, side - 1 - x) + 0.1 * of((c + 1) % 3, y, side - 1 - x)),
    blurred: (reach) =>
      made((of) => (c, y, x) => {
        let sum = 0;
        for (let i = -reach; i <= reach; i++) for (let j = -reach; j <= reach; j++) sum += of(c, y + i, x + j);
        return sum / (2 * reach + 1) ** 2;
      }),
    noisy: (deviation) =>
      made((of, i) => {
        const noise = normalNumbers(3 * side ** 2, 1, i);
        return (c, y, x) => of(c, y, x) + deviation * noise[(c * side + y) * side + x];
      }),
  };
}
