/** Writes docs/paper.md and its plots. `npm run docs` runs it. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { costPlot } from "../cli/audit/plot.ts";
import { presets } from "../src/ptdit/presets.ts";
import { ablationSvg } from "./ablationDoc.ts";
import { paperDoc } from "./paperDoc.ts";

const write = (name: string, text: string) => writeFileSync(fileURLToPath(new URL(`../docs/${name}`, import.meta.url)), text);
write("paper-cost.svg", costPlot("PT-DiT/XL", presets.XL.config, 120).svg);
write("paper-cost-video.svg", costPlot("PT-DiT/XL", presets.XL.config, 120, 48).svg);
write("paper-ablations.svg", ablationSvg());
write("paper.md", paperDoc());
