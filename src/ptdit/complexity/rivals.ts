/** The models that the paper compares itself with, as lists of shapes, and the graph that its own figures fit. */
import { ConfigError } from "../../base/errors.js";
import { checkNames, checkOptions, keysOf, needed, type Rules, triple, whole } from "../../base/options.js";
import type { Triple } from "../windows.js";
import type { Complexity } from "./counts.js";
import { ShapeList } from "./shapeList.js";

/** What a rival is given. */
export interface RivalInputs {
  /** Frames, rows and columns of the latents. */
  readonly latents: Triple;
  /** Tokens of the caption, of all encoders together; the model's usual ones if not given. */
  readonly textTokens?: number;
  /** Frames, rows and columns of a window in tokens: of PT-DiT's profiled graph alone. */
  readonly window?: Triple;
}

/** The same, ready to be counted. */
interface RivalSizes {
  /** Frames, rows and columns of tokens. */
  readonly grid: Triple;
  readonly textTokens: number;
  readonly window: Triple;
}

/** A model known by its shapes. */
export interface Rival {
  readonly title: string;
  /** Whether it makes videos; others have one frame. */
  readonly video: boolean;
  /** Tokens of its caption where nothing else is said; 0: it reads none. */
  readonly textTokens: number;
  readonly source: string;
  /** What is not known for certain. */
  readonly uncertain?: string;
  /** What another count may leave out. */
  readonly note?: string;
  /** Whether it has windows. */
  readonly windows?: true;
  readonly count: (sizes: RivalSizes) => Complexity;
}

/** Width of the sinusoidal features of a timestep. */
const features = 256;
/** Numbers of a patch of 2 × 2. */
const patchOf = (channels: number): number => 4 * channels;
/** Classes of ImageNet, and "no class". */
const classTable = 1001;

/** How many tokens a grid has. */
const tokensOf = ([frames, rows, columns]: Triple): number => frames * rows * columns;

interface Sizes {
  readonly depth: number;
  readonly width: number;
  readonly heads: number;
}

/** DiT, and with mediators DAM: both are conditioned by class, with a modulation of its own in every block. */
function classConditional({ depth, width: d, heads }: Sizes, { grid }: RivalSizes, mediators?: number): Complexity {
  const n = tokensOf(grid);
  const list = new ShapeList()
    .convolution("patchEmbed", n, patchOf(4), d)
    .linear("conditioning", 1, features, d)
    .linear("conditioning", 1, d, d)
    .weights(classTable * d)
    .linear("blocks", 1, d, 6 * d, { times: depth })
    .norm("blocks", n, d, { times: 2 * depth, weights: 0 })
    .linear("blocks", n, d, 3 * d, { times: depth })
    .linear("blocks", n, d, d, { times: depth })
    .linear("blocks", n, d, 4 * d, { times: depth })
    .linear("blocks", n, 4 * d, d, { times: depth })
    .linear("final", 1, d, 2 * d)
    .norm("final", n, d, { weights: 0 })
    .linear("final", n, d, patchOf(8));
  if (mediators === undefined) return list.attention("blocks", n, n, d, depth).counted();
  const [, rows, columns] = grid;
  // Biases of attention: two maps of 7 × 7 and two pairs of a row and a column, a head and mediator.
  const biases = 2 * heads * mediators * (7 * 7 + rows + columns);
  return list
    .attention("blocks", mediators, n, d, depth)
    .attention("blocks", n, mediators, d, depth)
    .convolution("blocks", n, 3 * 3, d, depth)
    .weights(depth * biases)
    .counted();
}

/** @source chen2023pixart: PixArt-alpha 0.6B */
function pixArt({ grid, textTokens }: RivalSizes): Complexity {
  const [n, t, d, depth] = [tokensOf(grid), textTokens, 1152, 28];
  return adaLNSingle(new ShapeList(), n, t, d, depth)
    .norm("blocks", n, d, { times: 2 * depth, weights: 0 })
    .linear("blocks", n, d, d, { times: 6 * depth })
    .linear("blocks", t, d, d, { times: 2 * depth })
    .linear("blocks", n, d, 4 * d, { times: depth })
    .linear("blocks", n, 4 * d, d, { times: depth })
    .attention("blocks", n, n, d, depth)
    .attention("blocks", n, t, d, depth)
    .counted();
}

