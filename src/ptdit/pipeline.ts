import { concat } from "../autograd/ops/copy.js";
import type { Tensor } from "../autograd/tensor.js";
import { anything, checkOptions, checkValue, needed, object, type Rules, seedRule } from "../base/options.js";
import type { Tokenizer } from "../data/tokenizer.js";
import { Seed } from "../nn/init.js";
import { Module } from "../nn/module.js";
import { checkTokenizer } from "./checks.js";
import { type Codec, codecRules, pixels } from "./codec.js";
import type { PTDiTConfig } from "./config.js";
import { type ForwardOptions, PTDiT } from "./model.js";
import type { Predictor } from "./stepProgram.js";
import { type EncodedText, type EncoderKind, encoderRules, type TextEncoder, words } from "./text.js";

/** What a pipeline is made of. */
export interface PipelineParts {
  /** The denoiser. */
  readonly model: PTDiTConfig;
  /** Captions to tokens. */
  readonly captioner: Tokenizer;
  /** Tokens to vectors: a learned one for every word if not given. */
  readonly encoder?: EncoderKind;
  /** Samples to latents and back: samples are latents if not given. */
  readonly codec?: Codec;
}

/** @throws ConfigError when it is no pipeline of this copy of the library */
export function checkPipeline(where: string, pipeline: Pipeline): void {
  checkValue(where, "the pipeline", pipeline, { text: "a Pipeline", holds: (value) => value instanceof Pipeline });
}

const rules: Rules<PipelineParts> = { model: needed(object), captioner: needed(anything), encoder: object, codec: object };

/** A denoiser, the encoder of its captions, and the codec of its latents: what is trained, saved and sampled together. */
export class Pipeline extends Module {
  readonly model: PTDiT;
  readonly text: TextEncoder & Module;
  readonly captioner: Tokenizer;
  readonly encoder: EncoderKind;
  readonly codec: Codec;

  /** @throws ConfigError when the configuration is not valid, or a part is not what it should be */
  constructor(parts: PipelineParts, seed = 0) {
    super();
    checkOptions("pipeline", parts, rules);
    checkValue("pipeline", "seed", seed, seedRule);
    const { model, captioner, encoder = words, codec = pixels } = parts;
    checkTokenizer("pipeline", captioner);
    checkOptions("pipeline: the encoder", encoder, encoderRules);
    checkOptions("pipeline: the codec", codec, codecRules);
    this.model = new PTDiT(model, { seed });
    this.text = encoder.make(captioner, model.captionChannels ?? 1, new Seed(seed, "text"));
    this.captioner = captioner;
    this.encoder = encoder;
    this.codec = codec;
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
