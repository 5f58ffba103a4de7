/** How the tokens of a block see each other. */
import { keysOf } from "../base/options.js";

/** A branch of a block that mixes tokens: proxies of all windows, a token's window, the windows shifted by half, or all tokens. */
export type MixingBranch = "giim" | "window" | "shifted" | "full";

/**
 * Kinds of mixing by the branches of their blocks, in order.
 * `proxy` is PT-DiT; `full` the block it is compared with, full self-attention as in PixArt. The others are ablations.
 * @source Qihoo-T2X (arXiv 2409.04005), section 3 and tables 4 and 5
 */
export const mixings = {
  proxy: ["giim", "window", "shifted"],
  /** Without shifted windows. */
  proxyUnshifted: ["giim", "window"],
  /** Without the texture complement module. */
  proxyAlone: ["giim"],
  /** Without the global information interaction module. */
  windows: ["window", "shifted"],
  windowsUnshifted: ["window"],
  full: ["full"],
  /** Tokens meet in the caption alone. */
  none: [],
} as const satisfies Readonly<Record<string, readonly MixingBranch[]>>;

export type Mixing = keyof typeof mixings;

/** Names of the kinds. */
export const mixingNames = keysOf(mixings);