/** What PixArt-alpha has around its blocks, and PT-DiT too. */
function adaLNSingle(list: ShapeList, n: number, t: number, d: number, depth: number): ShapeList {
  return list
    .convolution("patchEmbed", n, patchOf(4), d)
    .linear("conditioning", 1, features, d)
    .linear("conditioning", 1, d, d)
    .linear("conditioning", 1, d, 6 * d)
    .linear("caption", t, 4096, d)
    .linear("caption", t, d, d)
    .weights(depth * 6 * d + 2 * d)
    .norm("final", n, d, { weights: 0 })
    .linear("final", n, d, patchOf(8));
}

/** Lumina-Next 2B with grouped queries. Diffusers' text branch has a query layer and its norm of its own. */
function luminaNext({ grid, textTokens: t }: RivalSizes, ownQueries: boolean): Complexity {
  const n = tokensOf(grid);
  const [depth, d, keys, hidden, text, conditioning] = [24, 2304, 576, 6144, 2048, 1024];
  const plain = { bias: false, times: depth };
  const list = new ShapeList()
    .linear("patchEmbed", n, patchOf(4), d)
    .weights(d) // the padding token
    .linear("conditioning", 1, features, conditioning)
    .linear("conditioning", 1, conditioning, conditioning)
    .norm("conditioning", 1, text)
    .linear("conditioning", 1, text, conditioning)
    .linear("blocks", 1, conditioning, 4 * d, { times: depth })
    .norm("blocks", n, d, { times: 4 * depth, kind: "rms" })
    .norm("blocks", t, text, { times: depth, kind: "rms" })
    .linear("blocks", n, d, d, plain)
    .linear("blocks", n, d, keys, { bias: false, times: 2 * depth })
    .norm("blocks", n, d, { times: depth })
    .norm("blocks", n, keys, { times: depth })
    .linear("blocks", t, text, keys, { bias: false, times: 2 * depth })
    .norm("blocks", t, keys, { times: depth })
    .weights(depth * 32) // a gate a head
    .linear("blocks", n, d, d, plain)
    .linear("blocks", n, d, hidden, { bias: false, times: 2 * depth })
    .linear("blocks", n, hidden, d, plain)
    .attention("blocks", n, n, d, depth)
    .attention("blocks", n, t, d, depth)
    .linear("final", 1, conditioning, d)
    .norm("final", n, d, { weights: 0 })
    .linear("final", n, d, patchOf(8));
  return (ownQueries ? list.linear("blocks", n, d, d, plain).norm("blocks", n, d, { times: depth }) : list).counted();
}

/** CogVideoX: text and video run through every layer side by side. */
function cogVideoX({ depth, width: d }: Sizes, { grid, textTokens: t }: RivalSizes, ownNorm: boolean): Complexity {
  const n = tokensOf(grid);
  const [both, time, head] = [n + t, 512, 64];
  const list = new ShapeList()
    .convolution("patchEmbed", n, patchOf(16), d)
    .linear("caption", t, 4096, d)
    .linear("conditioning", 1, d, time)
    .linear("conditioning", 1, time, time)
    .linear("blocks", 1, time, 6 * d, { times: 2 * depth })
    .norm("blocks", both, d, { times: 2 * depth })
    .linear("blocks", both, d, d, { times: 4 * depth })
    .norm("blocks", both, d, { times: 2 * depth, weights: head })
    .linear("blocks", both, d, 4 * d, { times: depth })
    .linear("blocks", both, 4 * d, d, { times: depth })
    .attention("blocks", both, both, d, depth)
    .norm("final", ownNorm ? n : both, d)
    .linear("final", 1, time, 2 * d)
    .norm("final", n, d)
    .linear("final", n, d, patchOf(16));
  return list.counted();
}

