import { rm } from "node:fs/promises";
import { join } from "node:path";
import { evaluate } from "./evaluate.js";
import { runFiles } from "./run.js";
import { train } from "./train.js";

export interface QuickstartOptions {
  readonly minutes: number;
  readonly out: string;
  readonly threads?: number;
}

/** `ptdit quickstart`: a model from nothing in minutes, and all its captions drawn. Starts anew each time. */
export async function quickstart({ minutes, out, threads }: QuickstartOptions): Promise<void> {
  const own = threads ? { threads } : {};
  await rm(out, { recursive: true, force: true });
  await train({ data: "emoji:64", preset: "nano", minutes, out, seed: 0, saveEvery: 200, sampleEvery: 250, ...own });
  const grid = join(out, "all-captions.png");
  await evaluate({ run: out, steps: 30, guidance: 3, seed: 0, grid, ...own });
  console.log(`all captions drawn: ${grid}\nloss curve: ${runFiles(out).curve}\nopen the folder: ${out}`);
}
