import { join } from "node:path";
import { Command, Option } from "commander";
import type { Device } from "../../src/backend/device.js";
import { wasmPlanning } from "../../src/backend/wasm/planning.js";
import { ConfigError } from "../../src/base/errors.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { writeFileAtomic } from "../../src/node/atomicFile.js";
import { datasetName, loadDataset } from "../../src/node/load.js";
import { makeFolder } from "../../src/node/makeFolder.js";
import { checkReplaceable } from "../../src/node/replaceable.js";
import { compareRows } from "../../src/ptdit/ablation/compare.js";
import { type PlannedRow, planAblation, type Training } from "../../src/ptdit/ablation/plan.js";
import { mostSeeds } from "../../src/ptdit/ablation/spread.js";
import type { PTDiTConfig } from "../../src/ptdit/config.js";
import { presetFor } from "../../src/ptdit/presets.js";
import { type RecipeName, recipeNames, recipes } from "../../src/ptdit/recipes.js";
import { type NamedAblation, ownAblations, readAblation } from "../ablate/files.js";
import { Results, type TaskName } from "../ablate/results.js";
import { ablationLines, ablationPlot } from "../ablate/show.js";
import { forget, splitSet, type Task, trainerOf, trainOne } from "../ablate/train.js";
import { withDevice } from "../device.js";
import { count, device, listOf, number, threads, vectors } from "../options.js";
import { showTime, startProgress } from "../show/progress.js";
import { pictureModel } from "../training/newRun.js";
import { StopRequest } from "../training/stopRequest.js";
import { trainingSteps } from "../training/trainingSteps.js";

const usual = { steps: 400, seeds: 3, size: 32, batch: 16 } as const;

const declared = new Command("ablate")
  .description("the paper's ablations, trained here: at equal steps and at equal arithmetic, with their spread over seeds")
  .option("--data <set>", "emoji, emoji:core, emoji:64, or a folder of pictures with captions", "emoji:core")
  .option("--only <list>", "of the paper's ablations these: components, injection, proxies, windows", listOf(String))
  .addOption(new Option("--file <file>", "an ablation of your own: see ablations/ in the package").conflicts("only"))
  .option("--preset <name>", "the model that rows change (see ptdit presets)", "nano")
  .addOption(
    new Option("--recipe <name>", "how all learn").choices(recipeNames).default("baseline" as const satisfies RecipeName),
  )
  .option("--steps <count>", "steps of the first row", count("steps"), usual.steps)
  .option("--seeds <count>", "trainings of each row", number("seeds", { least: 1, most: mostSeeds, whole: true }), usual.seeds)
  .option("--batch <count>", "pictures a step", count("batch"), usual.batch)
  .option("--size <pixels>", "side of the pictures", count("size"), usual.size)
  .option("--out <folder>", "where results and unfinished trainings are kept", "runs/ablations")
  .option("--plot <file>", "also draw the differences, as SVG")
  .option("--plan", "say what would be trained, and train nothing")
  .option("--json", "print one JSON object")
  .addOption(device())
  .addOption(threads())
  .addOption(vectors());

/** What `ptdit ablate` was given. */
export type AblateOptions = ReturnType<typeof declared.opts>;

/** An ablation with its rows' trainings. */
interface Planned extends Pick<NamedAblation, "name" | "about" | "source"> {
  readonly rows: readonly PlannedRow[];
}