/** EasyAnimate V4, text to video: HunyuanDiT's blocks over all frames, the second half with long skips. */
function easyAnimate({ grid, textTokens: t }: RivalSizes): Complexity {
  const n = tokensOf(grid);
  const [depth, d, head, hidden, text, t5] = [40, 1408, 88, 6144, 1024, 2048];
  const clipTokens = 77;
  const t5Tokens = t - clipTokens;
  if (t5Tokens < 1)
    throw new ConfigError(
      `easyanimate-v4: reads ${clipTokens} tokens of CLIP and those of T5, got ${t} in all. Give more than ${clipTokens}.`,
    );
  const skips = depth / 2 - 1;
  const pooled = t5Tokens + 1;
  const extra = 6 * features + d + 1024;
  return new ShapeList()
    .convolution("patchEmbed", n, patchOf(4), d)
    .linear("caption", t5Tokens, t5, 4 * t5)
    .linear("caption", t5Tokens, 4 * t5, text)
    .weights(333 * text)
    .linear("conditioning", 1, features, d)
    .linear("conditioning", 1, d, d)
    .linear("conditioning", 1, t5, t5)
    .linear("conditioning", pooled, t5, t5, { times: 2 })
    .attention("conditioning", 1, pooled, t5)
    .linear("conditioning", 1, t5, 1024)
    .weights(257 * t5 + d) // positions of the pooled tokens, the style
    .linear("conditioning", 1, extra, 4 * d)
    .linear("conditioning", 1, 4 * d, d)
    .norm("blocks", n, d, { times: 3 * depth, kind: "own" })
    .linear("blocks", 1, d, d, { times: depth })
    .linear("blocks", n, d, d, { times: 6 * depth })
    .norm("blocks", n, d, { times: 3 * depth, weights: head })
    .linear("blocks", t, text, d, { times: 2 * depth })
    .norm("blocks", t, d, { times: depth, weights: head })
    .linear("blocks", n, d, hidden, { times: depth })
    .linear("blocks", n, hidden, d, { times: depth })
    .norm("blocks", n, 2 * d, { times: skips, kind: "own" })
    .linear("blocks", n, 2 * d, d, { times: skips })
    .attention("blocks", n, n, d, depth)
    .attention("blocks", n, t, d, depth)
    .linear("final", 1, d, 2 * d)
    .norm("final", n, d, { weights: 0 })
    .linear("final", n, d, patchOf(8))
    .counted();
}

/** The graph that the paper's figures of PT-DiT fit: one window attention a block, and matrices of the width in every second. */
function profiled({ depth, width: d }: Sizes, { grid, textTokens: t, window }: RivalSizes): Complexity {
  const [n, perWindow] = [tokensOf(grid), tokensOf(window)];
  const m = n / perWindow;
  return adaLNSingle(new ShapeList(), n, t, d, depth)
    .norm("blocks", n, d, { times: 3 * depth, weights: 0 })
    .linear("blocks", m, d, d, { times: 6 * depth })
    .linear("blocks", n, d, d, { times: 8 * depth + depth / 2 - 1 })
    .linear("blocks", t, d, d, { times: 2 * depth })
    .linear("blocks", n, d, 4 * d, { times: depth })
    .linear("blocks", n, 4 * d, d, { times: depth })
    .attention("blocks", m, m, d, depth)
    .attention("blocks", n, m, d, depth)
    .attention("blocks", n, perWindow, d, depth)
    .attention("blocks", n, t, d, depth)
    .counted();
}

const sizes = {
  s: { depth: 12, width: 384, heads: 6 },
  b: { depth: 12, width: 768, heads: 12 },
  l: { depth: 24, width: 1024, heads: 16 },
  xl: { depth: 28, width: 1152, heads: 16 },
} as const;
const paperSizes = {
  b: { depth: 12, width: 640, heads: 10 },
  l: { depth: 28, width: 864, heads: 12 },
  xl: sizes.xl,
  h: { depth: 30, width: 1440, heads: 20 },
} as const;
const cogSizes = { "2b": { depth: 30, width: 1920, heads: 30 }, "5b": { depth: 42, width: 3072, heads: 48 } } as const;

const dit = (own: Sizes, title: string): Rival => ({
  title,
  video: false,
  textTokens: 0,
  source: "facebookresearch/DiT, models.py",
  count: (inputs) => classConditional(own, inputs),
});
const dam = (own: Sizes, title: string): Rival => ({
  title,
  video: false,
  textTokens: 0,
  source: "LeapLabTHU/Attention-Mediators, attention_mediator/models.py",
  uncertain: "64 mediators are assumed for the paper's series; the pooling that makes them is not counted",
  count: (inputs) => classConditional(own, inputs, 64),
});
const lumina = (title: string, ownQueries: boolean, source: string): Rival => ({
  title,
  video: false,
  textTokens: 226,
  source,
  uncertain: "226 tokens of text are fitted to printed figures: the model takes up to 256",
  count: (inputs) => luminaNext(inputs, ownQueries),
});
const cog = (own: Sizes, title: string, ownNorm: boolean): Rival => ({
  title,
  video: true,
  textTokens: 226,
  source: "THUDM/CogVideo; diffusers, cogvideox_transformer_3d.py",
  count: (inputs) => cogVideoX(own, inputs, ownNorm),
});
const asProfiled = (own: Sizes, size: string): Rival => ({
  title: `PT-DiT/${size} as its figures fit`,
  video: true,
  textTokens: 120,
  source: "the figures of Qihoo-T2X (arXiv 2409.04005)",
  uncertain: "inferred from the printed figures: no code of it is known. Parameters are those of the products alone",
  windows: true,
  count: (inputs) => profiled(own, inputs),
});

