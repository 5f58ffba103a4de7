import { Command } from "commander";
import type { Device } from "../../src/backend/device.js";
import { ConfigError } from "../../src/base/errors.js";
import { evenly } from "../../src/base/evenly.js";
import type { PictureSet } from "../../src/data/pictureSet.js";
import { counted } from "../../src/data/skipped.js";
import type { RunDescription } from "../../src/node/checkpoint.js";
import { datasetName, loadDataset } from "../../src/node/load.js";
import { Pipeline } from "../../src/ptdit/pipeline.js";
import { type LayerRedundancy, measureRedundancy, usualRedundancy } from "../../src/ptdit/redundancy/measureRedundancy.js";
import { AttentionProbe } from "../../src/ptdit/redundancy/probe.js";
import { ringMeasures } from "../../src/ptdit/redundancy/ringMeasures.js";
import { gatherRows, softmaxRows } from "../../src/ptdit/redundancy/rows.js";
import { verdictRule } from "../../src/ptdit/redundancy/verdict.js";
import { withDevice } from "../device.js";
import { count, device, listOf, number, run, seed, threads, vectors, windowSizes } from "../options.js";
import { drawingStep, loadRunData, openRun, warnSkipped, warnUnknownOf } from "../run.js";
import { preparePictureFile, writePicture } from "../show/pictureFile.js";
import { showTime, startProgress } from "../show/progress.js";
import { outcomeCounts, outcomeText, redundancyLines } from "../show/redundancy.js";
import { redundancyPicture, type ShownRows } from "../show/redundancyPicture.js";

/** The smallest grid on which rings say much; the paper's is twice as wide. */
const smallestSide = 16;

const declared = new Command("redundancy")
  .description("do attention rows of a window agree on far keys? measured of a run with --mixing full")
  .addOption(run().makeOptionMandatory())
  .option("--data <set>", "pictures to measure with (default: the run's own)")
  .option("--samples <count>", "pictures, evenly chosen", count("samples"), usualRedundancy.samples)
  .option(
    "--times <list>",
    `times, from 0 (data) to 1000 (noise) (default: ${usualRedundancy.times})`,
    listOf(number("times", { least: 1, most: 1000 })),
  )
  .option("--window <f,h,w>", `tokens whose rows are held against each other (default: ${usualRedundancy.window})`, windowSizes)
  .option("--json", "print one JSON object, with quartiles")
  .option("--out <file>", "also draw a window's rows, and their spread by ring, as a PNG")
  .option(
    "--layer <number>",
    "layer whose rows are drawn (default: the middle one)",
    number("layer", { least: 0, whole: true }),
  )
  .addOption(seed())
  .addOption(threads())
  .addOption(vectors())
  .addOption(device())
  .addHelpText(
    "after",
    `
Columns are medians over heads, pictures and windows. Near keys are those of the window and its neighbours, far keys the others.
  D near, D far     spread of a window's rows: 0 where they are equal, 1 - 1/tokens where they have nothing in common
  random            D on the same far keys of as many rows from anywhere; untrained: D far before training
  J by ring         Jensen-Shannon divergence of the rows within each ring of keys, 0 to 1; mass by ring: their weight there
  E near, E far     change of the attention's output when these keys' weights are replaced by the window's mean
  none              the same without far keys; query: with the row of the window's mean query in their place
  keys, both        the same with the mean key and value of each far window, read by every token or by the mean query
  pairs             Jensen-Shannon divergence of pairs of rows from anywhere, 0 to 1
  heads, Spearman   part of the heads for which the claim holds; rank correlation of a ring's number and its D
  claim             by the rule below; in brackets what speaks against it: D near, D of random rows, or E near is not above its far value`,
  );

/** What `ptdit redundancy` was given. */
export type RedundancyCommandOptions = ReturnType<typeof declared.opts>;

