import type { Picture } from "../src/io/png.js";
import { type DeviceOptions, withDevice } from "./device.js";
import { split, writeGrid } from "./pictures.js";
import { openRun, runFiles, warnLost, warnUnknown } from "./run.js";

export interface SampleOptions extends DeviceOptions {
  readonly run: string;
  readonly prompt: readonly string[];
  readonly negative: string;
  readonly steps: number;
  readonly guidance: number;
  readonly method: "euler" | "heun";
  readonly seed: number;
  readonly out?: string;
  readonly strip?: true;
}

/** Pictures in a strip, noise and result included. */
const stripLength = 9;

/** `ptdit sample`: a grid of pictures, or the way from noise to each. */
export async function sample(options: SampleOptions): Promise<void> {
  const { prompt, steps, guidance, negative, seed, method } = options;
  const out = options.out ?? runFiles(options.run).sample;
  await withDevice(options, async (device) => {
    const { checkpoint, tokenizer, generator } = await openRun(options.run, device);
    const { size } = checkpoint.run;
    warnUnknown(tokenizer, [...prompt, negative]);
    warnLost(tokenizer, [...prompt, negative]);
    const run = { steps, guidance, negative, seed, method };
    if (!options.strip) {
      const pictures = split(await generator.pictures(prompt, run), size);
      await writeGrid(out, pictures, { columns: Math.ceil(Math.sqrt(pictures.length)), factor: 4, captions: prompt });
    } else {
      const rows: Picture[] = [];
      for (const one of prompt) rows.push(...(await strip(one)));
      await writeGrid(out, rows, { columns: rows.length / prompt.length, factor: 3 });
    }

    async function strip(one: string): Promise<Picture[]> {
      const stages: Picture[] = [];
      const shown = new Set(
        Array.from({ length: stripLength }, (_, i) => Math.max(1, Math.round((i * steps) / (stripLength - 1)))),
      );
      await generator.pictures([one], {
        ...run,
        onStep: async (step, _, latents) => {
          if (shown.has(step)) stages.push(...split(await latents(), size));
        },
      });
      return stages;
    }
  });
  console.log(out);
}
