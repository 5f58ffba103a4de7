import { dirname, join } from "node:path";
import { Command } from "commander";
import { normalNumbers } from "../../src/base/random.js";
import { pictureGrid, split } from "../../src/pictures/pictureGrid.js";
import { fromPlanar, type Picture } from "../../src/pictures/png.js";
import type { Generator } from "../../src/ptdit/generate.js";
import { samplingConfig } from "../../src/ptdit/sampling.js";
import { withDevice } from "../device.js";
import { plainName } from "../fileName.js";
import {
  cfgZero,
  count,
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
import { chosenFile, drawingStep, filesOf, generatorOf, openRun, warnLost, warnUnknown } from "../run.js";
import { preparePictureFile, preparePictureFolder, writePicture } from "../show/pictureFile.js";
import { writeGrid } from "../show/pictures.js";

const declared = new Command("sample")
  .description("draw pictures from text")
  .addOption(run())
  .addOption(model())
  .requiredOption("--prompt <text...>", "a picture for each, or --count of them")
  .option("--negative <text>", "what to stay away from", "")
  .addOption(samplingSteps())
  .addOption(guidanceScale())
  .addOption(guidanceInterval())
  .addOption(horizon())
  .addOption(cfgZero())
  .addOption(method())
  .addOption(seed())
  .option("--count <pictures>", "pictures a prompt; picture i depends on prompt, seed and i alone", count("count"), 1)
  .option(
    "--out <file>",
    "where to write: .png or .jpg (default: sample.png in the run, NAME-sample.png of a model); with --separate a folder",
  )
  .option(
    "--separate",
    "write a file a picture, in its own size (default: in pictures/ of the run, in NAME-pictures/ of a model)",
  )
  .option("--strip", "draw the denoising from noise to picture, one row a picture")
  .addOption(threads())
  .addOption(vectors())
  .addOption(device())
  .addOption(tune())
  .addOption(f16());

/** What `ptdit sample` was given. */
export type SampleOptions = ReturnType<typeof declared.opts>;

/** Pictures in a strip, noise and result included. */
const stripLength = 9;

/** A picture to draw: the `number`th of its prompt. It depends on the prompt, the seed and this number alone. */
interface Wanted {
  readonly prompt: string;
  readonly number: number;
}

/** `ptdit sample`: a grid of pictures, or the way from noise to each, or a file a picture. Prints what it wrote. */
export async function sample(options: SampleOptions): Promise<void> {
  const { prompt, count, separate, strip } = options;
  const file = await chosenFile("sample", options);
  const out = options.out ?? (await usualPlace(options));
  await (separate ? preparePictureFolder(out) : preparePictureFile(out));
  const wanted = prompt.flatMap((own) => Array.from({ length: count }, (_, number) => ({ prompt: own, number })));
  const captions = wanted.map((own) => own.prompt);
  const trained = openRun(file, options.horizon);
  const together = strip ? 1 : wanted.length;
  const pictures = await withDevice(options, drawingStep(trained, together, drawing(options)), async (device) => {
    const own = await trained();
    const generator = generatorOf(device, own);
    const { checkpoint, tokenizer } = own;
    warnUnknown(tokenizer, [...prompt, options.negative]);
    warnLost(tokenizer, [...prompt, options.negative]);
    const { size } = checkpoint.run;
    const { steps = samplingConfig(checkpoint.run.sampling).steps } = options;
    return strip ? strips(generator, wanted, size, { ...options, steps }) : drawn(generator, wanted, size, options);
  });
  if (separate) {
    for (const path of await writeSeparate(out, pictures, captions)) console.log(path);
    return;
  }
  // A row a prompt, or a square of one prompt's.
  const columns = strip ? 1 : count > 1 && prompt.length > 1 ? count : Math.ceil(Math.sqrt(pictures.length));
  await writeGrid(out, pictures, { columns, factor: strip ? 1 : 4, captions });
  console.log(out);
}

/** Where pictures go that are given no place: into their run, or where one stands. */
async function usualPlace({ run, model, separate }: SampleOptions): Promise<string> {
  if (run === undefined) return `${model}-${separate ? "pictures" : "sample.png"}`;
  const { sample } = await filesOf(run);
  return separate ? join(dirname(sample), "pictures") : sample;
}

async function drawn(
  generator: Generator,
  wanted: readonly Wanted[],
  size: number,
  options: SampleOptions,
): Promise<Picture[]> {
  const prompts = wanted.map(({ prompt }) => prompt);
  const streams = wanted.map(({ number }) => number);
  return split(await generator.pictures(prompts, { ...generation(options), streams }), size);
}

/** The way from noise to each picture, in a row; under each stage how many steps were taken. */
async function strips(
  generator: Generator,
  wanted: readonly Wanted[],
  size: number,
  options: SampleOptions & { readonly steps: number },
): Promise<Picture[]> {
  const { steps, seed } = options;
  const shown = new Set(Array.from({ length: stripLength - 1 }, (_, i) => Math.round(((i + 1) * steps) / (stripLength - 1))));
  const rows: Picture[] = [];
  for (const { prompt, number } of wanted) {
    const stages = [fromPlanar(normalNumbers(3 * size * size, seed, number), size, size)];
    const labels = ["noise"];
    await generator.pictures([prompt], {
      ...generation(options),
      streams: [number],
      onStep: async (step, _, latents) => {
        if (!shown.has(step)) return;
        stages.push(...split(await latents(), size));
        labels.push(`step ${step}`);
      },
    });
    rows.push(await pictureGrid(stages, { columns: stages.length, factor: 3, captions: labels }));
  }
  return rows;
}

const generation = ({ negative, seed, ...how }: SampleOptions) => ({ ...drawing(how), negative, seed });

/** Writes a file a picture, numbered in their order and named after their captions. Returns the paths. */
async function writeSeparate(folder: string, pictures: readonly Picture[], captions: readonly string[]): Promise<string[]> {
  const digits = String(pictures.length).length;
  const paths: string[] = [];
  for (const [i, picture] of pictures.entries()) {
    const number = String(i + 1).padStart(digits, "0");
    const name = [number, plainName(captions[i])].filter((part) => part !== "").join("-");
    const path = join(folder, `${name}.png`);
    await writePicture(path, picture);
    paths.push(path);
  }
  return paths;
}

export const sampleCommand = declared.action(sample);
