/** Samples as a whole, beside a data set as a whole. */
import type { Device } from "../../backend/device.js";
import { ConfigError } from "../../base/errors.js";
import { evenly } from "../../base/evenly.js";
import { type Dataset, sideOf } from "../../data/dataset.js";
import { resizeArea } from "../../pictures/resize.js";
import { checkSamples } from "../checks.js";
import { ownPictures } from "../ownPictures.js";
import type { FeatureNet } from "./featureNet.js";
import { checkFeaturing, featuresOf } from "./featuresOf.js";
import { type Kid, kid, leastPairs } from "./kid.js";
import { leastPictures, type Novelty, novelty, type Print } from "./novelty.js";

/** Whether samples look like pictures of the data set, and whether they are only these again. */
export interface Quality {
  /** null: fewer than `leastPairs` samples are finite. */
  readonly kid: Kid | null;
  /** null: no sample is finite, or the data set has fewer than `leastPictures`. */
  readonly novelty: Novelty | null;
}

/** Most pairs that a kernel distance is taken of: its tables grow with their square, to 32 MB each. */
const mostPairs = 2000;
/** Side to which pictures are reduced before their distances are taken: a drawing stays itself there, and grain does not count. */
const printSide = 16;

/**
 * Measures samples by the kernel distance of their features (`kid`) and by their distance to training pictures (`novelty`). Samples that
 * are not finite are left out; of more than 2000 pairs, the kernel distance takes 2000, evenly spread.
 * @shape samples [n, 3, 1, side, side], one a caption of `data`, or of those at `places`
 * @units samples: -1..1
 * @param net see `featureNetOf`, and `loadFeatureNet` of `ptdit/node`
 * @throws ConfigError when there are no such places, the samples are not as many numbers as their pictures, or these are not square
 *   pictures of three channels
 */
export async function quality(
  device: Device,
  net: FeatureNet,
  samples: Float32Array,
  data: Dataset,
  places?: readonly number[],
): Promise<Quality> {
  checkFeaturing("quality", device, net);
  const beside = await besidePictures("quality", samples, data, places);
  return { kid: await distance(device, net, beside), novelty: news(beside) };
}

/** The kernel distance alone, as `quality` has it; null: fewer than `leastPairs` samples are finite.
 *  @shape samples [n, 3, 1, side, side], one a caption of `data`, or of those at `places`
 *  @units samples: -1..1
 *  @throws ConfigError as `quality` */
export async function kidOfSamples(
  device: Device,
  net: FeatureNet,
  samples: Float32Array,
  data: Dataset,
  places?: readonly number[],
): Promise<Kid | null> {
  checkFeaturing("kidOfSamples", device, net);
  return distance(device, net, await besidePictures("kidOfSamples", samples, data, places));
}

/** Samples that are finite, and all pictures of their data set. */
interface Beside {
  /** Of [3, 1, side, side] each. */
  readonly pictures: readonly Float32Array[];
  readonly drawn: readonly { readonly sample: Float32Array; readonly place: number }[];
  readonly side: number;
}

async function besidePictures(
  where: string,
  samples: Float32Array,
  data: Dataset,
  places: readonly number[] | undefined,
): Promise<Beside> {
  checkSamples(where, data);
  const side = sideOf(data);
  const [channels] = data.shape;
  if (channels !== 3)
    throw new ConfigError(
      `${where}: pictures must have 3 channels, those of "${data.name}" have ${channels}. Give them in red, green and blue.`,
    );
  const own = await ownPictures(where, samples, data, undefined, places);
  const cut = (numbers: Float32Array) =>
    Array.from({ length: numbers.length / own.numbers }, (_, i) => numbers.subarray(i * own.numbers, (i + 1) * own.numbers));
  const all = cut(Float32Array.from(samples)).map((sample, i) => ({ sample, place: own.places[i] }));
  return { pictures: cut(own.pictures), drawn: all.filter(({ sample }) => sample.every(Number.isFinite)), side };
}

async function distance(device: Device, net: FeatureNet, { pictures, drawn, side }: Beside): Promise<Kid | null> {
  const paired = evenly(drawn.length, mostPairs).map((i) => drawn[i]);
  if (paired.length < leastPairs) return null;
  const features = (some: readonly Float32Array[]) => featuresOf(device, net, some, side);
  const real = await features(paired.map(({ place }) => pictures[place]));
  return kid(real, await features(paired.map(({ sample }) => sample)));
}

function news({ pictures, drawn, side }: Beside): Novelty | null {
  if (drawn.length === 0 || pictures.length < leastPictures) return null;
  const prints = (some: readonly Float32Array[]) => some.map((picture) => printOf(picture, side));
  return novelty(prints(drawn.map(({ sample }) => sample)), prints(pictures));
}

/** What distances are taken of: a picture as it is drawn, small, and its mirror image.
 *  @shape picture [3, side, side] -> [3, printSide, printSide] each */
function printOf(picture: Float32Array, side: number): Print {
  const drawn = picture.map((value) => Math.min(1, Math.max(-1, value)));
  const small = resizeArea(drawn, 3, side, side, printSide);
  const mirrored = small.map((_, at) => {
    const column = at % printSide;
    return small[at - column + printSide - 1 - column];
  });
  return { picture: small, mirrored };
}
