import { ConfigError } from "../base/errors.js";
import { type PTDiTConfig, ptditConfig } from "./config.js";

/** A named model, what it is for, and how many parameters the paper prints for it. */
export interface Preset {
  readonly config: PTDiTConfig;
  readonly about: string;
  /** @units millions of parameters, as the paper prints them */
  readonly paperMillions?: number;
  /** Batch size it is usually trained with. */
  readonly batch: number;
  /** Latent side in pixels. */
  readonly side: number;
}

const ours = (about: string, side: number, batch: number, options: Partial<PTDiTConfig>): Preset => ({
  about,
  side,
  batch,
  config: ptditConfig(options),
});
const paper = (about: string, paperMillions: number, options: Partial<PTDiTConfig>): Preset => ({
  about,
  paperMillions,
  batch: 256,
  side: 32,
  config: ptditConfig({
    patch: 2,
    sampleSize: 32,
    inChannels: 4,
    outChannels: 8,
    captionChannels: 4096,
    window: [1, 2, 2],
    ...options,
  }),
});
const workload = { patch: 2, captionChannels: 128 } as const;

/** Ours, the benchmark's, and the paper's (v2, appendix; the published text-to-image model last). */
export const presets = {
  nano: ours("32-pixel pictures in minutes on a laptop: the quick start", 32, 16, {
    heads: 4,
    headDim: 32,
    depth: 6,
    inChannels: 3,
    outChannels: 3,
    patch: 4,
    sampleSize: 32,
    captionChannels: 64,
    window: [1, 2, 2],
  }),
  tiny: ours("benchmark workload", 32, 16, {
    ...workload,
    heads: 2,
    headDim: 32,
    depth: 4,
    inChannels: 3,
    outChannels: 6,
    sampleSize: 32,
    window: [1, 4, 4],
  }),
  small: ours("benchmark workload", 32, 8, {
    ...workload,
    heads: 8,
    headDim: 32,
    depth: 6,
    inChannels: 4,
    outChannels: 8,
    sampleSize: 32,
    window: [1, 4, 4],
  }),
  s: ours("benchmark workload", 32, 8, {
    ...workload,
    heads: 6,
    headDim: 64,
    depth: 12,
    inChannels: 4,
    outChannels: 8,
    sampleSize: 32,
    window: [1, 2, 2],
  }),
  long: ours("benchmark workload", 128, 1, {
    ...workload,
    heads: 8,
    headDim: 32,
    depth: 4,
    inChannels: 4,
    outChannels: 8,
    sampleSize: 128,
    window: [1, 8, 8],
  }),
  S: paper("class-conditional, ImageNet 256", 32, { heads: 6, headDim: 48, depth: 10, captionChannels: null, classes: 1000 }),
  B: paper("text to image", 144, { heads: 10, headDim: 64, depth: 12 }),
  L: paper("text to image", 605, { heads: 12, headDim: 72, depth: 28 }),
  XL: paper("text to image", 1142, { heads: 16, headDim: 72, depth: 28 }),
  H: paper("text to image, video, multi-view", 1795, { heads: 20, headDim: 72, depth: 30 }),
  T2I: paper("the published text-to-image checkpoint", 1142, {
    heads: 16,
    headDim: 72,
    depth: 28,
    sampleSize: 64,
    window: [1, 8, 8],
  }),
} as const satisfies Readonly<Record<string, Preset>>;

export type PresetName = keyof typeof presets;

/** A preset by name.
 *  @throws ConfigError listing the names */
export function presetOf(name: string): Preset {
  if (Object.hasOwn(presets, name)) return presets[name as PresetName];
  throw new ConfigError(`preset: unknown preset "${name}". Known: ${Object.keys(presets).join(", ")}.`);
}
