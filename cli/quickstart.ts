import { rm } from "node:fs/promises";
import { join } from "node:path";
import { loadDataset } from "../src/data/load.js";
import { withDevice } from "./device.js";
import { evaluate } from "./evaluate.js";
import { split, writeGrid } from "./pictures.js";
import { openRun, runFiles } from "./run.js";
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
  await withDevice(own, async (device) => {
    const { checkpoint, generator } = await openRun(out, device);
    const { size, data } = checkpoint.run;
    const { captions } = await loadDataset(data, { size });
    await writeGrid(grid, split(await generator.pictures(captions, { steps: 30, guidance: 3, seed: 0 }), size), {
      columns: 8,
      factor: 2,
      captions,
    });
  });
  await evaluate({ run: out, steps: 30, guidance: 3, seed: 0, ...own });
  console.log(`all captions drawn: ${grid}\nloss curve: ${runFiles(out).curve}\nopen the folder: ${out}`);
}
