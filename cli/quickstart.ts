import { isDeepStrictEqual } from "node:util";
import type { RunDescription } from "../src/node/checkpoint.js";
import { presets } from "../src/ptdit/presets.js";
import type { WasmChoice } from "./device.js";
import { evaluate } from "./evaluate.js";
import { pictureModel } from "./newRun.js";
import { filesOf } from "./run.js";
import { option } from "./shell.js";
import { train } from "./train.js";

export interface QuickstartOptions extends WasmChoice {
  readonly minutes: number;
  readonly out: string;
}

/** What a quick start trains. */
const [data, preset] = ["emoji:64", "nano"] as const;

/** `ptdit quickstart`: a model from nothing in minutes, and all its captions drawn. Starts anew each time: an earlier quick start
 *  in the folder makes room, nothing else does. */
export async function quickstart({ minutes, out, threads, vectors }: QuickstartOptions): Promise<void> {
  const where = { ...(threads && { threads }), ...(vectors && { vectors }) };
  const { finished } = await train({ data, preset, minutes, out, ...where }, isQuickstart);
  const { allCaptions, curve } = await filesOf(out);
  if (!finished) {
    console.log(`and then draw all captions with: ptdit eval ${option("--run", out)} ${option("--grid", allCaptions)}`);
    return;
  }
  await evaluate({ run: out, steps: 30, guidance: 3, seed: 0, grid: allCaptions, ...where });
  console.log(`all captions drawn: ${allCaptions}\nloss curve: ${curve}\nopen the folder: ${out}`);
}

function isQuickstart(run: RunDescription): boolean {
  const model = pictureModel(presets[preset], presets[preset].side);
  return run.data === data && isDeepStrictEqual(run.model, model);
}
