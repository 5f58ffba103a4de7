import { Command } from "commander";
import { loadDataset } from "../../src/node/load.js";
import { split } from "../../src/pictures/pictureGrid.js";
import { lossByTimestep, retrieval } from "../../src/ptdit/evaluate.js";
import { type Fidelity, fidelity } from "../../src/ptdit/fidelity.js";
import { withDevice } from "../device.js";
import { count, device, number, seed, threads, vectors } from "../options.js";
import { keepMeasures, openRun, warnChangedData } from "../run.js";
import { preparePictureFile } from "../show/pictureFile.js";
import { writeGrid } from "../show/pictures.js";

const declared = new Command("eval")
  .description("is the training picture nearest to each sample the right one, and how like it is the sample?")
  .requiredOption("--run <run>", "a trained run: its folder, or its checkpoint")
  .option("--steps <count>", "denoising steps", count("steps"), 30)
  .option("--guidance <scale>", "guidance", number("guidance", { least: 0 }), 3)
  .addOption(seed())
  .option("--json", "print one JSON object")
  .option("--grid <file>", "also write the samples as a PNG, under their captions")
  .addOption(threads())
  .addOption(vectors())
  .addOption(device());

/** What `ptdit eval` was given. */
export type EvaluateOptions = ReturnType<typeof declared.opts>;

/** `ptdit eval`: retrieval of the training pictures by the samples, how like them these look, and loss by timestep. */
export async function evaluate(options: EvaluateOptions): Promise<void> {
  if (options.grid) await preparePictureFile(options.grid);
  await withDevice(options, async (device) => {
    const { checkpoint, tokenizer, model, generator } = await openRun(options.run, device);
    const { run } = checkpoint;
    const data = await loadDataset(run.data, { size: run.size, recursive: run.recursive ?? false });
    warnChangedData(run, data);
    const { steps, guidance, seed } = options;
    const samples = await generator.pictures(data.captions, { steps, guidance, seed });
    if (options.grid)
      await writeGrid(options.grid, split(samples, run.size), { columns: 8, factor: 2, captions: data.captions });
    const { captions, distinctCaptions, top1, top5, misses } = await retrieval(samples, data, tokenizer);
    const patch = run.model.patch * model.codec.factor;
    const measures = await fidelity(samples, data, patch, tokenizer);
    const losses = await lossByTimestep(device, model, run.flow, data);
    const { step } = run;
    await keepMeasures(options.run, {
      ...{ step, denoisingSteps: steps, guidance, seed, captions, top1, top5 },
      ...measures,
    });
    if (options.json) {
      console.log(
        JSON.stringify({ captions, distinctCaptions, top1, top5, misses, ...measures, lossByTimestep: losses, step }),
      );
      return;
    }
    const percent = (part: number) => `${(100 * part).toFixed(1)} %`;
    const distinct = distinctCaptions < captions ? ` (${distinctCaptions} different to the model)` : "";
    console.log(
      `${captions} captions${distinct}: nearest training picture is the right one: top-1 ${percent(top1)}, top-5 ${percent(top5)}`,
    );
    for (const { caption, nearest } of misses.slice(0, 10))
      console.log(`  missed: ${caption} (${nearest === undefined ? "the sample is not finite" : `looks like ${nearest}`})`);
    if (misses.length > 10) console.log(`  ... and ${misses.length - 10} more`);
    console.log(showFidelity(measures, captions));
    console.log(`loss by tenth of noise, 0 to 1: ${losses.map((loss) => loss.toFixed(3)).join(" ")}`);
  });
}

/** Measures in one line; those that there are not are left open. */
function showFidelity({ measured, psnr, speckle, hf, seam }: Fidelity, captions: number): string {
  const shown = (value: number | null, digits: number) => value?.toFixed(digits) ?? "-";
  const of = measured < captions ? ` (${measured} are finite)` : "";
  return (
    `samples beside their own pictures${of}: PSNR ${shown(psnr, 1)} dB; in flat ground speckle ${shown(speckle, 1)}, ` +
    `its high frequencies ${shown(hf, 1)} of 255 levels; seam of patches ${shown(seam, 2)} (1: none)`
  );
}

export const evalCommand = declared.action(evaluate);
