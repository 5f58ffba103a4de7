import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Device } from "../src/backend/device.js";
import { ConfigError } from "../src/base/errors.js";
import type { Dataset } from "../src/data/dataset.js";
import { loadDataset } from "../src/data/load.js";
import { describeSkipped } from "../src/data/skipped.js";
import { Tokenizer } from "../src/data/tokenizer.js";
import { writeFileAtomic } from "../src/io/atomic-file.js";
import { lossCurve } from "../src/io/curve.js";
import { type Checkpoint, loadCheckpoint, type RunDescription, saveCheckpoint } from "../src/ptdit/checkpoint.js";
import { ptditConfig } from "../src/ptdit/config.js";
import { flowConfig } from "../src/ptdit/flow.js";
import { Generator } from "../src/ptdit/generate.js";
import { presetOf } from "../src/ptdit/presets.js";
import { defaultTraining, NonFiniteError, Trainer } from "../src/ptdit/trainer.js";
import { type DeviceOptions, withDevice } from "./device.js";
import { RunLog } from "./log.js";
import { split, writeGrid } from "./pictures.js";
import { showTime, startProgress } from "./progress.js";
import { runFiles, warnLost } from "./run.js";

export interface TrainOptions extends DeviceOptions {
  readonly data: string;
  readonly recursive?: true;
  readonly preset: string;
  readonly steps?: number;
  readonly minutes?: number;
  readonly stopAt?: number;
  readonly batch?: number;
  readonly accumulate?: number;
  readonly lr?: number;
  readonly window?: [number, number, number];
  readonly patch?: number;
  readonly size?: number;
  readonly prediction?: "flow" | "v" | "epsilon";
  readonly ratio?: number;
  readonly checkpointing?: true;
  readonly out?: string;
  readonly resume?: true;
  readonly saveEvery: number;
  readonly sampleEvery: number;
  readonly seed: number;
}

const defaultSteps = 2000;
/** Steps between lines of the log. */
const logEvery = 10;
/** Steps after which `--minutes` becomes a number of steps: a first guess while the engine warms up, then better ones. The rate is
 *  still at its height then, so a new total changes only when it will fall. */
const timedSteps = [30, 100, 250];
/** Part of the time that goes to steps; the rest draws grids and saves. */
const stepShare = 0.95;

/** `ptdit train`: trains, shows and saves; Ctrl-C saves and says how to go on. Returns the run's folder. */
export async function train(options: TrainOptions): Promise<string> {
  const folder = options.out ?? join("runs", `${options.data.replace(/[^\w.-]+/g, "-")}-${options.preset}`);
  await withDevice(options, async (device) => {
    const { run, data, checkpoint } = await prepare(options, folder);
    for (const line of describeSkipped(data)) process.stderr.write(`warning: ${line}\n`);
    warnLost(Tokenizer.fromJSON(run.tokenizer), data.captions);
    await new TrainingRun(device, data, folder, run, options).go(checkpoint);
  });
  return folder;
}

interface Prepared {
  readonly run: RunDescription;
  readonly data: Dataset;
  readonly checkpoint?: Checkpoint;
}

/** What to train: a new run from the options, or the saved one. */
async function prepare(options: TrainOptions, folder: string): Promise<Prepared> {
  const path = runFiles(folder).checkpoint;
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (options.resume) {
    if (!exists) throw new ConfigError(`train: there is no run to resume in ${folder}. Leave out --resume to start one.`);
    const checkpoint = await loadCheckpoint(path);
    const { run } = checkpoint;
    if (run.data !== options.data)
      throw new ConfigError(
        `train: the run in ${folder} was trained on ${run.data}, not on ${options.data}. Give --data ${run.data}.`,
      );
    const data = await loadDataset(run.data, { size: run.size, recursive: run.recursive ?? false });
    return { run: { ...run, steps: options.steps ?? run.steps }, data, checkpoint };
  }
  if (exists)
    throw new ConfigError(`train: ${folder} already holds a run. Add --resume to go on with it, or choose another --out.`);
  const preset = presetOf(options.preset);
  const { window, patch, checkpointing } = options;
  const size = options.size ?? preset.side;
  const pictureChannels = 3;
  const model = ptditConfig({
    ...preset.config,
    // Pictures come as pixels: whatever latents the preset was laid out for, the model reads and predicts colours.
    inChannels: pictureChannels,
    outChannels: pictureChannels,
    sampleSize: size,
    captionChannels: 64,
    classes: 0,
    ...(window ? { window, proxyWindow: window } : {}),
    ...(patch ? { patch } : {}),
    ...(checkpointing ? { checkpointing } : {}),
  });
  const { batch, accumulate, lr, prediction, ratio, recursive = false } = options;
  const data = await loadDataset(options.data, { size, recursive });
  return {
    data,
    run: {
      model,
      flow: flowConfig({ ...(prediction ? { prediction } : {}), ...(ratio ? { ratio } : {}) }),
      training: {
        ...defaultTraining,
        batch: batch ?? Math.min(preset.batch, 16),
        seed: options.seed,
        ...(accumulate ? { accumulate } : {}),
        ...(lr ? { lr } : {}),
      },
      data: options.data,
      ...(recursive ? { recursive } : {}),
      size,
      tokenizer: Tokenizer.fromCaptions(data.captions).toJSON(),
      step: 0,
      steps: options.steps ?? (options.minutes ? 0 : defaultSteps),
      smoothedLoss: null,
    },
  };
}

class TrainingRun {
  private readonly files: ReturnType<typeof runFiles>;
  private readonly tokenizer: Tokenizer;
  private readonly trainer: Trainer;
  private readonly generator: Generator;
  private readonly prompts: readonly string[];
  private interrupted = false;
  /** Steps in all; 0 until `--minutes` is known in steps. */
  private steps: number;

