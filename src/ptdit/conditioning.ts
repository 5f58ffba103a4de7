import { concat } from "../autograd/ops/copy.js";
import { add, div, mul, silu } from "../autograd/ops/elementwise.js";
import { mean, sum } from "../autograd/ops/reduce.js";
import { reshape } from "../autograd/ops/reshape.js";
import { sinusoid } from "../autograd/ops/sinusoid.js";
import type { Tensor } from "../autograd/tensor.js";
import { ConfigError } from "../base/errors.js";
import { normal, type Seed, zeros } from "../nn/init.js";
import { Embedding, Linear, MLP } from "../nn/layers.js";
import { Module } from "../nn/module.js";
import { type PTDiTConfig, widthOf } from "./config.js";

/** Width of the sinusoidal features of a timestep or a size. */
const featureWidth = 256;

/** What a sample is conditioned on beside its caption. */
export interface SampleConditions {
  /** Timesteps on the 0..1000 scale, 1000 = noise. @shape [B] */
  readonly t: Tensor;
  /** Class numbers; `classes` itself is "no class". @shape i32 [B] */
  readonly labels?: Tensor | undefined;
  /** Caption tokens, and which of them are words. @shape [B, L, captionChannels], [B, L] */
  readonly caption?: Tensor | undefined;
  readonly keep?: Tensor | undefined;
  /** Height and width, and aspect ratio. @shape [B, 2], [B, 1] */
  readonly resolution?: Tensor | undefined;
  readonly aspect?: Tensor | undefined;
}

/**
 * adaLN-single: one vector a sample from its timestep, size, class and caption as a whole, and from it the six rows that modulate every block.
 * @source PixArt-alpha (arXiv 2310.00426), section 2.3; step 3 of the architecture
 */
export class AdaLNSingle extends Module {
  readonly timestep: MLP;
  readonly resolution: MLP | undefined;
  readonly aspect: MLP | undefined;
  readonly classes: Embedding | undefined;
  readonly pooled: Linear | MLP | undefined;
  readonly modulation: Linear;

  constructor(
    private readonly config: PTDiTConfig,
    seed: Seed,
  ) {
    super(seed);
    const width = widthOf(config);
    const embedder = (name: string, out: number, weight = {}) =>
      new MLP({ width: featureWidth, hidden: out, out }, seed.at(name), silu, weight);
    this.timestep = embedder("timestep", width);
    this.resolution = config.sizeConditions ? embedder("resolution", width / 3, { weight: zeros }) : undefined;
    this.aspect = config.sizeConditions ? embedder("aspect", width / 3, { weight: zeros }) : undefined;
    this.classes = config.classes > 0 ? new Embedding(config.classes + 1, width, seed.at("classes"), normal(0.02)) : undefined;
    const { captionChannels, pooledCaption, pooledHidden: hidden } = config;
    if (pooledCaption && captionChannels) {
      const own = seed.at("pooled");
      this.pooled =
        hidden > 0
          ? new MLP({ width: captionChannels, hidden, out: width }, own, silu)
          : new Linear(captionChannels, width, own);
    }
    this.modulation = new Linear(width, 6 * width, seed.at("modulation"));
  }

  /** @shape t [B] -> c [B, D], t6 [B, 6, D]
   *  @throws ConfigError when a condition the model was built for is missing */
  forward({ t, labels, resolution, aspect, caption, keep }: SampleConditions): { c: Tensor; t6: Tensor } {
    return this.scoped(() => {
      const [batch] = t.shape;
      let c = this.timestep.forward(sinusoid(t, featureWidth)); // [B, D]
      if (this.resolution && this.aspect) {
        if (!resolution || !aspect)
          throw new ConfigError("conditioning: this model has size conditions; give resolution [B, 2] and aspect [B, 1].");
        const sizes = reshape(this.resolution.forward(sinusoid(resolution, featureWidth)), [batch, -1]); // [B, 2 D/3]
        const ratio = reshape(this.aspect.forward(sinusoid(aspect, featureWidth)), [batch, -1]); // [B, D/3]
        c = add(c, concat([sizes, ratio], 1)); // [B, D]
      }
      if (this.classes) {
        if (!labels) throw new ConfigError(`conditioning: this model has ${this.config.classes} classes; give labels i32 [B].`);
        c = add(c, this.classes.forward(labels)); // [B, D]
      }
      if (this.pooled) {
        if (!caption) throw new ConfigError("conditioning: this model reads captions; give caption [B, L, captionChannels].");
        c = add(c, this.pooled.forward(meanToken(caption, keep))); // [B, D]
      }
      return { c, t6: reshape(this.modulation.forward(silu(c)), [batch, 6, -1]) }; // [B, 6, D]
    });
  }
}

/** The mean of a caption's words; zeros for one that has none. @shape caption [B, L, C], keep [B, L] -> [B, C] */
function meanToken(caption: Tensor, keep: Tensor | undefined): Tensor {
  if (!keep) return mean(caption, 1);
  const [batch, length] = keep.shape;
  const words = sum(mul(caption, reshape(keep, [batch, length, 1])), 1); // [B, C]
  return div(words, add(reshape(sum(keep, 1), [batch, 1]), 1e-3)); // [B, C]
}
