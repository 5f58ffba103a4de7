/** Data sets whose samples have several captions. */
import { hashName, philox } from "../base/random.js";
import type { Dataset } from "./dataset.js";

/** How often the main caption is read where there are others: often enough that a prompt of it alone is known, seldom enough that
 *  the others are learned. */
const mainPart = 0.15;

/** Draws of captions are apart from all other draws of a seed. */
const stream = hashName("captions");

type Captioned = Pick<Dataset, "captions" | "variants">;

/** Every caption that training may read: the main ones in their order, then the others of each sample. */
export function everyCaption({ captions, variants = [] }: Captioned): string[] {
  return [...captions, ...variants.flat()];
}

/** Where the captions of `everyCaption` belong. */
export class CaptionTable {
  /** Place of each sample's first variant. */
  private readonly starts: Int32Array;
  private readonly counts: Int32Array;

  constructor({ captions, variants }: Captioned) {
    this.counts = Int32Array.from(captions, (_, i) => variants?.[i]?.length ?? 0);
    this.starts = new Int32Array(captions.length);
    let start = captions.length;
    for (const [i, count] of this.counts.entries()) {
      this.starts[i] = start;
      start += count;
    }
  }

  /**
   * Which caption each sample of a step's batch is read with: its main one in 15 of 100 cases, else one of the others, all alike. A
   * function of its arguments alone, so that a resumed run reads what an uninterrupted one does.
   * @shape indices [n] -> [n], places in `everyCaption`
   */
  draw(indices: ArrayLike<number>, seed: number, step: number): Int32Array {
    const key: [number, number] = [seed | 0, Math.floor(seed / 2 ** 32) | 0];
    return Int32Array.from(indices, (index, place) => {
      const count = this.counts[index];
      if (count === 0) return index;
      const [whether, which] = philox([place, stream, step % 2 ** 32, Math.floor(step / 2 ** 32)], key);
      if (whether / 2 ** 32 < mainPart) return index;
      return this.starts[index] + Math.floor((which / 2 ** 32) * count);
    });
  }
}
