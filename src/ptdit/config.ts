import { ConfigError } from "../base/errors.js";
import {
  checkOptions,
  checkValue,
  either,
  flag,
  needed,
  notNegative,
  object,
  oneOf,
  type Rules,
  show,
  triple,
  whole,
} from "../base/options.js";
import { type Mixing, mixingNames } from "./mixing.js";
import type { ProxyGrouping, Triple } from "./windows.js";

/** Errors of the released code that can be reproduced on purpose. */
export const compatFlags = ["tile_timestep", "pe_transposed"] as const;
export type CompatFlag = (typeof compatFlags)[number];

/** Everything that shapes a PT-DiT. Sizes of grids and windows are [frames, rows, columns] in tokens. */
export interface PTDiTConfig {
  readonly heads: number;
  readonly headDim: number;
  readonly depth: number;
  readonly inChannels: number;
  /** Channels predicted; those beyond `inChannels` (a variance, by heritage) are never used. */
  readonly outChannels: number;
  /** Side of a patch, in latent pixels. */
  readonly patch: number;
  /** Pixels that a token reads and writes beyond each border of its patch: with more than 0 pictures have no seams. */
  readonly overlap: number;
  /** Latent side the model is made for: positions are scaled by its 64ths. */
  readonly sampleSize: number;
  /** Width of a caption token; null: no text branch. */
  readonly captionChannels: number | null;
  /** Whether the mean of the caption's tokens conditions all blocks beside the timestep. */
  readonly pooledCaption: boolean;
  /** Hidden width of the MLP that the mean goes through; 0: one linear layer. */
  readonly pooledHidden: number;
  /** Classes of a class-conditional model; 0: none. */
  readonly classes: number;
  readonly window: Triple;
  /** Tokens a proxy stands for; equal to `window` for one proxy a window. */
  readonly proxyWindow: Triple;
  readonly proxyMode: "mean" | "first" | "random";
  readonly proxyGrouping: ProxyGrouping;
  /** How tokens see each other: `proxy` is PT-DiT (see `mixings`). */
  readonly mixing: Mixing;
  /** How tokens read the proxies: cross-attention, each token its own proxy (`linear`), or bilinear interpolation of the proxies' grid. */
  readonly injection: "crossAttention" | "linear" | "interpolation";
  readonly attentionBias: boolean;
  /** Whether queries and keys are normalised, head by head: attention cannot become ever sharper. */
  readonly qkNorm: boolean;
  /** How tokens are normalised: to mean 0 and variance 1, or to a mean square of 1. */
  readonly norm: "layer" | "rms";
  readonly normEps: number;
  readonly normAffine: boolean;
  /** The block's last branch: two layers with GELU between, or as many weights in a gated SwiGLU. */
  readonly mlp: "gelu" | "swiglu";
  /** Conditions on resolution and aspect ratio. */
  readonly sizeConditions: boolean;
  readonly compat: readonly CompatFlag[];
}

export function widthOf(config: Pick<PTDiTConfig, "heads" | "headDim">): number {
  checkValue("config", "the configuration", config, object);
  return config.heads * config.headDim;
}

const defaults: PTDiTConfig = {
  heads: 4,
  headDim: 32,
  depth: 6,
  inChannels: 3,
  outChannels: 3,
  patch: 2,
  overlap: 0,
  sampleSize: 32,
  captionChannels: 64,
  pooledCaption: false,
  pooledHidden: 0,
  classes: 0,
  window: [1, 2, 2],
  proxyWindow: [1, 2, 2],
  proxyMode: "mean",
  proxyGrouping: "strided",
  mixing: "proxy",
  injection: "crossAttention",
  attentionBias: true,
  qkNorm: false,
  norm: "layer",
  normEps: 1e-6,
  normAffine: false,
  mlp: "gelu",
  sizeConditions: false,
  compat: [],
};

const size = needed(whole(1));
const rules: Rules<PTDiTConfig> = {
  heads: size,
  headDim: size,
  depth: size,
  inChannels: size,
  outChannels: size,
  patch: size,
  overlap: needed(whole(0)),
  sampleSize: size,
  captionChannels: needed(either(whole(1), { text: "null", holds: (value) => value === null })),
  pooledCaption: needed(flag),
  pooledHidden: needed(whole(0)),
  classes: needed(whole(0)),
  window: needed(triple),
  proxyWindow: needed(triple),
  proxyMode: needed(oneOf("mean", "first", "random")),
  proxyGrouping: needed(oneOf("block", "strided")),
  mixing: needed(oneOf(...mixingNames)),
  injection: needed(oneOf("crossAttention", "linear", "interpolation")),
  attentionBias: needed(flag),
  qkNorm: needed(flag),
  norm: needed(oneOf("layer", "rms")),
  normEps: needed(notNegative),
  normAffine: needed(flag),
  mlp: needed(oneOf("gelu", "swiglu")),
  sizeConditions: needed(flag),
  compat: needed({
    text: `a list of ${compatFlags.join(", ")}`,
    holds: (value) => Array.isArray(value) && value.every((one) => compatFlags.includes(one)),
  }),
};

