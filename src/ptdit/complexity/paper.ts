/** What the paper counts, each model and size once, beside the figure that it prints. */
import { ConfigError } from "../../base/errors.js";
import { checkValue, whole } from "../../base/options.js";
import { PTDiT } from "../model.js";
import { type PresetAlias, presets } from "../presets.js";
import type { Triple } from "../windows.js";
import { complexity } from "./complexity.js";
import type { Complexity } from "./counts.js";
import { type RivalName, rivalComplexity, rivals } from "./rivals.js";

/** A model at a size. */
export interface PaperCase {
  /** A preset of the paper's, or a rival. */
  readonly model: PresetAlias | RivalName;
  readonly pixels: number;
  /** Latent frames; 1: a picture. */
  readonly frames: number;
  /** What the paper prints. @units 10^9 */
  readonly printed?: number;
}

/** Latent frames of a window: a video has proxies of four. */
export const windowFrames = (frames: number): number => (frames === 1 ? 1 : 4);
/** Pixels of a picture to one of the autoencoder's latents, and to a token: patches are 2 × 2. */
export const latentPixels = 8;
const tokenPixels = 2 * latentPixels;
/** Windows along a side of the picture, whatever its size. */
const windowsASide = 8;

/** The latents of a picture or a video, behind the autoencoder.
 *  @units pixels of the picture, latent frames
 *  @throws ConfigError unless the side is whole tokens */
export function latentsOf(pixels: number, frames = 1): Triple {
  checkValue("complexity", "the side", pixels, {
    text: `a whole number of tokens of ${tokenPixels} pixels`,
    holds: (value) => whole(1).holds(Number(value) / tokenPixels),
  });
  checkValue("complexity", "the latent frames", frames, whole(1));
  return [frames, pixels / latentPixels, pixels / latentPixels];
}

/** The window that the paper takes at a size: 64 windows a frame, 4 latent frames.
 *  @shape -> [F, H, W] in tokens
 *  @throws ConfigError where the paper's rule gives no whole window */
export function paperWindow(pixels: number, frames = 1): Triple {
  const [, side] = latentsOf(pixels, frames);
  const own = side / 2 / windowsASide;
  if (!Number.isInteger(own))
    throw new ConfigError(
      `complexity: ${pixels} pixels are ${side / 2} tokens a side, which are not ${windowsASide} equal windows as in the paper. Give a window.`,
    );
  return [windowFrames(frames), own, own];
}

const series = (
  model: PaperCase["model"],
  frames: number,
  sizes: Readonly<Record<number, number | null>>,
): readonly PaperCase[] =>
  Object.entries(sizes).map(([pixels, printed]) => ({
    ...{ model, pixels: Number(pixels), frames },
    ...(printed !== null && { printed }),
  }));

/** @source Qihoo-T2X (arXiv 2409.04005v2), the figures of its charts; those of PT-DiT belong to the graph that they fit */
export const paperCases: readonly PaperCase[] = [
  ...series("S", 1, { 256: null }),
  ...series("B", 1, { 256: null, 512: 86.1, 1024: 334.2 }),
  ...series("L", 1, { 256: 101.7, 512: 366.1, 1024: 1423.9, 2048: 5664.9 }),
  ...series("XL", 1, { 256: null, 512: null, 1024: null, 2048: null }),
  ...series("H", 1, { 256: 302.1, 512: 1089.1, 1024: 4236.9, 2048: 16_828.3 }),
  ...series("XL", 8, { 256: null }),
  ...series("XL", 48, { 256: 7701.7, 512: 30_264.2, 1024: 120_514 }),
  ...series("H", 48, { 1024: 201_764.7 }),
  ...series("ptdit-profiled-b", 1, { 256: null, 512: 86.1, 1024: 334.2, 2048: null }),
  ...series("ptdit-profiled-l", 1, { 256: 101.7, 512: 366.1, 1024: 1423.9, 2048: 5664.9 }),
  ...series("ptdit-profiled-h", 1, { 256: 302.1, 512: 1089.1, 1024: 4236.9, 2048: 16_828.3 }),
  ...series("ptdit-profiled-xl", 48, { 256: 7701.7, 512: 30_264.2, 1024: 120_514 }),
  ...series("ptdit-profiled-h", 48, { 256: null, 512: null, 1024: 201_764.7 }),
  ...series("dit-s", 1, { 256: null }),
  ...series("dit-b", 1, { 256: null, 512: 106.1, 1024: 650.5, 2048: null }),
  ...series("dit-l", 1, { 256: null }),
  ...series("dit-xl", 1, { 256: null, 512: null }),
  ...series("dam-s", 1, { 256: null }),
  ...series("dam-b", 1, { 256: 22.5, 512: 90, 1024: 360.1 }),
  ...series("pixart-alpha", 1, { 256: 142.8, 512: 542.5, 1024: 2141.2, 2048: 8536.1 }),
  ...series("lumina-next", 1, { 256: 1513.9, 512: 6061.5, 1024: 24_027.7, 2048: 96_069.1 }),
  ...series("lumina-next-diffusers", 1, { 256: 1513.9, 512: 6061.5, 1024: 24_027.7, 2048: 96_069.1 }),
  ...series("cogvideox-2b", 48, { 256: 16_624.3, 512: 65_590.2, 1024: 261_454.3 }),
  ...series("cogvideox-5b", 48, { 256: null, 512: null, 1024: null }),
  ...series("easyanimate-v4", 48, { 256: null, 512: null, 1024: 244_614.1 }),
];

const isRival = (name: string): name is RivalName => Object.hasOwn(rivals, name);

/** Counts a case: PT-DiT with the paper's windows, every model with the tokens of text that it usually has.
 *  @throws ConfigError as `complexity` and `rivalComplexity` */
export function countCase({ model, pixels, frames }: Pick<PaperCase, "model" | "pixels" | "frames">): Complexity {
  checkValue("complexity", "the model", model, {
    text: "a preset or a rival",
    holds: (name) => Object.hasOwn(presets, String(name)) || isRival(String(name)),
  });
  const latents = latentsOf(pixels, frames);
  if (isRival(model))
    return rivalComplexity(model, { latents, ...(rivals[model].windows && { window: paperWindow(pixels, frames) }) });
  const window = paperWindow(pixels, frames);
  return complexity(new PTDiT({ ...presets[model].config, window, proxyWindow: window }), { latents });
}
