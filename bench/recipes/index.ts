/**
 * `npx tsx bench/recipes/index.ts [--data emoji:64] [--seeds 0,1,2] [--only clean,adamW] [--steps 400]`: trains recipes
 * side by side, each with the multiply-adds of so many steps of the former one, and keeps what they come to in
 * bench/results/recipes.jsonl, of which `npm run docs` makes docs/recipes.md. Results that are there, of the same arithmetic, are not made
 * again.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { wasmOptions } from "../../cli/device.js";
import { count, listOf, number, vectors } from "../../cli/options.js";
import { checkNames } from "../../src/base/options.js";
import type { CaptionKind } from "../../src/data/richCaptions.js";
import { wasm } from "../../src/index.js";
import { loadDataset } from "../../src/node/load.js";
import { budgetOf, runVariant, type VariantResult } from "./run.js";
import { type VariantName, variants } from "./variants.js";

const command = new Command("recipes")
  .option("--data <set>", "emoji:64 or emoji:core", "emoji:64")
  .option("--seeds <list>", "seeds", listOf(number("seeds", { least: 0, whole: true })), [0, 1, 2])
  .option("--only <list>", "variants", listOf(String), Object.keys(variants))
  .option("--steps <count>", "steps of the former recipe whose arithmetic every run has", count("steps"), 400)
  .option("--threads <count>", "threads", count("threads"), 2)
  .addOption(vectors())
  .parse();
const options = command.opts();
checkNames("recipes", "variant", options.only, Object.keys(variants));

const file = fileURLToPath(new URL("../results/recipes.jsonl", import.meta.url));
const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
const known = lines.map((line): VariantResult => JSON.parse(line));

const isVariant = (name: string): name is VariantName => Object.hasOwn(variants, name);

const device = await wasm(wasmOptions(options));
const load = (captions: CaptionKind) => loadDataset(options.data, { size: 32, recursive: false, captions });
const data = { name: await load("name"), rich: await load("rich") };
const budget = budgetOf(data, options.steps);
for (const seed of options.seeds) {
  for (const variant of options.only.filter(isVariant)) {
    const isThere = known.some(
      (one) => one.variant === variant && one.seed === seed && one.data === data.name.name && one.budget === budget,
    );
    if (isThere) continue;
    const result = await runVariant(device, data, { variant, seed, budget });
    appendFileSync(file, `${JSON.stringify(result)}\n`);
    console.log(JSON.stringify(result));
  }
}
device.close();
