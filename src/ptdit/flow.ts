/** What the model learns and how a sample flows from noise to data. u in 0..1 is the part of noise; the model is given t = 1000 u. */

import { slice } from "../autograd/ops/copy.js";
import { add, cos, div, mul, sigmoid, sin, square, sub } from "../autograd/ops/elementwise.js";
import { randomNormal } from "../autograd/ops/random.js";
import { mean } from "../autograd/ops/reduce.js";
import { reshape } from "../autograd/ops/reshape.js";
import { checkTensors, type Tensor } from "../autograd/tensor.js";
import { ConfigError } from "../base/errors.js";
import { checkOptions, checkValue, finite, needed, object, oneOf, part, positive, type Rules, whole } from "../base/options.js";

/** `flow`: x_t = (1-u) x₀ + u ε, the model predicts x₀ - ε. `v` and `epsilon`: x_t = cos φ x₀ + sin φ ε, φ = πu/2, and the model
 *  predicts v = cos φ ε - sin φ x₀, or ε. */
export type Prediction = "flow" | "v" | "epsilon";

export interface FlowConfig {
  readonly prediction: Prediction;
  /** Mean and standard deviation of the normal number whose sigmoid is u (logit-normal timesteps). */
  readonly loc: number;
  readonly scale: number;
  /** Ratio r of the timestep transform u' = r u / (1 + (r-1) u): above 1 it dwells on noise. */
  readonly ratio: number;
}

const predictionRule = needed(oneOf("flow", "v", "epsilon"));
const flowRules: Rules<FlowConfig> = {
  prediction: predictionRule,
  loc: needed(finite),
  scale: needed(positive),
  ratio: needed(positive),
};

/** @throws ConfigError when a setting is unknown or out of its range */
export function flowConfig(options: Partial<FlowConfig> = {}): FlowConfig {
  checkValue("flow", "the configuration", options, object);
  const config = { prediction: "flow" as Prediction, loc: 0, scale: 1, ratio: 4, ...options };
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

function checkPath(where: string, tensors: Readonly<Record<string, Tensor>>, prediction: Prediction): void {
  checkTensors(where, tensors);
  checkValue(where, "prediction", prediction, predictionRule);
}

/** One vector a sample as [B, 1, ...] beside x. */
const perSample = (v: Tensor, x: Tensor): Tensor => reshape(v, [v.size, ...x.shape.slice(1).map(() => 1)]);

/** Angle φ = πu/2 of the variance-preserving path. */
const angle = (u: Tensor): Tensor => mul(u, Math.PI / 2);

/** Draws u for every sample: logit-normal, then the timestep transform. @shape -> [B] in 0..1 */
export function drawTimes(batch: number, flow: FlowConfig, random: { seed: number; stream: number }): Tensor {
  const { loc, scale, ratio } = flowConfig(flow);
  const u = sigmoid(add(mul(randomNormal([batch], random), scale), loc)); // [B]
  return div(mul(u, ratio), add(mul(u, ratio - 1), 1)); // [B]
}

/** The noisy sample at u. @shape x0, noise [B, ...], u [B] -> [B, ...] */
export function addNoise(x0: Tensor, noise: Tensor, u: Tensor, prediction: Prediction): Tensor {
  checkPath("addNoise", { x0, noise, u }, prediction);
  const part = perSample(u, x0);
  if (prediction === "flow") return add(mul(x0, sub(1, part)), mul(noise, part));
  return add(mul(x0, cos(angle(part))), mul(noise, sin(angle(part))));
}

/** What the model should say. @shape x0, noise [B, ...], u [B] -> [B, ...] */
export function flowTarget(x0: Tensor, noise: Tensor, u: Tensor, prediction: Prediction): Tensor {
  checkPath("flowTarget", { x0, noise, u }, prediction);
  if (prediction === "flow") return sub(x0, noise);
  if (prediction === "epsilon") return noise;
  const phi = angle(perSample(u, x0));
  return sub(mul(noise, cos(phi)), mul(x0, sin(phi)));
}

/** The first channels of the model's output are its prediction. @shape out [B, Cout, ...] -> [B, C, ...] */
export const predicted = (out: Tensor, channels: number): Tensor => slice(out, 1, 0, channels);

/** Mean square error of every sample. @shape prediction, target [B, ...] -> [B] */
export function sampleLosses(prediction: Tensor, target: Tensor): Tensor {
  checkTensors("sampleLosses", { prediction, target });
  const [batch] = target.shape as [number];
  return mean(reshape(square(sub(prediction, target)), [batch, -1]), 1);
}

/** A step's size along the path's own parameter: -u for a flow, the angle φ otherwise. @units u before and after */
export function pathStep(from: number, to: number, prediction: Prediction): number {
  checkOptions("pathStep", { from, to, prediction }, { from: needed(part), to: needed(part), prediction: predictionRule });
  return prediction === "flow" ? from - to : ((to - from) * Math.PI) / 2;
}

/** Derivative of the path that a prediction stands for: x₀ - ε for a flow (with respect to -u), dz/dφ = v otherwise.
 *  @shape z, prediction [B, ...], u [B] -> [B, ...] */
export function pathVelocity(z: Tensor, prediction: Tensor, u: Tensor, kind: Prediction): Tensor {
  checkPath("pathVelocity", { z, prediction, u }, kind);
  if (kind !== "epsilon") return prediction;
  const phi = angle(perSample(u, z));
  const x0 = div(sub(z, mul(prediction, sin(phi))), cos(phi));
  return sub(mul(prediction, cos(phi)), mul(x0, sin(phi)));
}
