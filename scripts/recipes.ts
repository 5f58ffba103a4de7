/** Writes `docs/recipes.md` from what `bench/recipes` measured, kept in `bench/results/recipes.jsonl`. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { VariantResult } from "../bench/recipes/run.js";
import { type VariantName, variants } from "../bench/recipes/variants.js";
import { keysOf } from "../src/base/options.js";
import { table } from "./markdown.ts";

const path = (file: string): string => fileURLToPath(new URL(`../${file}`, import.meta.url));
const results = readFileSync(path("bench/results/recipes.jsonl"), "utf8")
  .split("\n")
  .filter(Boolean)
  .map((line): VariantResult => JSON.parse(line));

/** The mean of what seeds came to, and how far the farthest is from it. */
function spread(own: readonly VariantResult[], digits: number, value: (result: VariantResult) => number | null): string {
  const values = own.map((result) => value(result) ?? Number.NaN);
  const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
  const far = Math.max(...values.map((one) => Math.abs(one - mean)));
  return `${mean.toFixed(digits)}${values.length > 1 ? ` ± ${far.toFixed(digits)}` : ""}`;
}

const rowOf = (name: VariantName, own: readonly VariantResult[]): string[] => [
  `\`${name}\``,
  variants[name].about,
  String(own[0].steps),
  spread(own, 0, ({ top1 }) => 100 * top1),
  spread(own, 1, ({ psnr }) => psnr),
  spread(own, 1, ({ hf }) => hf),
  spread(own, 2, ({ seam }) => seam),
  spread(own, 0, ({ heldOut }) => 100 * heldOut),
  // Of the noise parts u = .3-.4, .6-.7 and .9-1.
  ...[3, 6, 9].map((bin) => spread(own, 3, ({ losses }) => losses[bin])),
  String(own.length),
];

/** Results of one set and one budget. */
function section(all: readonly VariantResult[]): string {
  const [{ data, budget }] = all;
  const of = (name: VariantName) => all.filter((result) => result.variant === name);
  const measured = keysOf(variants).filter((name) => of(name).length > 0);
  const psnr = (name: VariantName) => of(name).reduce((sum, result) => sum + (result.psnr ?? 0), 0) / of(name).length;
  const rows = measured.sort((a, b) => psnr(b) - psnr(a)).map((name) => rowOf(name, of(name)));
  const head = ["variant", "what differs", "steps", "top-1, %", "PSNR, dB", "hf", "seam", "held out, %"];
  return [
    `## ${data}, ${(budget / 1e12).toFixed(2)} T multiply-adds`,
    table([...head, "loss at .35", "at .65", "at .95", "seeds"], rows),
  ].join("\n\n");
}

const courses = [...new Set(results.map(({ data, budget }) => `${data} ${budget}`))];
const sections = courses.map((course) => section(results.filter(({ data, budget }) => `${data} ${budget}` === course)));
writeFileSync(
  path("docs/recipes.md"),
  `# What each part of the recipes is worth

Written by \`scripts/recipes.ts\` from \`bench/results/recipes.jsonl\`; \`npx tsx bench/recipes/index.ts --steps 300\` measures what is missing there.

\`nano\` trained in many ways with equal arithmetic: by \`former\`, which the recipe \`clean\` was before these measurements, by what differs from
it in one thing, and by what came of it. 3.22 T are 300 steps of \`former\`, too few for clean pictures, so that there is something to gain.
Samples of all captions (of 256 where there are more) in eight steps without guidance, seed 0. **hf** is their grain: the high frequencies of
the error in flat ground, of 255 levels, as \`ptdit runs\` and \`ptdit sweep\` call it. **Held out** are captions of the pictures that no
training saw, by other words than their names: the part whose own picture is the nearest. The loss is that of the velocity at three parts of
noise. Numbers are means over seeds, ± the farthest of them; the best by PSNR comes first. On Node 24 with paired vectors, one thread.

${sections.join("\n\n")}

## What came of it

Nearly everything is decided near pure noise, where the caption alone says which picture it is. \`clean\` took these times, and two iterations of
Muon, a tenth less arithmetic for the same; that is what its rows differ in from \`former\`. Patches that do not overlap learn faster, and leave
seams. The layers of \`modern\` pay too; they take more calls a step, and stay a preset. Rich captions are what held-out ones need.

On emoji:core as many steps are three and a half passes, after which no names are told apart yet: noisier times alone are seen to help, by
2.4 dB from \`former\` to \`clean\`, and velocity to harm. What a whole run there wants is in
[emoji-core.md](emoji-core.md).
`,
);
