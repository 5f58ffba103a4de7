/** The layers that a configuration chooses among. */
import type { Tensor } from "../autograd/tensor.js";
import { Attention } from "../nn/attention.js";
import type { Seed } from "../nn/init.js";
import { GatedMLP, LayerNorm, MLP, RMSNorm } from "../nn/layers.js";
import type { Module } from "../nn/module.js";
import { type PTDiTConfig, widthOf } from "./config.js";

/** Normalises tokens, and modulates them: norm(x)·(1 + scale) + shift. */
export interface TokenNorm extends Module {
  /** @shape x [..., D] -> [..., D] */
  forward(x: Tensor): Tensor;
  /** @shape x [B, ..., D], shift, scale [B, 1, ..., D] -> [B, ..., D] */
  modulated(x: Tensor, shift: Tensor, scale: Tensor): Tensor;
}

export function tokenNorm(config: PTDiTConfig, seed: Seed): TokenNorm {
  const options = { affine: config.normAffine, eps: config.normEps };
  return config.norm === "rms" ? new RMSNorm(widthOf(config), seed, options) : new LayerNorm(widthOf(config), seed, options);
}

export const tokenAttention = (config: PTDiTConfig, seed: Seed): Attention =>
  new Attention(widthOf(config), config.heads, seed, { bias: config.attentionBias, qkNorm: config.qkNorm });

/** The MLP of a block: SwiGLU with three matrices of two thirds the width has about as many weights as GELU with two. */
export function blockMLP(config: PTDiTConfig, seed: Seed): MLP | GatedMLP {
  const width = widthOf(config);
  const hidden = 4 * width;
  if (config.mlp === "gelu") return new MLP({ width, hidden, out: width }, seed);
  return new GatedMLP({ width, hidden: 16 * Math.round((2 * hidden) / 3 / 16), out: width }, seed);
}