const named = {
  "dit-s": dit(sizes.s, "DiT-S/2"),
  "dit-b": dit(sizes.b, "DiT-B/2"),
  "dit-l": dit(sizes.l, "DiT-L/2"),
  "dit-xl": dit(sizes.xl, "DiT-XL/2"),
  "dam-s": dam(sizes.s, "DAM-S/2 (SiT with mediators)"),
  "dam-b": dam(sizes.b, "DAM-B/2 (SiT with mediators)"),
  "pixart-alpha": {
    title: "PixArt-alpha",
    video: false,
    textTokens: 120,
    source: "PixArt-alpha/PixArt-alpha, diffusion/model/nets/PixArt.py",
    count: pixArt,
  },
  "lumina-next": lumina("Lumina-Next", false, "Alpha-VLLM/Lumina-T2X, nextdit.py"),
  "lumina-next-diffusers": lumina("Lumina-Next in diffusers", true, "diffusers, lumina_nextdit2d.py"),
  "cogvideox-2b": cog(cogSizes["2b"], "CogVideoX-2B", true),
  "cogvideox-5b": cog(cogSizes["5b"], "CogVideoX-5B", false),
  "easyanimate-v4": {
    title: "EasyAnimateV4, text to video",
    video: true,
    textTokens: 333,
    source: "aigc-apps/EasyAnimate, HunyuanTransformer3DModel",
    uncertain: "depth, width and hidden width are those of HunyuanDiT-g/2, which it says it builds on",
    note: "the token that pools T5's reads keys and values of all 257 tokens, 256 and their mean; without these 2 x 256 x 2048² a count is below what is printed",
    count: easyAnimate,
  },
  "ptdit-profiled-b": asProfiled(paperSizes.b, "B"),
  "ptdit-profiled-l": asProfiled(paperSizes.l, "L"),
  "ptdit-profiled-xl": asProfiled(paperSizes.xl, "XL"),
  "ptdit-profiled-h": asProfiled(paperSizes.h, "H"),
} as const satisfies Readonly<Record<string, Rival>>;

export type RivalName = keyof typeof named;

/** Names of the rivals. */
export const rivalNames = keysOf(named);

/** The paper's rivals, and PT-DiT as its figures fit, by name. */
export const rivals: Readonly<Record<RivalName, Rival>> = named;

const rules: Rules<RivalInputs> = { latents: needed(triple), textTokens: whole(1), window: triple };

/**
 * Counts one forward pass of one sample of a rival.
 * @shape latents [F, H, W], patches of 2 × 2
 * @units multiply-adds
 * @throws ConfigError when there is no such rival, an input is against its rule or not the model's, or a count is not exact
 */
export function rivalComplexity(name: RivalName, inputs: RivalInputs): Complexity {
  checkNames("complexity", "rival", [String(name)], rivalNames);
  checkOptions("complexity", inputs, rules);
  const { title, video, windows, textTokens: usual, count } = rivals[name];
  const { latents, textTokens = usual, window } = inputs;
  const [frames, height, width] = latents;
  const refuse = (what: string): never => {
    throw new ConfigError(`complexity: ${title} ${what}`);
  };
  if (height % 2 !== 0 || width % 2 !== 0)
    refuse(`has patches of 2 x 2, latents of ${height} x ${width} are not whole patches. Give even sides.`);
  if (!video && frames > 1) refuse(`draws pictures, got ${frames} frames. Give one.`);
  if (usual === 0 && inputs.textTokens !== undefined) refuse(`reads no captions, got ${textTokens} tokens. Leave them out.`);
  if (!windows && window) refuse(`has no windows, got ${window.join(",")}. Leave them out.`);
  const grid: Triple = [frames, height / 2, width / 2];
  if (windows && !window) refuse("has windows. Give theirs in tokens, such as [1, 2, 2].");
  if (window?.some((size, axis) => grid[axis] % size !== 0))
    refuse(`has windows that tile the tokens ${grid.join(" x ")}, got ${window.join(",")}. Give a window that does.`);
  return count({ grid, textTokens, window: window ?? [1, 1, 1] });
}
