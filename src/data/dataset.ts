/** What a model is trained on. */
import { ConfigError } from "../base/errors.js";

/** Sizes of a sample: channels, frames, rows, columns. A picture is a video of one frame. */
export type SampleShape = readonly [channels: number, frames: number, rows: number, columns: number];

/** Samples and what they show. Captions are there at once; the numbers of a sample are asked for when it is its turn. */
export interface Dataset {
  readonly name: string;
  readonly count: number;
  /** Of every sample. */
  readonly shape: SampleShape;
  /** The main caption of every sample: what evaluations and samples ask for. */
  readonly captions: readonly string[];
  /** Other captions of every sample, none or some: a trainer draws one of them or the main one each time. */
  readonly variants?: readonly (readonly string[])[];
  /** The numbers of one sample, the same whenever it is asked for. Several may be asked for at once.
   *  @shape -> [C, F, H, W]  @units -1 (dark) .. 1 (full colour) of pictures */
  sample(index: number): Promise<Float32Array>;
  /** Which samples make the batch of a step, where they do not all come alike (see `batchIndices`): a function of its arguments alone.
   *  @shape -> [batch], numbers in 0..count-1 */
  draw?(batch: number, seed: number, step: number): Int32Array;
}

/** Some samples, one after the other.
 *  @shape indices [n] -> [n, C, F, H, W]
 *  @throws ConfigError when the data set gives other numbers than its shape says */
export async function gatherSamples(data: Dataset, indices: ArrayLike<number>): Promise<Float32Array> {
  const numbers = data.shape.reduce((all, size) => all * size, 1);
  const result = new Float32Array(indices.length * numbers);
  await Promise.all(
    Array.from(indices, async (index, place) => {
      const sample = await data.sample(index);
      if (sample?.length !== numbers)
        throw new ConfigError(
          `data: a sample of "${data.name}" is [${data.shape.join(", ")}], ${numbers} numbers; number ${index} has ${sample?.length}. Give every sample in that shape.`,
        );
      result.set(sample, place * numbers);
    }),
  );
  return result;
}

/** Side of a data set's square pictures.
 *  @throws ConfigError when they are not square, or videos */
export function sideOf({ name, shape }: Pick<Dataset, "name" | "shape">): number {
  const [, frames, rows, columns] = shape;
  if (frames !== 1 || rows !== columns)
    throw new ConfigError(
      `data: runs are drawn and kept by the side of square pictures, samples of "${name}" are [${shape.join(", ")}]. Cut them square, or train without a session.`,
    );
  return rows;
}
