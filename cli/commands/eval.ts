import { Command, Option } from "commander";
import { ConfigError } from "../../src/base/errors.js";
import { type AskedKind, askedBy, askedKinds } from "../../src/data/askedCaptions.js";
import type { PictureSet } from "../../src/data/pictureSet.js";
import { counted } from "../../src/data/skipped.js";
import type { Tokenizer } from "../../src/data/tokenizer.js";
import type { RunDescription } from "../../src/node/checkpoint.js";
import { loadFeatureNet } from "../../src/node/features.js";
import { loadSources } from "../../src/node/load.js";
import { split } from "../../src/pictures/pictureGrid.js";
import type { DataSource } from "../../src/ptdit/dataSource.js";
import { lossByTimestep } from "../../src/ptdit/evaluate.js";
import type { Fidelity } from "../../src/ptdit/fidelity.js";
import { largestBatch } from "../../src/ptdit/generate.js";
import { judgeSamples } from "../../src/ptdit/judge.js";
import { quality } from "../../src/ptdit/quality/quality.js";
import { samplingConfig } from "../../src/ptdit/sampling.js";
import { withDevice } from "../device.js";
import {
  cfgZero,
  device,
  drawing,
  f16,
  guidanceInterval,
  guidanceScale,
  horizon,
  method,
  model,
  run,
  samplingSteps,
  seed,
  threads,
  tune,
  vectors,
} from "../options.js";
import { chosenFile, drawingStep, generatorOf, keepMeasures, loadRunData, openRun, warnLost, warnUnknownOf } from "../run.js";
import { preparePictureFile } from "../show/pictureFile.js";
import { writeGrid } from "../show/pictures.js";
import { qualityLines } from "../show/quality.js";

const declared = new Command("eval")
  .description("is the training picture nearest to each sample the right one, and how like it is the sample?")
  .addOption(run())
  .addOption(model())
  .addOption(
    new Option(
      "--captions <kind>",
      "what is asked for: names, rich captions as in training, or such as it never saw (default: name)",
    ).choices(askedKinds),
  )
  .option("--rehearsed", "ask for the known pictures that a fine-tuned run repeats, not for its new ones")
  .addOption(samplingSteps())
  .addOption(guidanceScale())
  .addOption(guidanceInterval())
  .addOption(horizon())
  .addOption(cfgZero())
  .addOption(method())
  .addOption(seed())
  .option("--json", "print one JSON object")
  .option("--grid <file>", "also write the samples as a PNG, under their captions")
  .addOption(threads())
  .addOption(vectors())
  .addOption(device())
  .addOption(tune())
  .addOption(f16());

/** What `ptdit eval` was given. */
export type EvaluateOptions = ReturnType<typeof declared.opts>;

/** `ptdit eval`: retrieval of the training pictures by the samples, how like them these look, one by one and all together, whether they are
 *  new, and loss by timestep. */
export async function evaluate(options: EvaluateOptions): Promise<void> {
  const file = await chosenFile("eval", options);
  if (options.grid) await preparePictureFile(options.grid);
  const trained = openRun(file, options.horizon);
  await withDevice(options, drawingStep(trained, largestBatch, drawing(options)), async (device) => {
    const own = await trained();
    const generator = generatorOf(device, own);
    const { tokenizer, model } = own;
    const { run } = own.checkpoint;
    const { seed, captions: asked = "name", rehearsed = false } = options;
    const data = await dataOf(run, asked, rehearsed, tokenizer);
    const how = { ...samplingConfig(run.sampling), ...drawing(options) };
    const samples = await generator.pictures(data.captions, { ...how, seed });
    if (options.grid)
      await writeGrid(options.grid, split(samples, run.size), { columns: 8, factor: 2, captions: data.captions });
    const judgement = await judgeSamples(samples, model, data);
    const { misses, distinctCaptions, ...measures } = judgement;
    const { captions, top1, top5 } = measures;
    const found = await quality(device, await loadFeatureNet(), samples, data);
    const losses = await lossByTimestep(device, model, run.flow, data);
    const { step } = run;
    // Runs are compared by names, which all of them know.
    if (asked === "name" && !rehearsed && options.run !== undefined)
      await keepMeasures(options.run, {
        ...{ step, denoisingSteps: how.steps, guidance: how.guidance, seed },
        ...measures,
        kid: found.kid?.value ?? null,
      });
    if (options.json) {
      console.log(JSON.stringify({ asked, rehearsed, ...judgement, ...found, lossByTimestep: losses, step }));
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
    for (const line of qualityLines(found)) console.log(line);
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

/** The run's data under the captions that are asked for. Says what the model cannot read of them, and which pictures have none. */
async function dataOf(run: RunDescription, asked: AskedKind, rehearsed: boolean, tokenizer: Tokenizer): Promise<PictureSet> {
  const { size, rehearsal } = run;
  if (rehearsed && !rehearsal)
    throw new ConfigError("eval: the run rehearses no pictures. Leave --rehearsed out, or train with --from and --rehearse.");
  const { own, known = own } = await loadRunData(run);
  const sources: readonly DataSource[] = (rehearsed && rehearsal?.sets) || [run];
  const named = rehearsed ? known : own;
  const whole =
    asked === "name"
      ? named
      : await loadSources(
          sources.map((set) => ({ ...set, captions: "rich" })),
          size,
        );
  const data = askedBy(whole, asked);
  if (asked === "name") return data;
  if (data.count < whole.count)
    process.stderr.write(
      `note: ${counted(whole.count - data.count, "picture")} of ${whole.count} without a caption held out are left out.\n`,
    );
  warnUnknownOf(tokenizer, data.captions);
  warnLost(tokenizer, data.captions);
  return data;
}

export const evalCommand = declared.action(evaluate);
