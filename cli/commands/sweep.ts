import { dirname } from "node:path";
import { Command } from "commander";
import { counted } from "../../src/data/skipped.js";
import { writeFileAtomic } from "../../src/node/atomicFile.js";
import { loadFeatureNet } from "../../src/node/features.js";
import { checkReplaceable } from "../../src/node/replaceable.js";
import { keepSampling } from "../../src/node/run/keepSampling.js";
import {
  ranked,
  type SweepAxes,
  type SweepRow,
  type SweepSetting,
  sweep,
  sweepRule,
  sweepSettings,
} from "../../src/ptdit/sweep.js";
import { withDevice } from "../device.js";
import { count, device, f16, guidance, intervals, listOf, run, seed, solver, threads, tune, vectors } from "../options.js";
import { drawingStep, filesOf, loadRunData, openRun } from "../run.js";
import { showTime, startProgress } from "../show/progress.js";
import { sweepCsv, sweepLines } from "../show/sweep.js";
import { holdFolder } from "../training/runFolder.js";

/** What is tried where nobody says: in a few minutes for a small model. */
const usual: SweepAxes = {
  solvers: ["euler", "heun", "ab2"],
  steps: [4, 8, 16, 30],
  guidance: [1, 2, 3],
  intervals: [
    [0, 1],
    [0.5, 1],
  ],
};
const usualCaptions = 16;

const declared = new Command("sweep")
  .description("ways to draw, held against each other: solver, steps, guidance and its interval, CFG-Zero*")
  .addOption(run().makeOptionMandatory())
  .option("--solvers <list>", `integrators, with commas between them (default: ${usual.solvers})`, listOf(solver))
  .option("--steps <list>", `denoising steps (default: ${usual.steps})`, listOf(count("steps")))
  .option("--guidance <list>", `how closely to follow the text (default: ${usual.guidance})`, listOf(guidance))
  .option("--intervals <from,to...>", `parts of noise at which it guides (default: ${usual.intervals.join(" ")})`, intervals)
  .option("--cfg-zero", "guide by CFG-Zero* too: every guided way is tried with it and without")
  .option("--captions <count>", "captions that are drawn, evenly chosen", count("captions"), usualCaptions)
  .option("--keep", "the run draws the best way from now on, where nobody says otherwise")
  .option("--json", "print one JSON object")
  .option("--csv <file>", "also write the table as comma-separated values")
  .addOption(seed())
  .addOption(threads())
  .addOption(vectors())
  .addOption(device())
  .addOption(tune())
  .addOption(f16());

/** What `ptdit sweep` was given. */
export type SweepCommandOptions = ReturnType<typeof declared.opts>;

/** `ptdit sweep`: draws captions of a run in many ways, and ranks these; with `--keep` the run has the best of them. */
export async function runSweep(options: SweepCommandOptions): Promise<void> {
  const { keep, csv } = options;
  if (csv !== undefined) await checkReplaceable(csv, "table of a sweep");
  const { checkpoint } = await filesOf(options.run);
  // Held while it is measured, so that what is kept is kept in the checkpoint that was.
  const folder = keep ? await holdFolder(dirname(checkpoint)) : undefined;
  try {
    const found = await measured(options, () => folder?.touch());
    const [{ sampling }] = found.rows;
    if (csv !== undefined) await writeFileAtomic(csv, new TextEncoder().encode(sweepCsv(found.rows)));
    if (keep) await keepSampling(checkpoint, sampling);
    show(found, options);
  } finally {
    await folder?.release();
  }
}

interface Found {
  /** The best first. */
  readonly rows: readonly SweepRow[];
  /** Steps that the run has taken. */
  readonly step: number;
  /** Captions of its data. */
  readonly count: number;
}

async function measured(options: SweepCommandOptions, alive: () => Promise<void> | undefined): Promise<Found> {
  const { captions, seed } = options;
  const trained = openRun(options.run);
  return withDevice(options, drawingStep(trained, captions, {}), async (device) => {
    const { checkpoint, model } = await trained();
    const { run } = checkpoint;
    const { own: data } = await loadRunData(run);
    const features = await loadFeatureNet();
    const settings = sweepSettings(axesOf(options), run.flow);
    const progress = new SweepProgress(settings);
    const rows: SweepRow[] = [];
    try {
      for await (const row of sweep(device, model, data, run.flow, settings, { captions, seed, features })) {
        rows.push(row);
        progress.add(row);
        await alive();
      }
    } finally {
      progress.stop();
    }
    return { rows: ranked(rows), step: run.step, count: data.count };
  });
}

function show({ rows, step, count }: Found, { seed, json, keep }: SweepCommandOptions): void {
  const [{ judgement }] = rows;
  const { captions } = judgement;
  if (json) {
    const [best, ...others] = rows.map(described);
    console.log(JSON.stringify({ step, captions, seed, rule: sweepRule, best, rows: [best, ...others] }));
    return;
  }
  for (const line of sweepLines(rows)) console.log(line);
  console.log(`${counted(captions, "caption")} of ${count}; the best comes first: by ${sweepRule}`);
  if (keep) console.log("the run draws as the first line says from now on");
}

const axesOf = ({ solvers, steps, guidance, intervals, cfgZero }: SweepCommandOptions): SweepAxes => ({
  solvers: solvers ?? usual.solvers,
  steps: steps ?? usual.steps,
  guidance: guidance ?? usual.guidance,
  intervals: intervals ?? usual.intervals,
  cfgZero: cfgZero ? [false, true] : [false],
});

/** A row as JSON has it. */
function described({ sampling, predictions, judgement, kid }: SweepRow) {
  const { top1, top5, psnr, speckle, hf, seam } = judgement;
  return { ...sampling, predictions, top1, top5, psnr, speckle, hf, seam, kid };
}

/** How far a sweep has come: what its settings take goes by their predictions. */
class SweepProgress {
  private readonly begin = performance.now();
  private readonly all: number;
  private done = 0;
  private count = 0;
  private readonly line;

  constructor(settings: readonly SweepSetting[]) {
    this.all = settings.reduce((sum, { predictions }) => sum + predictions, 0);
    this.line = startProgress(settings.length, 0, "{bar} {value}/{total} ways | {left} left");
  }

  add({ predictions }: SweepSetting): void {
    this.done += predictions;
    const seconds = (performance.now() - this.begin) / 1000;
    this.line.update(++this.count, { left: showTime((seconds * (this.all - this.done)) / this.done) });
  }

  stop(): void {
    this.line.stop();
  }
}

export const sweepCommand = declared.action(runSweep);
