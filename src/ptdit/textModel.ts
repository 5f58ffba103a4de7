import { concat } from "../autograd/ops/copy.js";
import type { Tensor } from "../autograd/tensor.js";
import { checkValue, whole } from "../base/options.js";
import { Seed } from "../nn/init.js";
import { Module } from "../nn/module.js";
import type { PTDiTConfig } from "./config.js";
import { type ForwardOptions, PTDiT } from "./model.js";
import type { Predictor } from "./stepProgram.js";
import { type EncodedText, WordEncoder } from "./text.js";

/** A PT-DiT and the encoder of its captions: what is trained, saved and sampled together. */
export class TextModel extends Module {
  readonly model: PTDiT;
  readonly text: WordEncoder;

  /** @throws ConfigError when the configuration is not valid, or a number not whole */
  constructor(config: PTDiTConfig, vocabulary: number, seed = 0) {
    super();
    checkValue("text model", "vocabulary", vocabulary, whole(1));
    this.model = new PTDiT(config, { seed });
    this.text = new WordEncoder(vocabulary, config.captionChannels ?? 1, new Seed(seed, "text"));
  }

  /** @shape x [B, C, F, H, W], t [B], text of B captions -> [B, Cout, F, H, W] */
  forward(x: Tensor, t: Tensor, { caption, keep }: EncodedText, options: ForwardOptions = {}): Tensor {
    return this.model.forward({ x, t, caption, keep }, options);
  }

  /** The model under captions, for a sampler; with guidance the negative captions follow the others.
   *  @shape ids i32 [R, L], keep [R, L] */
  predictor(...captions: readonly { readonly ids: Tensor; readonly keep: Tensor }[]): Predictor {
    return (x, t) => {
      const ids = concat(
        captions.map((own) => own.ids),
        0,
      );
      const keep = concat(
        captions.map((own) => own.keep),
        0,
      );
      return this.forward(x, t, this.text.forward(ids, keep));
    };
  }
}
