/** Cost against tokens: a model with proxies, the same with full attention, and the paper's rivals that draw as many frames. */
import { breakEven, costsAt } from "../../src/ptdit/complexity/breakEven.js";
import { windowFrames } from "../../src/ptdit/complexity/paper.js";
import { type RivalName, rivalComplexity, rivals } from "../../src/ptdit/complexity/rivals.js";
import type { PTDiTConfig } from "../../src/ptdit/config.js";
import { lineChartSvg } from "../show/lineChart.js";

/** Tokens a side of a window; with the windows a side they make the pictures. */
const sides = [1, 2, 3, 4, 6, 8, 12, 16, 24];
const windowsASide = 8;
/** Beyond so many the counts of the largest rival are not exact. */
const mostTokens = 2 ** 18;
const pictureRivals: readonly RivalName[] = ["dit-b", "dam-b", "pixart-alpha", "lumina-next"];
const videoRivals: readonly RivalName[] = ["cogvideox-2b", "cogvideox-5b", "easyanimate-v4"];

/** The chart as SVG, from how many tokens proxies cost less, and the windows of every size. */
export function costPlot(name: string, config: PTDiTConfig, textTokens: number, frames = 1) {
  const costs = sides
    .filter((side) => frames * (windowsASide * side) ** 2 <= mostTokens)
    .map((side) => costsAt(config, side, windowsASide, textTokens, frames));
  const meet = breakEven(config, windowsASide, textTokens, frames);
  const windows = (windowsASide ** 2 * frames) / windowFrames(frames);
  const video = frames === 1 ? "" : `${frames} latent frames, `;
  const svg = lineChartSvg({
    title: `${name}: multiply-adds of one forward pass, ${video}${windows} windows`,
    x: "tokens",
    y: "multiply-adds / 10⁹",
    series: [
      { name: `${name}, proxies`, points: costs.map(({ tokens, proxied }) => [tokens, proxied / 1e9]) },
      { name: `${name}, full attention`, points: costs.map(({ tokens, full }) => [tokens, full / 1e9]) },
      ...(frames === 1 ? pictureRivals : videoRivals).map((rival) => ({
        name: rivals[rival].title,
        dashed: true,
        points: costs.map(({ tokens }) => {
          const side = 2 * Math.sqrt(tokens / frames);
          return [tokens, rivalComplexity(rival, { latents: [frames, side, side] }).matrix / 1e9] as const;
        }),
      })),
    ],
    ...(meet !== undefined && { marks: [{ at: meet, name: `break-even ${Math.round(meet)}` }] }),
  });
  return { svg, meet, windows };
}
