import { Command } from "commander";
import { counted } from "../../src/data/skipped.js";
import type { RunDescription } from "../../src/node/checkpoint.js";
import { presets } from "../../src/ptdit/presets.js";
import { defaultRecipe } from "../../src/ptdit/recipes.js";
import { device, minutes, threads, vectors } from "../options.js";
import { filesOf } from "../run.js";
import { option } from "../shell.js";
import { isOfPreset } from "../training/presetOfModel.js";
import { train } from "../training/train.js";
import { evaluate } from "./eval.js";

const declared = new Command("quickstart")
  .description("train on 64 emoji for about three minutes, then draw them all")
  .option("--minutes <time>", "training time", minutes, 3)
  .option("--out <folder>", "where the run is kept", "runs/quickstart")
  .addOption(device())
  .addOption(threads())
  .addOption(vectors());

/** What `ptdit quickstart` was given. */
export type QuickstartOptions = ReturnType<typeof declared.opts>;

/** What a quick start trains. */
const [data, preset, recipe] = ["emoji:64", "nano", defaultRecipe] as const;

/** `ptdit quickstart`: a model from nothing in minutes, and all its captions drawn. Starts anew each time: an earlier quick start
 *  in the folder makes room, nothing else does. */
export async function quickstart({ minutes, out, ...where }: QuickstartOptions): Promise<void> {
  console.log(
    `${counted(minutes, "minute")} of training on 64 emoji, then all are drawn from their captions; Ctrl-C stops and saves`,
  );
  const { finished } = await train({ data, preset, recipe, minutes, out, ...where }, isQuickstart);
  const { allCaptions, curve } = await filesOf(out);
  if (!finished) {
    console.log(`and then draw all captions with: ptdit eval ${option("--run", out)} ${option("--grid", allCaptions)}`);
    return;
  }
  await evaluate({ run: out, seed: 0, grid: allCaptions, ...where });
  console.log(`all captions drawn: ${allCaptions}\nloss curve: ${curve}\nopen the folder: ${out}`);
}

function isQuickstart(run: RunDescription): boolean {
  // Whatever its recipe: earlier versions had another.
  const fits = run.size === presets[preset].side && isOfPreset(preset, run.model, run.size);
  // A run of another mixing counts as its preset, but is somebody's own: it is not replaced.
  const mixes = run.model.mixing === presets[preset].config.mixing;
  return fits && mixes && run.data === data && run.captions === undefined;
}

export const quickstartCommand = declared.action(quickstart);