/** `ptdit redundancy`: how far rows of attention agree, near and far, beside rows from anywhere and the model before training. */
export async function redundancy(options: RedundancyCommandOptions): Promise<void> {
  const { out, samples, seed, times = [...usualRedundancy.times], window = [...usualRedundancy.window] } = options;
  if (out !== undefined) await preparePictureFile(out);
  const trained = openRun(options.run);
  await withDevice(options, drawingStep(trained, 1, {}), async (device) => {
    const { checkpoint, model, tokenizer } = await trained();
    const { run } = checkpoint;
    const data = await dataOf(run, options);
    if (options.data !== undefined) warnUnknownOf(tokenizer, data.captions);
    const { layer = Math.floor(run.model.depth / 2) } = options;
    if (layer >= run.model.depth)
      throw new ConfigError(
        `redundancy: the run has layers 0 to ${run.model.depth - 1}, --layer says ${layer}. Choose one of them.`,
      );
    const how = { times, samples, window, seed };
    const place = evenly(data.count, samples)[0];
    const t = times[Math.floor(times.length / 2)];
    // What cannot be measured is refused by this before it takes long.
    const shown = await shownRows(device, model, data, run, { layer, t, place, window, seed });
    const [layers, untrained] = await measured(device, [model, untrainedOf(model, run)], data, run, how);
    if (out !== undefined) await writePicture(out, redundancyPicture(shown, layers, untrained));
    const { grid } = shown.rings;
    const used = Math.min(samples, data.count);
    if (options.json) {
      const setting = { step: run.step, data: data.name, grid, window, samples: used, seed, times };
      const verdicts = { trained: outcomeCounts(layers), untrained: outcomeCounts(untrained) };
      console.log(JSON.stringify({ ...setting, rule: verdictRule, verdicts, layers, untrained }));
      return;
    }
    if (grid[1] < smallestSide || grid[2] < smallestSide)
      process.stderr.write(
        `note: a grid of ${grid.join("x")} tokens has few far rings; the paper's is 1x32x32, and 1x${smallestSide}x${smallestSide} is the least that says much.\n`,
      );
    for (const line of redundancyLines(layers, untrained)) console.log(line);
    console.log(
      `medians over heads, ${counted(used, "picture")} of ${data.count} and windows of ${window.join("x")} in ${grid.join("x")} tokens, after ${counted(run.step, "step")}`,
    );
    console.log(`layers and times: ${outcomeText(layers)}; before training: ${outcomeText(untrained)}`);
    console.log(`the rule: ${verdictRule}`);
  });
}

/** What stands for all: how it is measured. */
interface How {
  readonly times: readonly number[];
  readonly samples: number;
  readonly window: readonly [frames: number, rows: number, columns: number];
  readonly seed: number;
}

/** The same measures of several models, in their order. */
async function measured(
  device: Device,
  models: readonly Pipeline[],
  data: PictureSet,
  { flow }: RunDescription,
  how: How,
): Promise<LayerRedundancy[][]> {
  const begin = performance.now();
  const all = models.length * how.times.length * Math.min(how.samples, data.count);
  const progress = startProgress(all, 0, "{bar} {value}/{total} pictures and times | {left} left");
  let before = 0;
  const results: LayerRedundancy[][] = [];
  try {
    for (const model of models) {
      const layers: LayerRedundancy[] = [];
      const onSample = (done: number) => {
        const seconds = (performance.now() - begin) / 1000;
        progress.update(before + done, { left: showTime((seconds * (all - before - done)) / (before + done)) });
      };
      for await (const layer of measureRedundancy(device, model, data, flow, { ...how, onSample })) layers.push(layer);
      results.push(layers);
      before += all / models.length;
    }
  } finally {
    progress.stop();
  }
  return results;
}

/** What the run started from. */
const untrainedOf = ({ captioner, codec, encoder }: Pipeline, { model, training }: RunDescription): Pipeline =>
  new Pipeline({ model, captioner, codec, encoder }, training.seed);

/** The run's own pictures, or those that are asked for. */
async function dataOf(run: RunDescription, options: RedundancyCommandOptions): Promise<PictureSet> {
  if (options.data === undefined) return (await loadRunData(run)).own;
  const data = await loadDataset(datasetName(options.data), { size: run.size });
  warnSkipped(data);
  return data;
}

/** The rows of one window in the middle; maps are drawn of the head that lies in the middle by its spread far away. */
async function shownRows(
  device: Device,
  model: Pipeline,
  data: PictureSet,
  { flow }: RunDescription,
  { layer, t, place, window, seed }: Pick<How, "window" | "seed"> & Record<"layer" | "t" | "place", number>,
): Promise<ShownRows> {
  const probe = new AttentionProbe(device, model, data, flow, window);
  try {
    const { rings } = probe;
    const { windows, tokens, members, ringOf, count } = rings;
    const across = rings.grid[2] / window[2];
    const middle = Math.floor(windows / across / 2) * across + Math.floor(across / 2);
    const heads = (await probe.heads(place, t, seed))[layer].map(({ q, k, headDim }) => {
      const own = gatherRows(q, members.subarray(middle * tokens, (middle + 1) * tokens), headDim);
      return softmaxRows(own, k, headDim).weights;
    });
    const own = ringOf(middle);
    const far = heads.map((rows) => ringMeasures(rows, own, count).far);
    const head = [...heads.keys()].sort((a, b) => far[a] - far[b])[Math.floor((heads.length - 1) / 2)];
    return { rings, window: middle, layer, t, caption: data.captions[place], heads, head };
  } finally {
    probe.dispose();
  }
}

export const redundancyCommand = declared.action(redundancy);