/**
 * A complete, checked configuration. The proxy window follows the window unless it is given.
 * @throws ConfigError naming the setting, its value and the rule
 */
export function ptditConfig(options: Partial<PTDiTConfig> = {}): PTDiTConfig {
  checkValue("config", "the configuration", options, object);
  const config = { ...defaults, ...options, proxyWindow: options.proxyWindow ?? options.window ?? defaults.proxyWindow };
  checkOptions("config", config, rules);
  if (widthOf(config) % 16 !== 0) {
    throw new ConfigError(
      `config: the width heads x headDim = ${widthOf(config)} must be a multiple of 16, for the position table.`,
    );
  }
  if (config.outChannels < config.inChannels) {
    throw new ConfigError(
      `config: outChannels ${config.outChannels} must be at least inChannels ${config.inChannels}: the first of them are the prediction.`,
    );
  }
  if (config.sizeConditions && widthOf(config) % 3 !== 0) {
    throw new ConfigError(`config: size conditions need a width divisible by 3, got ${widthOf(config)}.`);
  }
  if (config.pooledCaption && config.captionChannels === null)
    throw new ConfigError(
      "config: pooledCaption needs captions, but captionChannels is null. Give their width, or leave it off.",
    );
  return config;
}

/** The authors' configuration names, as fixtures and their checkpoints spell them. */
interface ReleasedConfig {
  readonly num_heads: number;
  readonly head_dim: number;
  readonly num_layers: number;
  readonly in_channels: number;
  readonly out_channels: number;
  readonly patch_size: number;
  readonly sample_size: number;
  readonly caption_channels: number | null;
  readonly num_classes: number;
  readonly compress_ratios: Triple;
  readonly proxy_compress_ratios: Triple;
  readonly shift_window: boolean;
  readonly attention_bias: boolean;
  readonly norm_eps: number;
  readonly norm_elementwise_affine: boolean;
  readonly proxy_mode: PTDiTConfig["proxyMode"];
  readonly proxy_grouping: ProxyGrouping;
  readonly size_conditions: boolean;
  readonly compat: readonly CompatFlag[];
}

/** A configuration from its released spelling.
 *  @throws ConfigError when a setting is missing or wrong: released defaults are never assumed */
export function fromReleasedConfig(json: unknown): PTDiTConfig {
  if (typeof json !== "object" || json === null) throw new ConfigError(`config: expected an object, got ${show(json)}.`);
  const needed = [
    "num_heads",
    "head_dim",
    "num_layers",
    "in_channels",
    "out_channels",
    "patch_size",
    "sample_size",
    "compress_ratios",
  ];
  for (const name of needed)
    if (!(name in json))
      throw new ConfigError(`config: "${name}" is missing. Released defaults are not assumed; give every setting.`);
  const c = json as ReleasedConfig;
  if (!Array.isArray(c.compress_ratios) || (c.proxy_compress_ratios !== undefined && !Array.isArray(c.proxy_compress_ratios))) {
    throw new ConfigError("config: compress_ratios and proxy_compress_ratios must be lists of three numbers.");
  }
  return ptditConfig({
    heads: c.num_heads,
    headDim: c.head_dim,
    depth: c.num_layers,
    inChannels: c.in_channels,
    outChannels: c.out_channels,
    patch: c.patch_size,
    sampleSize: c.sample_size,
    captionChannels: c.caption_channels ?? null,
    classes: c.num_classes ?? 0,
    window: c.compress_ratios,
    proxyWindow: c.proxy_compress_ratios ?? c.compress_ratios,
    proxyMode: c.proxy_mode ?? "mean",
    proxyGrouping: c.proxy_grouping ?? "strided",
    mixing: (c.shift_window ?? true) ? "proxy" : "proxyUnshifted",
    attentionBias: c.attention_bias ?? true,
    normEps: c.norm_eps ?? 1e-6,
    normAffine: c.norm_elementwise_affine ?? false,
    sizeConditions: c.size_conditions ?? false,
    compat: c.compat ?? [],
  });
}
