import { ConfigError } from "../base/errors.js";
import { checkValue, keysOf, oneOf } from "../base/options.js";
import { type PTDiTConfig, ptditConfig } from "./config.js";

/** What a preset reads and predicts: colours, or the latents of an autoencoder under captions, or under classes. */
export const presetKinds = ["pixels", "latents", "classes"] as const;
export type PresetKind = (typeof presetKinds)[number];

/** A named model, what it is for, and how many parameters the paper prints for it. */
export interface Preset {
  readonly config: PTDiTConfig;
  readonly about: string;
  readonly kind: PresetKind;
  /** @units millions of parameters, as the paper prints them */
  readonly paperMillions?: number;
  /** Batch size it is usually trained with. */
  readonly batch: number;
  /** Latent side in pixels. */
  readonly side: number;
}

/** Side and batch it is usually trained with, and the model. */
const ours = (about: string, kind: PresetKind, side: number, batch: number, options: Partial<PTDiTConfig>): Preset => ({
  about,
  kind,
  side,
  batch,
  config: ptditConfig(options),
});
const paper = (about: string, paperMillions: number, options: Partial<PTDiTConfig>): Preset => ({
  about,
  kind: options.classes ? "classes" : "latents",
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
const nano = {
  heads: 4,
  headDim: 32,
  depth: 6,
  inChannels: 3,
  outChannels: 3,
  patch: 4,
  sampleSize: 32,
  captionChannels: 64,
  window: [1, 2, 2],
} as const;
const workload = { patch: 2, captionChannels: 128 } as const;

/** Ours, the benchmark's, and the paper's (v2, appendix; the published text-to-image model last), by names that differ by more
 *  than their case: run folders are named after them. */
const named = {
  nano: ours("32-pixel pictures in minutes on a laptop: the quick start", "pixels", 32, 16, nano),
  modern: ours("nano with normalised queries and keys, RMS norms and SwiGLU", "pixels", 32, 16, {
    ...nano,
    qkNorm: true,
    norm: "rms",
    mlp: "swiglu",
  }),
  tiny: ours("benchmark workload", "pixels", 32, 16, {
    ...workload,
    heads: 2,
    headDim: 32,
    depth: 4,
    inChannels: 3,
    outChannels: 6,
    sampleSize: 32,
    window: [1, 4, 4],
  }),
  small: ours("benchmark workload", "latents", 32, 8, {
    ...workload,
    heads: 8,
    headDim: 32,
    depth: 6,
    inChannels: 4,
    outChannels: 8,
    sampleSize: 32,
    window: [1, 4, 4],
  }),
  medium: ours("benchmark workload", "latents", 32, 8, {
    ...workload,
    heads: 6,
    headDim: 64,
    depth: 12,
    inChannels: 4,
    outChannels: 8,
    sampleSize: 32,
    window: [1, 2, 2],
  }),
  long: ours("benchmark workload", "latents", 128, 1, {
    ...workload,
    heads: 8,
    headDim: 32,
    depth: 4,
    inChannels: 4,
    outChannels: 8,
    sampleSize: 128,
    window: [1, 8, 8],
  }),
  "paper-s": paper("class-conditional, ImageNet 256", 32, {
    heads: 6,
    headDim: 48,
    depth: 10,
    captionChannels: null,
    classes: 1000,
  }),
  "paper-b": paper("text to image", 144, { heads: 10, headDim: 64, depth: 12 }),
  "paper-l": paper("text to image", 605, { heads: 12, headDim: 72, depth: 28 }),
  "paper-xl": paper("text to image", 1142, { heads: 16, headDim: 72, depth: 28 }),
  "paper-h": paper("text to image, video, multi-view", 1795, { heads: 20, headDim: 72, depth: 30 }),
  "paper-t2i": paper("the published text-to-image checkpoint", 1142, {
    heads: 16,
    headDim: 72,
    depth: 28,
    sampleSize: 64,
    window: [1, 8, 8],
  }),
} as const satisfies Readonly<Record<string, Preset>>;

export type PresetName = keyof typeof named;

/** Names of the presets. */
export const presetNames = keysOf(named);

/** Short names, as benchmarks and the paper have them. */
export const presetAliases = {
  s: "medium",
  S: "paper-s",
  B: "paper-b",
  L: "paper-l",
  XL: "paper-xl",
  H: "paper-h",
  T2I: "paper-t2i",
} as const satisfies Readonly<Record<string, PresetName>>;

export type PresetAlias = keyof typeof presetAliases;

/** All presets, by their names and by their short names. */
export const presets: Readonly<Record<PresetName | PresetAlias, Preset>> = {
  ...named,
  ...(Object.fromEntries(Object.entries(presetAliases).map(([alias, name]) => [alias, named[name]])) as Record<
    PresetAlias,
    Preset
  >),
};

/** The name of the preset that a name or a short name stands for.
 *  @throws ConfigError listing the names */
export function presetNameOf(name: string): PresetName {
  if (Object.hasOwn(presetAliases, name)) return presetAliases[name as PresetAlias];
  if (Object.hasOwn(named, name)) return name as PresetName;
  const known = presetNames.map((own) => {
    const alias = Object.entries(presetAliases).find(([, of]) => of === own)?.[0];
    return alias ? `${own} (or ${alias})` : own;
  });
  throw new ConfigError(`preset: unknown preset "${name}". Known: ${known.join(", ")}.`);
}

/** A preset by name.
 *  @throws ConfigError listing the names */
export const presetOf = (name: string): Preset => named[presetNameOf(name)];

/** Names of the presets of a kind. */
export const presetsFor = (kind: PresetKind): PresetName[] => presetNames.filter((name) => presets[name].kind === kind);

/** A preset by name, if it is of this kind.
 *  @throws ConfigError listing those that are */
export function presetFor(name: string, kind: PresetKind): Preset {
  checkValue("preset", "the kind", kind, oneOf(...presetKinds));
  const preset = presetOf(name);
  if (preset.kind === kind) return preset;
  const { inChannels, classes } = preset.config;
  const latents = `latents of ${inChannels} channels`;
  const own = { pixels: "pixels", latents, classes: `${latents} of ${classes} classes` }[preset.kind];
  throw new ConfigError(
    `preset: ${presetNameOf(name)} is a model of ${own}. For ${kind} choose ${presetsFor(kind)
      .join(", ")
      .replace(/, ([^,]+)$/, " or $1")}.`,
  );
}
