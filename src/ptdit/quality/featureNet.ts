/** What a picture looks like, in a few hundred numbers: a small network that comes with the package. */
import { concat } from "../../autograd/ops/copy.js";
import { mul, silu, sub } from "../../autograd/ops/elementwise.js";
import { rmsNorm } from "../../autograd/ops/layerNorm.js";
import { mean } from "../../autograd/ops/reduce.js";
import { checkTensors, type Tensor } from "../../autograd/tensor.js";
import { FormatError, ShapeError } from "../../base/errors.js";
import { checkValue, show } from "../../base/options.js";
import { showShape } from "../../base/shape.js";
import type { SafetensorsFile } from "../../io/safetensors.js";
import { checkSeed } from "../../nn/checks.js";
import { kaimingNormal, ones, Seed, zeros } from "../../nn/init.js";
import { Conv2d } from "../../nn/layers.js";
import { Module } from "../../nn/module.js";
import { weightsOf } from "../weightTypes.js";

/** Side to which pictures are brought before the network sees them, whatever theirs is. */
export const featureSide = 64;

/** Channels after each convolution; every one halves the side. */
const channels = [16, 32, 64, 96] as const;

/** Features of a picture: the channels of all stages, as grain shows in the first ones and things in the last. */
export const featureCount = channels.reduce((all, count) => all + count, 0);

/**
 * Four convolutions. A picture's features are the means over its places of what each channel of each stage says; of real pictures they
 * have mean 0 and variance 1; at last they are brought to length √featureCount, so that no picture counts for more than another.
 */
export class FeatureNet extends Module {
  readonly stages: readonly Conv2d[];
  /** What takes the means to mean 0 and variance 1. @shape [featureCount] each */
  readonly centre: Tensor;
  readonly scale: Tensor;

  constructor(seed: Seed) {
    super(seed);
    checkSeed("feature net", seed);
    this.stages = channels.map((out, i) => {
      const window = i === 0 ? { stride: 2, padding: 2 } : { stride: 2, padding: 1 };
      return new Conv2d(channels[i - 1] ?? 3, out, 2 * window.padding + 1, seed.at(`stages.${i}`), {
        ...window,
        weight: kaimingNormal,
      });
    });
    this.centre = seed.parameter("centre", [featureCount], zeros);
    this.scale = seed.parameter("scale", [featureCount], ones);
  }

  /** Means of all stages, as they are.
   *  @shape pictures [B, 3, featureSide, featureSide] -> [B, featureCount]
   *  @units pictures: -1..1 */
  means(pictures: Tensor): Tensor {
    checkTensors("feature net", { pictures });
    const [, ...picture] = pictures.shape;
    if (picture.join() !== [3, featureSide, featureSide].join())
      throw new ShapeError(
        `feature net: pictures must be [B, 3, ${featureSide}, ${featureSide}], got ${showShape(pictures.shape)}. Resize them first.`,
      );
    let x = pictures;
    const means = this.stages.map((stage) => {
      x = silu(stage.forward(x)); // [B, C, side / 2, side / 2]
      return mean(x, [2, 3]); // [B, C]
    });
    return concat(means, 1); // [B, featureCount]
  }

  /** @shape pictures [B, 3, featureSide, featureSide] -> [B, featureCount], each of length √featureCount */
  forward(pictures: Tensor): Tensor {
    return this.scoped(() => rmsNorm(mul(sub(this.means(pictures), this.centre), this.scale)));
  }
}

/** What the metadata of a network's file name it. */
export const featureKind = "ptdit features 1";

/**
 * The network of a file: `models/features/emoji.safetensors` of the package, whose bytes a page fetches and reads with `readSafetensors`;
 * in Node there is `loadFeatureNet`.
 * @throws FormatError when the file is of something else, or does not hold these weights
 */
export function featureNetOf(file: SafetensorsFile): FeatureNet {
  const read = { text: "a file that readSafetensors has read", holds: (v: unknown) => Object(v).tensors instanceof Map };
  checkValue("feature net", "the file", file, read);
  const { kind } = Object(file.metadata);
  if (kind !== featureKind)
    throw new FormatError(
      `feature net: metadata "kind" must be ${JSON.stringify(featureKind)}, got ${show(kind)}. Give models/features/emoji.safetensors of this version.`,
    );
  const net = new FeatureNet(new Seed(0));
  net.load(new Map([...file.tensors].map(([name, own]) => [name, weightsOf(name, own, undefined, "feature net: the file")])));
  return net;
}
