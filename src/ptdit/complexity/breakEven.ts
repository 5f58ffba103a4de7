/** From how many tokens PT-DiT costs less than full attention. */
import { checkValue, object, whole } from "../../base/options.js";
import { type PTDiTConfig, ptditConfig } from "../config.js";
import { PTDiT } from "../model.js";
import type { Triple } from "../windows.js";
import { complexity } from "./complexity.js";
import { windowFrames } from "./paper.js";

/** Two costs at a size. @units multiply-adds */
export interface Costs {
  readonly tokens: number;
  readonly proxied: number;
  readonly full: number;
}

/** Costs of a model with proxies, and with full attention in their place, at a square picture or video of so many windows a side.
 *  @param side tokens a side of a window
 *  @param frames latent frames; the windows of more than one have the paper's
 *  @throws ConfigError when an argument is against its rule, or windows do not tile the frames */
export function costsAt(config: PTDiTConfig, side: number, windows: number, textTokens: number, frames = 1): Costs {
  checkValue("break-even", "the configuration", config, object);
  for (const [what, value] of Object.entries({ side, windows, textTokens, frames }))
    checkValue("break-even", what, value, whole(1));
  const [rows, window]: [number, Triple] = [side * windows * config.patch, [windowFrames(frames), side, side]];
  const count = (mixing: PTDiTConfig["mixing"]) => {
    const model = new PTDiT(ptditConfig({ ...config, mixing, window, proxyWindow: window }));
    return complexity(model, { latents: [frames, rows, rows], ...(config.captionChannels !== null && { textTokens }) }).matrix;
  };
  return { tokens: frames * (side * windows) ** 2, proxied: count("proxy"), full: count("full") };
}

/** Tokens from which on proxies cost less, with a fixed number of windows. Both costs are polynomials of second degree in the
 *  tokens, so that three sizes say where they meet.
 *  @returns undefined where they never do
 *  @throws ConfigError when an argument is against its rule */
export function breakEven(config: PTDiTConfig, windows: number, textTokens: number, frames = 1): number | undefined {
  const gaps = [1, 2, 3].map((side) => {
    const { tokens, proxied, full } = costsAt(config, side, windows, textTokens, frames);
    return [tokens, full - proxied] as const;
  });
  const [[x0, y0], [x1, y1], [x2, y2]] = gaps;
  const [first, second] = [(y1 - y0) / (x1 - x0), (y2 - y1) / (x2 - x1)];
  const c = (second - first) / (x2 - x0);
  const b = first - c * (x0 + x1);
  const a = y0 - x0 * (b + c * x0);
  const root = b * b - 4 * a * c;
  if (c <= 0 || root < 0) return undefined;
  return (-b + Math.sqrt(root)) / (2 * c);
}
