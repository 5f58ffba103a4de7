import { access } from "node:fs/promises";
import { Command } from "commander";
import { type FoundRun, listRuns, type UnreadRun } from "../../src/node/run/listRuns.js";
import { widthOf } from "../../src/ptdit/config.js";
import { type Column, tableLines } from "../show/table.js";
import { presetOfModel } from "../training/presetOfModel.js";

/** Where `ptdit train` keeps runs that are given no folder. */
const usual = "runs";

const declared = new Command("runs")
  .description("runs in a folder and below it: how far they came, how good they are, and their last picture")
  .argument("[folder]", `where to look (default: ${usual})`)
  .option("--json", "print one JSON array");

/** `ptdit runs`: one line a run, the one that was saved last first; what is damaged is named with why. */
export async function showRuns(folder: string | undefined, { json }: ReturnType<typeof declared.opts>): Promise<void> {
  const place = folder ?? usual;
  // Nobody has trained here yet.
  const runs = folder === undefined && !(await isThere(place)) ? [] : await listRuns(place);
  if (json) {
    console.log(JSON.stringify(runs.map((one) => ("error" in one ? one : described(one)))));
    return;
  }
  const isFound = (one: FoundRun | UnreadRun): one is FoundRun => !("error" in one);
  const found = runs.filter(isFound);
  if (runs.length === 0) console.log(`no runs in ${place}; ptdit train begins one`);
  if (found.length > 0) for (const line of tableLines(columns, found.map(described))) console.log(line);
  for (const one of runs) if (!isFound(one)) console.log(`not read: ${one.name}: ${one.error}`);
}

/** What is told of a run, as JSON has it. */
function described({ name, folder, run, saved, measures, picture }: FoundRun) {
  const { model, flow, training, size, data, step, steps, smoothedLoss } = run;
  return {
    ...{ name, folder, preset: presetOfModel(model, size) ?? null, recipe: run.recipe ?? null },
    ...{ width: widthOf(model), depth: model.depth, patch: model.patch },
    ...{ size, data, step, steps, smoothedLoss, prediction: flow.prediction, optimizer: training.optimizer },
    ...{ measures: measures ?? null, saved: saved.toISOString(), picture: picture ?? null },
  };
}
type Described = ReturnType<typeof described>;

const measure = (value: number | null | undefined, digits: number): string => value?.toFixed(digits) ?? "-";
const columns: readonly Column<Described>[] = [
  { title: "run", cell: ({ name }) => name },
  { title: "model", cell: ({ preset, width, depth }) => preset ?? `${width} x ${depth}` },
  // Earlier versions did not keep it.
  { title: "recipe", cell: ({ recipe }) => recipe ?? "-" },
  { title: "px", cell: ({ size }) => String(size), right: true },
  // By minutes: their number comes when it is known.
  { title: "steps", cell: ({ step, steps }) => `${step}/${steps || "?"}`, right: true },
  { title: "loss", cell: ({ smoothedLoss }) => measure(smoothedLoss, 4), right: true },
  { title: "at step", cell: ({ measures }) => measure(measures?.step, 0), right: true },
  { title: "top-1 %", cell: ({ measures }) => measure(measures && 100 * measures.top1, 1), right: true },
  { title: "PSNR", cell: ({ measures }) => measure(measures?.psnr, 1), right: true },
  { title: "speckle", cell: ({ measures }) => measure(measures?.speckle, 1), right: true },
  { title: "hf", cell: ({ measures }) => measure(measures?.hf, 1), right: true },
  { title: "seam", cell: ({ measures }) => measure(measures?.seam, 2), right: true },
  { title: "KID", cell: ({ measures }) => measure(measures?.kid, 4), right: true },
  { title: "predicts", cell: ({ prediction }) => prediction },
  { title: "optimiser", cell: ({ optimizer }) => optimizer },
  // Of the formats that are sorted as they read, Sweden's is the one with a space.
  { title: "saved", cell: ({ saved }) => new Date(saved).toLocaleString("sv-SE", { dateStyle: "short", timeStyle: "short" }) },
  { title: "picture", cell: ({ picture }) => picture ?? "-" },
];

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

export const runsCommand = declared.action(showRuns);
