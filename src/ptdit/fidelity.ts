import { checkValue, whole } from "../base/options.js";
import type { Dataset } from "../data/dataset.js";
import type { Tokenizer } from "../data/tokenizer.js";
import { Deviation, flatGround, highFrequencies, type Plane } from "./grain.js";
import { type OwnPictures, ownPictures, squaredDistance } from "./ownPictures.js";
import { Seam } from "./seam.js";

/**
 * How like their own training pictures samples look. A residual is a sample as it is drawn, clamped to -1..1, minus its own picture.
 * @units speckle, hf: 8-bit levels, of which a picture has 256
 */
export interface Fidelity {
  /** Samples that were measured: those whose numbers are all finite. */
  readonly measured: number;
  /**
   * Mean over the samples of 10 log10(255² / mean squared residual), each counted as `psnrCeiling` at most; null: none was measured.
   * @units dB
   */
  readonly psnr: number | null;
  /** Standard deviation of the residual in flat ground, each channel's from its own mean there: mean over the samples whose pictures
   *  have flat ground; null: none has. A pixel of the picture is flat ground if it differs by no more than one level, in any channel,
   *  from those up to two rows and columns away. */
  readonly speckle: number | null;
  /** The same of the residual's high-frequency part, itself minus its mean in 3 x 3 pixels: what the eye sees as grain. */
  readonly hf: number | null;
  /** Mean absolute difference of neighbouring pixels' residuals across the borders of patches, over that inside patches, of all samples
   *  together: 1 where patches do not show; null: there are no borders, or nothing lies or differs inside, as with patches of 1. */
  readonly seam: number | null;
}

/** Rounding to whole levels alone errs by 1/12 of a squared level: samples that are nearer to their pictures are drawn as these are.
 *  @units dB */
export const psnrCeiling = 10 * Math.log10(255 ** 2 * 12);

/** Levels of a unit: numbers go from -1 to 1, levels from 0 to 255. */
const levelsPerUnit = 127.5;

/**
 * Holds samples against their own training pictures. Of captions that are equal to the model (see `retrieval`), the picture that is
 * nearest to the sample counts as its own.
 * @shape samples [n, C, F, H, W], one a caption of `data`, or of those at `places`
 * @units samples: -1..1
 * @param patch side of the model's patches, in pixels of the samples
 * @param places which captions were drawn
 * @throws ConfigError when there are no such places, the samples are not as many numbers as their pictures, or the patch is no whole
 *   number
 */
export async function fidelity(
  samples: Float32Array,
  data: Dataset,
  patch: number,
  tokenizer?: Tokenizer,
  places?: readonly number[],
): Promise<Fidelity> {
  checkValue("fidelity", "patch", patch, whole(1));
  const own = await ownPictures("fidelity", samples, data, tokenizer, places);
  const all = Float32Array.from(samples);
  const [, frames, rows, columns] = data.shape;
  const measures = { psnr: new Mean(), speckle: new Mean(), hf: new Mean() };
  const seam = new Seam(patch);
  for (const [i, place] of own.places.entries()) {
    const sample = all.subarray(i * own.numbers, (i + 1) * own.numbers); // [C, F, H, W]
    if (!sample.every(Number.isFinite)) continue;
    const drawn = sample.map((value) => Math.min(1, Math.max(-1, value)));
    const at = nearestOwn(drawn, place, own) * own.numbers;
    const picture = own.pictures.subarray(at, at + own.numbers);
    const error = squaredDistance(drawn, 0, picture, 0, own.numbers) / own.numbers; // units², of a range of 2
    measures.psnr.add(Math.min(psnrCeiling, 10 * Math.log10(2 ** 2 / error)));
    const { speckle, hf } = grain(drawn, picture, frames, { rows, columns }, seam);
    measures.speckle.add(speckle);
    measures.hf.add(hf);
  }
  const { psnr, speckle, hf } = measures;
  return { measured: psnr.count, psnr: psnr.value, speckle: speckle.value, hf: hf.value, seam: seam.value };
}

/** Which picture of an equal caption is nearest to a sample of the caption at a place. */
function nearestOwn(sample: Float32Array, place: number, { pictures, numbers, read }: OwnPictures): number {
  let [nearest, least] = [place, Number.POSITIVE_INFINITY];
  for (const [j, words] of read.entries()) {
    if (words !== read[place]) continue;
    const distance = squaredDistance(sample, 0, pictures, j * numbers, numbers);
    if (distance < least) [nearest, least] = [j, distance];
  }
  return nearest;
}

/** Grain of one sample; its steps at borders and inside patches go to `seam`.
 *  @shape drawn, picture [C, F, H, W] */
function grain(drawn: Float32Array, picture: Float32Array, frames: number, plane: Plane, seam: Seam) {
  const size = plane.rows * plane.columns;
  const planes = drawn.length / size;
  const inLevels = (of: (at: number) => number, from: number) =>
    Float32Array.from({ length: size }, (_, at) => levelsPerUnit * of(from * size + at)); // [H, W]
  const [speckle, hf] = [new Deviation(), new Deviation()];
  for (let frame = 0; frame < frames; frame++) {
    const channels = Array.from({ length: planes / frames }, (_, channel) => channel * frames + frame);
    const flat = flatGround(
      channels.map((channel) => inLevels((at) => picture[at], channel)),
      plane,
    );
    for (const channel of channels) {
      const residual = inLevels((at) => drawn[at] - picture[at], channel);
      speckle.add(residual, flat);
      hf.add(highFrequencies(residual, plane), flat);
      seam.add(residual, plane);
    }
  }
  return { speckle: speckle.value, hf: hf.value };
}

/** A mean of what there is. */
class Mean {
  count = 0;
  private sum = 0;

  add(value: number | undefined): void {
    if (value === undefined) return;
    this.sum += value;
    this.count++;
  }

  get value(): number | null {
    return this.count > 0 ? this.sum / this.count : null;
  }
}
