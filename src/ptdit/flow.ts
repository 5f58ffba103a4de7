/** What the model learns and how a sample flows from noise to data. u in 0..1 is the part of noise; the model is given t = 1000 u. */

import { slice } from "../autograd/ops/copy.js";
import { add, div, mul, sigmoid } from "../autograd/ops/elementwise.js";
import { randomNormal } from "../autograd/ops/random.js";
import type { Tensor } from "../autograd/tensor.js";
import { ConfigError } from "../base/errors.js";
import {
  checkOptions,
  checkValue,
  finite,
  flag,
  needed,
  object,
  oneOf,
  part,
  positive,
  type Rules,
  seedRule,
  whole,
} from "../base/options.js";
import { stratifiedNormal } from "../nn/stratified.js";
import { type Prediction, predictions } from "./paths/index.js";

export interface FlowConfig {
  /** What the model predicts, and so the path that samples take (see `paths`). */
  readonly prediction: Prediction;
  /** Mean and standard deviation of the normal number whose sigmoid is u (logit-normal timesteps). */
  readonly loc: number;
  readonly scale: number;
  /** Ratio r of the timestep transform u' = r u / (1 + (r-1) u) in training: above 1 it dwells on noise. */
  readonly ratio: number;
  /** Ratio of the transform that spaces a sampler's steps: that of training if not given. */
  readonly sampleRatio: number;
}

const flowRules: Rules<FlowConfig> = {
  prediction: needed(oneOf(...predictions)),
  loc: needed(finite),
  scale: needed(positive),
  ratio: needed(positive),
  sampleRatio: needed(positive),
};

/** @throws ConfigError when a setting is unknown or out of its range */
export function flowConfig(options: Partial<FlowConfig> = {}): FlowConfig {
  checkValue("flow", "the configuration", options, object);
  const { ratio = 4 } = options;
  const config: FlowConfig = { prediction: "flow", loc: 0, scale: 1, ratio, sampleRatio: ratio, ...options };
  checkOptions("flow", config, flowRules);
  return config;
}

/**
 * Ratio of the timestep transform for pictures of this size behind an 8x VAE.
 * @units height, width in pixels; frames of the video, 1 for a picture
 * @throws ConfigError for 2 to 16 frames, where the released rule gives 0
 * @source the authors' released flow; step 14 of the architecture
 */
export function resolutionRatio(height: number, width: number, frames = 1, transformScale = 1): number {
  const sizes = { height, width, frames, transformScale };
  checkOptions("flow", sizes, { height: positive, width: positive, frames: whole(1), transformScale: positive });
  const latentFrames = frames === 1 ? 1 : Math.floor(frames / 17) * 5;
  if (latentFrames < 1)
    throw new ConfigError(
      `flow: the timestep transform has no meaning for ${frames} frames (2 to 16 give 0). Use 1, or 17 and more.`,
    );
  return Math.sqrt((height * width) / 512 ** 2) * Math.sqrt(latentFrames) * transformScale;
}

/** u' = r u / (1 + (r-1) u). */
export function transformTime(u: number, ratio: number): number {
  checkValue("flow", "u", u, part);
  checkValue("flow", "ratio", ratio, positive);
  return (ratio * u) / (1 + (ratio - 1) * u);
}

/** Times of a sampler: steps + 1 values of u from 1 down to 0, equally spaced before the transform.
 *  @units u, the part of noise */
export function sampleTimes(steps: number, ratio: number): number[] {
  checkValue("sampler", "steps", steps, whole(1));
  checkValue("sampler", "the ratio", ratio, positive);
  return [...Array.from({ length: steps }, (_, i) => transformTime(1 - i / steps, ratio)), 0];
}

/** How times are drawn. */
export interface TimeOptions {
  readonly seed: number;
  readonly stream: number;
  /** One of every B-th part of the distribution: each batch sees all of it. Else each sample's is drawn by itself. */
  readonly stratified?: boolean;
}

const timeRules: Rules<TimeOptions> = { seed: needed(seedRule), stream: needed(whole(0)), stratified: flag };

/** Draws u for every sample: logit-normal, then the timestep transform. @shape -> [B] in 0..1 */
export function drawTimes(batch: number, flow: FlowConfig, options: TimeOptions): Tensor {
  checkOptions("drawTimes", options, timeRules);
  const { stratified = false, ...random } = options;
  const { loc, scale, ratio } = flowConfig(flow);
  const normal = stratified ? stratifiedNormal(batch, random) : randomNormal([batch], random); // [B]
  const u = sigmoid(add(mul(normal, scale), loc)); // [B]
  return div(mul(u, ratio), add(mul(u, ratio - 1), 1)); // [B]
}

/** The first channels of the model's output are its prediction. @shape out [B, Cout, ...] -> [B, C, ...] */
export const predicted = (out: Tensor, channels: number): Tensor => slice(out, 1, 0, channels);
