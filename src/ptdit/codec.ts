/** How samples become the latents that a model reads, and back. */
import type { Tensor } from "../autograd/tensor.js";
import { callable, needed, type Rules, text, whole } from "../base/options.js";

export interface Codec {
  /** Its name in checkpoints. */
  readonly kind: string;
  /** Rows and columns of a sample that become one of latents. */
  readonly factor: number;
  /** @shape samples [B, C, F, H, W] -> latents [B, c, f, H / factor, W / factor] */
  encode(samples: Tensor): Tensor;
  /** @shape latents [B, c, f, h, w] -> samples [B, C, F, h factor, w factor] */
  decode(latents: Tensor): Tensor;
}

export const codecRules: Rules<Codec> = {
  kind: needed(text),
  factor: needed(whole(1)),
  encode: needed(callable),
  decode: needed(callable),
};

/** Latents that are the samples themselves. */
export const pixels: Codec = { kind: "pixels", factor: 1, encode: (samples) => samples, decode: (latents) => latents };

/** Codecs that checkpoints name. */
export const codecs = [pixels] as const;
