/** Pictures seen a little otherwise each time, so that few of them teach more. */
import { hashName, philox } from "../base/random.js";
import type { SampleShape } from "./dataset.js";
import { wordsOf } from "./tokenizer.js";

export interface Augmentation {
  /** Whether pictures are mirrored, left for right, half of the times: not those whose caption says a side or what is read. */
  readonly mirror: boolean;
  /** Most pixels by which a picture is moved, in rows and in columns; its border fills what is left. */
  readonly shift: number;
}

/** Words of captions whose pictures a mirror would make untrue. */
const sided = new Set([
  ...["left", "right", "leftwards", "rightwards", "east", "west", "clockwise", "counterclockwise", "anticlockwise"],
  ...["letter", "letters", "word", "words", "text", "number", "digit", "keycap", "button", "sign", "logo", "flag", "clock"],
]);

/** Whether a picture of this caption stays true in a mirror. */
export const hasNoSide = (caption: string): boolean => wordsOf(caption).every((word) => !sided.has(word));

/** Draws of augmentation are apart from all other draws of a seed. */
const stream = hashName("augmentation");

/**
 * Mirrors and moves the pictures of a step's batch, in place. A function of its arguments alone, so that a resumed run sees what an
 * uninterrupted one does.
 * @shape samples [n, C, F, H, W]; captions [n]
 */
export function augment(
  samples: Float32Array,
  [channels, frames, height, width]: SampleShape,
  captions: readonly string[],
  { mirror, shift }: Augmentation,
  { seed, step }: { readonly seed: number; readonly step: number },
): void {
  if (!mirror && shift === 0) return;
  const key: [number, number] = [seed | 0, Math.floor(seed / 2 ** 32) | 0];
  const plane = new Float32Array(height * width);
  const pixels = channels * frames * height * width;
  for (const [place, caption] of captions.entries()) {
    const [side, down, across] = philox([place, stream, step % 2 ** 32, Math.floor(step / 2 ** 32)], key);
    const mirrored = mirror && side % 2 === 1 && hasNoSide(caption);
    const by = (noise: number): number => (noise % (2 * shift + 1)) - shift;
    const [rows, columns] = [by(down), by(across)];
    for (let at = place * pixels; at < (place + 1) * pixels; at += height * width) {
      plane.set(samples.subarray(at, at + height * width));
      for (let y = 0; y < height; y++) {
        const from = width * Math.min(height - 1, Math.max(0, y - rows));
        for (let x = 0; x < width; x++) {
          const column = Math.min(width - 1, Math.max(0, x - columns));
          samples[at + y * width + x] = plane[from + (mirrored ? width - 1 - column : column)];
        }
      }
    }
  }
}