/** `ptdit ablate`: trains what is not trained yet, and holds the rows against each other. */
export async function ablate(options: AblateOptions): Promise<void> {
  const { out, plot, json } = options;
  if (plot !== undefined) await checkReplaceable(plot, "plot");
  const { task, base } = await taskOf(options);
  const ablations = options.file === undefined ? await ownAblations(options.only) : [await readAblation(options.file)];
  const costOf = costs(task);
  const { steps, seeds } = options;
  const planned: Planned[] = ablations.map(({ rows, ...own }) => ({
    ...own,
    rows: planAblation({ rows, about: own.about }, base, { steps, seeds }, costOf),
  }));
  const trainings = unique(planned.flatMap(({ rows }) => rows.flatMap((row) => Object.values(row.trainings).flat())));
  const results = await Results.read(join(out, "results.jsonl"), described(options));
  const left = trainings.filter(({ key }) => !results.known.has(key));
  const sum = left.reduce((all, { multiplyAdds }) => all + multiplyAdds, 0);
  process.stderr.write(
    `${trainings.length} trainings, ${left.length} of them not done yet: ${(sum / 1e12).toFixed(1)} T multiply-adds\n`,
  );
  if (!options.plan && left.length > 0) {
    await makeFolder(out);
    const first = left[0].model;
    const done = await withDevice(
      options,
      trainingSteps((on) => trainerOf(on, task, first, 0)),
      (on) => trainAll(on, task, left, results, out),
    );
    if (!done) process.stderr.write("stopped. The same command goes on from here.\n");
  }
  const tables = planned.map(({ rows, ...own }) => ({ ...own, rows: compareRows(rows, results.known) }));
  if (plot !== undefined) await writeFileAtomic(plot, new TextEncoder().encode(ablationPlot(tables)));
  if (json) console.log(JSON.stringify({ ...described(options), steps, seeds, ablations: tables }));
  else for (const line of tables.flatMap(ablationLines)) console.log(line);
}

/** The task, a folder by its absolute path, whatever way it was typed. */
const described = ({ data, preset, recipe, batch, size }: AblateOptions): TaskName => ({
  data: datasetName(data),
  ...{ preset, recipe, batch, size },
});

async function taskOf({ data, preset, recipe, batch, size }: AblateOptions): Promise<{ task: Task; base: PTDiTConfig }> {
  const set = await loadDataset(data, { size });
  const split = splitSet(set);
  if (split.heldOut.count === 0)
    throw new ConfigError(`ablate: of ${set.count} pictures none could be held out. Give a data set of at least 10.`);
  const found = presetFor(preset, "pixels");
  const own = recipes[recipe];
  const tokenizer = Tokenizer.fromCaptions(set.captions);
  return { task: { ...split, tokenizer, recipe: own, batch }, base: pictureModel(found, size, own.model(found.config)) };
}

/** Multiply-adds of a model's training step, counted once a model. */
function costs(task: Task): (model: PTDiTConfig) => number {
  const known = new Map<string, number>();
  return (model) => {
    const key = JSON.stringify(model);
    const cost = known.get(key) ?? trainerOf(wasmPlanning(), task, model, 0).stepProgram.multiplyAdds;
    known.set(key, cost);
    return cost;
  };
}

const unique = (trainings: readonly Training[]): readonly Training[] => [
  ...new Map(trainings.map((training) => [training.key, training])).values(),
];

/** Trains what is left, one after another. Returns whether all are done. */
async function trainAll(
  device: Device,
  task: Task,
  left: readonly Training[],
  results: Results,
  out: string,
): Promise<boolean> {
  const stop = new StopRequest().begin();
  const total = left.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0);
  const progress = startProgress(left.length, 0, "{bar} {value}/{total} trainings | step {step} | {left} left");
  const begun = performance.now();
  let done = 0;
  try {
    for (const [i, training] of left.entries()) {
      const onStep = (step: number) => {
        const now = done + (training.multiplyAdds * step) / training.steps;
        const seconds = ((performance.now() - begun) / 1000) * (total / now - 1);
        progress.update(i, { step: `${step}/${training.steps}`, left: showTime(seconds) });
      };
      const result = await trainOne(device, task, training, { folder: out, signal: stop, onStep });
      if (!result) return false;
      await results.add(result);
      await forget(out, training);
      done += training.multiplyAdds;
      progress.update(i + 1, {});
    }
    return true;
  } finally {
    progress.stop();
    stop.end();
  }
}

export const ablateCommand = declared.action(ablate);