  constructor(
    device: Device,
    private readonly data: Dataset,
    private readonly folder: string,
    private readonly run: RunDescription,
    private readonly options: TrainOptions,
  ) {
    this.files = runFiles(folder);
    this.tokenizer = Tokenizer.fromJSON(run.tokenizer);
    this.trainer = new Trainer(device, data, this.tokenizer, run);
    this.generator = new Generator(device, this.trainer.average, this.tokenizer, run.flow, run.size);
    const stride = Math.max(1, Math.floor(data.count / 16));
    this.prompts = data.captions.filter((_, i) => i % stride === 0).slice(0, 16);
    this.steps = run.steps;
  }

  async go(checkpoint: Checkpoint | undefined): Promise<void> {
    const { trainer, run } = this;
    if (checkpoint) trainer.restore(checkpoint.state, run.step);
    trainer.plan(this.steps || Number.POSITIVE_INFINITY);
    await mkdir(this.folder, { recursive: true });
    const log = await RunLog.open(this.files.log, trainer.step, run.smoothedLoss);
    const { arena, parameters } = trainer.bytes;
    const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
    console.log(
      `${this.data.count} pictures of ${run.size} px, ${trainer.model.parameterCount.toLocaleString("en-US")} parameters, ` +
        `batch ${run.training.batch}; memory: ${mebibytes(parameters)} of weights and moments, ${mebibytes(arena)} for a step`,
    );
    const interrupt = () => {
      this.interrupted = true;
    };
    process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
    try {
      await this.loop(log);
    } finally {
      process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
      this.generator.dispose();
      this.trainer.dispose();
    }
  }

  private async loop(log: RunLog): Promise<void> {
    const { trainer, run, options } = this;
    const format = "{bar} {value}/{total} | loss {loss} | smoothed {smoothed} | {rate} images/s | {left} left";
    const progress = startProgress(this.steps || (timedSteps[0] as number), trainer.step, format);
    const begin = { time: performance.now(), step: trainer.step };
    const recent: number[] = [];
    const last = () => Math.min(this.steps || Number.POSITIVE_INFINITY, options.stopAt ?? Number.POSITIVE_INFINITY);
    try {
      while (trainer.step < last() && !this.interrupted) {
        const from = performance.now();
        const report = await trainer.next();
        log.add(report);
        const taken = trainer.step - begin.step;
        // Recent steps tell more than the first, which ran while the engine was still compiling.
        recent.push(performance.now() - from);
        if (recent.length > 60) recent.shift();
        const perStep = recent.reduce((sum, ms) => sum + ms, 0) / recent.length / 1000;
        if (run.steps === 0 && timedSteps.includes(taken)) {
          this.layOut((performance.now() - begin.time) / 1000, perStep);
          progress.extend(this.steps);
        }
        const rate = run.training.batch / perStep;
        progress.update(trainer.step, {
          loss: report.loss.toFixed(4),
          smoothed: (log.smoothedLoss ?? 0).toFixed(4),
          rate: rate.toFixed(1),
          left: this.steps ? showTime((this.steps - trainer.step) * perStep) : "?",
        });
        if (trainer.step % logEvery === 0) await log.flush(rate);
        if (trainer.step % options.sampleEvery === 0) await this.show(log);
        if (trainer.step % options.saveEvery === 0) await this.save(log);
        // Timers and signals get a turn.
        await new Promise(setImmediate);
      }
    } catch (error) {
      progress.stop();
      if (error instanceof NonFiniteError) await this.save(log);
      throw error;
    }
    progress.stop();
    await log.flush((run.training.batch * (trainer.step - begin.step)) / ((performance.now() - begin.time) / 1000));
    await this.save(log);
    if (trainer.step >= this.steps && this.steps > 0) {
      await this.show(log);
      console.log(
        `done: ${trainer.step} steps in ${showTime((performance.now() - begin.time) / 1000)}; run, samples and curve are in ${this.folder}`,
      );
    } else {
      const total = this.steps ? ` --steps ${this.steps}` : ` --minutes ${options.minutes}`;
      console.log(
        `stopped at step ${trainer.step}. Go on with: ptdit train --data ${run.data} --out ${this.folder}${total} --resume`,
      );
    }
  }

  /** Turns the minutes that are left into a number of steps. */
  private layOut(elapsed: number, perStep: number): void {
    const left = Math.max(0, (this.options.minutes ?? 0) * 60 - elapsed) * stepShare;
    this.steps = Math.max(this.trainer.step + 1, this.trainer.step + Math.round(left / perStep));
    this.trainer.plan(this.steps);
  }

  /** Samples of fixed captions and seeds by the averaged weights, and the loss so far. */
  private async show(log: RunLog): Promise<void> {
    const pictures = split(await this.generator.pictures(this.prompts, { seed: 0 }), this.run.size);
    await writeGrid(this.files.grid(this.trainer.step), pictures, { columns: 4, factor: 3, captions: this.prompts });
    if (log.lines.length > 1) {
      const points = log.lines.map(({ step, loss, smoothedLoss }) => ({ x: step, y: loss, smoothed: smoothedLoss }));
      await writeFileAtomic(this.files.curve, await lossCurve(points));
    }
  }

  private async save(log: RunLog): Promise<void> {
    const run = { ...this.run, step: this.trainer.step, steps: this.steps, smoothedLoss: log.smoothedLoss };
    await saveCheckpoint(this.files.checkpoint, { run, state: await this.trainer.state() });
  }
}
