/** Cost against tokens: a model with proxies, the same with full attention, and the paper's rivals that draw pictures. */
import { breakEven, costsAt } from "../../src/ptdit/complexity/breakEven.js";
import { type RivalName, rivalComplexity, rivals } from "../../src/ptdit/complexity/rivals.js";
import type { PTDiTConfig } from "../../src/ptdit/config.js";
import { lineChartSvg } from "../show/lineChart.js";

/** Tokens a side of a window; with the windows a side they make the pictures. */
const sides = [1, 2, 3, 4, 6, 8, 12, 16, 24];
const windows = 8;
const shown = ["dit-b", "dam-b", "pixart-alpha", "lumina-next"] as const satisfies readonly RivalName[];

/** The chart as SVG, and from how many tokens proxies cost less. */
export function costPlot(name: string, config: PTDiTConfig, textTokens: number) {
  const costs = sides.map((side) => costsAt(config, side, windows, textTokens));
  const meet = breakEven(config, windows, textTokens);
  const svg = lineChartSvg({
    title: `${name}: multiply-adds of one forward pass, 64 windows`,
    x: "tokens",
    y: "multiply-adds / 10⁹",
    series: [
      { name: `${name}, proxies`, points: costs.map(({ tokens, proxied }) => [tokens, proxied / 1e9]) },
      { name: `${name}, full attention`, points: costs.map(({ tokens, full }) => [tokens, full / 1e9]) },
      ...shown.map((rival) => ({
        name: rivals[rival].title,
        dashed: true,
        points: costs.map(({ tokens }) => {
          const side = 2 * Math.sqrt(tokens);
          return [tokens, rivalComplexity(rival, { latents: [1, side, side] }).matrix / 1e9] as const;
        }),
      })),
    ],
    ...(meet !== undefined && { marks: [{ at: meet, name: `break-even ${Math.round(meet)}` }] }),
  });
  return { svg, meet };
}
