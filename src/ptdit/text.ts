import { slice } from "../autograd/ops/copy.js";
import { greater, mul, sub, where } from "../autograd/ops/elementwise.js";
import { reshape } from "../autograd/ops/reshape.js";
import type { Tensor } from "../autograd/tensor.js";
import { callable, needed, type Rules, text } from "../base/options.js";
import type { Tokenizer } from "../data/tokenizer.js";
import { checkSeed, checkSizes } from "../nn/checks.js";
import { normal, type Seed } from "../nn/init.js";
import { Embedding } from "../nn/layers.js";
import { Module } from "../nn/module.js";

/** A caption as the model reads it.
 *  @shape caption [B, L, channels], keep [B, L] (1 = a word, 0 = padding) */
export interface EncodedText {
  readonly caption: Tensor;
  readonly keep: Tensor;
}

/** Turns caption tokens into vectors. A frozen pretrained encoder is a module without trained parameters whose `forward` embeds its own output. */
export interface TextEncoder {
  readonly channels: number;
  /** @shape ids i32 [B, L], keep [B, L] -> caption [B, L, channels], keep [B, L] */
  forward(ids: Tensor, keep: Tensor): EncodedText;
  /** The empty caption, for classifier-free guidance, where `drop` is 1. @shape drop [B] */
  dropped(text: EncodedText, drop: Tensor): EncodedText;
}

/** How an encoder is made for a captioner. */
export interface EncoderKind {
  /** Its name in checkpoints. */
  readonly kind: string;
  make(captioner: Tokenizer, channels: number, seed: Seed): TextEncoder & Module;
}

export const encoderRules: Rules<EncoderKind> = { kind: needed(text), make: needed(callable) };

/** A learned vector for every word; word 0 is padding and stands for "no caption" too. */
export class WordEncoder extends Module implements TextEncoder {
  readonly words: Embedding;

  constructor(
    vocabulary: number,
    readonly channels: number,
    seed: Seed,
  ) {
    super(seed);
    checkSizes("word encoder", { vocabulary, channels });
    checkSeed("word encoder", seed);
    this.words = new Embedding(vocabulary, channels, seed.at("words"), normal(1));
  }

  forward(ids: Tensor, keep: Tensor): EncodedText {
    return this.scoped(() => ({ caption: this.words.forward(ids), keep })); // [B, L, channels]
  }

  dropped({ caption, keep }: EncodedText, drop: Tensor): EncodedText {
    const [batch] = drop.shape;
    const padding = reshape(slice(this.words.weight, 0, 0, 1), [1, 1, this.channels]);
    return {
      caption: where(greater(reshape(drop, [batch, 1, 1]), 0), padding, caption), // [B, L, channels]
      keep: mul(keep, sub(1, reshape(drop, [batch, 1]))), // [B, L]
    };
  }
}

/** Learned vectors for words. */
export const words: EncoderKind = {
  kind: "words",
  make: (captioner, channels, seed) => new WordEncoder(captioner.size, channels, seed),
};

/** Encoders that checkpoints name. */
export const encoders = [words] as const;
