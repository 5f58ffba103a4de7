import { access } from "node:fs/promises";
import type { Device } from "../src/backend/device.js";
import { PtditError } from "../src/base/errors.js";
import { Tokenizer } from "../src/data/tokenizer.js";
import { writeFileAtomic } from "../src/node/atomicFile.js";
import { type RunDescription, saveCheckpoint } from "../src/node/checkpoint.js";
import { lossCurve } from "../src/pictures/curve.js";
import { Generator } from "../src/ptdit/generate.js";
import { Pace } from "../src/ptdit/session/pace.js";
import { NonFiniteError, Trainer } from "../src/ptdit/trainer.js";
import { RunLog } from "./log.js";
import { split, writeGrid } from "./pictures.js";
import { showTime, startProgress } from "./progress.js";
import { runFiles } from "./run.js";
import type { RunFolder } from "./runFolder.js";
import { option } from "./shell.js";
import { StopRequest } from "./stopRequest.js";
import type { Prepared } from "./train.js";
import { defaultSampleEvery, defaultSaveEvery, type TrainOptions } from "./trainOptions.js";

/** Steps between lines of the log. */
const logEvery = 10;
/** What a progress line goes up to while it is not known how many steps fill the time. */
const unknownTotal = 30;

/** A run under way: takes steps, draws, logs and saves until its steps are taken or somebody asks to stop. */
export class TrainingRun {
  private readonly run: RunDescription;
  private readonly files: ReturnType<typeof runFiles>;
  private readonly trainer: Trainer;
  private readonly generator: Generator;
  private readonly prompts: readonly string[];
  private readonly stop = new StopRequest();
  private readonly every: { readonly save: number; readonly sample: number };
  private readonly warned = new Set<string>();
  private pace: Pace;
  /** The step of the last grid. */
  private shown = -1;

  constructor(
    private readonly device: Device,
    private readonly prepared: Prepared,
    private readonly folder: RunFolder,
    private readonly options: TrainOptions,
  ) {
    const { run, data } = prepared;
    this.run = run;
    this.files = runFiles(folder.path);
    const tokenizer = Tokenizer.fromJSON(run.tokenizer);
    const { model, flow, training } = run;
    this.trainer = new Trainer(device, data, tokenizer, { model, flow, training });
    this.generator = new Generator(device, this.trainer.average, run.flow, run.size);
    const stride = Math.max(1, Math.floor(data.count / 16));
    this.prompts = data.captions.filter((_, i) => i % stride === 0).slice(0, 16);
    this.every = { save: options.saveEvery ?? defaultSaveEvery, sample: options.sampleEvery ?? defaultSampleEvery };
    this.pace = new Pace({ ...run, every: this.every });
  }

  /** Trains. Returns whether all steps are taken. */
  async go(): Promise<boolean> {
    const { trainer, run, prepared } = this;
    try {
      if (prepared.checkpoint) trainer.restore(prepared.checkpoint.state, run.step);
      trainer.plan(run.steps || Number.POSITIVE_INFINITY);
      await this.folder.check();
      const log = await RunLog.open(this.files.log, trainer.step, run.smoothedLoss);
      this.greet();
      if (run.steps > 0 && trainer.step >= run.steps) return await this.nothingLeft(log);
      await this.noteResumed(log);
      this.stop.begin();
      return await this.loop(log);
    } finally {
      this.stop.end();
      this.generator.dispose();
      trainer.dispose();
    }
  }

  private greet(): void {
    const { trainer, run } = this;
    const { arena, parameters } = trainer.bytes;
    const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
    console.log(
      `${this.prepared.data.count} pictures of ${run.size} px, ${trainer.model.parameterCount.toLocaleString("en-US")} parameters, ` +
        `batch ${run.training.batch}; memory: ${mebibytes(parameters)} of weights and moments, ${mebibytes(arena)} for a step`,
    );
    const { stopAt } = this.options;
    if (stopAt !== undefined && run.steps > 0 && stopAt > run.steps)
      process.stderr.write(`note: --stop-at ${stopAt} comes after the last step, ${run.steps}.\n`);
  }

  /** Says and logs where the run goes on, what has changed and how it is kept. */
  private async noteResumed(log: RunLog): Promise<void> {
    const { changes } = this.prepared;
    if (!changes) return;
    const { run, every, device } = this;
    const shown = Object.entries(changes).map(([name, [from, to]]) =>
      from === null ? `${name} ${to}` : `${name} ${from} -> ${to}`,
    );
    const { threads } = device.describe();
    console.log(
      [
        `resumed at step ${run.step}${run.steps ? ` of ${run.steps}` : ""}: ${shown.join(", ") || "nothing changed"}`,
        `saves every ${every.save} steps, samples every ${every.sample}`,
        `${device.name} on ${threads} ${threads === 1 ? "thread" : "threads"}`,
      ].join("; "),
    );
    const { lr, warmup, hold, floor, clip, accumulate, checkpointing } = run.training;
    const settings = { lr, warmup, hold, floor, clip, accumulate, checkpointing, steps: run.steps };
    await this.tolerate("log", () =>
      log.note({
        step: run.step,
        resumed: changes,
        settings: { ...settings, saveEvery: every.save, sampleEvery: every.sample, device: device.name, threads },
      }),
    );
  }

  private async loop(log: RunLog): Promise<boolean> {
    const { trainer, run, options, every } = this;
    const format = "{bar} {value}/{total} | loss {loss} | smoothed {smoothed} | {rate} images/s | {left} left";
    const progress = startProgress(run.steps || unknownTotal, trainer.step, format);
    this.pace = new Pace({ ...run, every });
    const { pace } = this;
    const last = () => Math.min(pace.steps || Number.POSITIVE_INFINITY, options.stopAt ?? Number.POSITIVE_INFINITY);
    const asked = () => this.stop.reason !== undefined;
    try {
      while (trainer.step < last() && !asked()) {
        const report = await trainer.next();
        log.add(report);
        if (pace.stepped()) {
          trainer.plan(pace.steps);
          progress.extend(pace.steps);
        }
        const rate = run.training.batch / pace.perStep;
        const left = pace.left();
        progress.update(trainer.step, {
          loss: report.loss.toFixed(4),
          smoothed: (log.smoothedLoss ?? 0).toFixed(4),
          rate: rate.toFixed(1),
          left: left === undefined ? "?" : showTime(left),
        });
        if (trainer.step % logEvery === 0) await this.tolerate("log", () => log.flush(rate));
        if (trainer.step % every.sample === 0 && !asked()) await this.show(log);
        if (trainer.step % every.save === 0) await this.save(log);
        await this.folder.keep();
        // Timers and signals get a turn.
        await new Promise(setImmediate);
      }
    } catch (error) {
      progress.stop();
      if (error instanceof NonFiniteError) {
        await this.save(log);
        const { lr } = run.training;
        console.log(
          `step ${trainer.step} is saved. Go on with: ${this.resumeCommand([`--lr ${Number((lr / 3).toPrecision(1))}`])}`,
        );
      }
      throw error;
    }
    progress.stop();
    await this.tolerate("log", () => log.flush((run.training.batch * pace.taken) / pace.elapsed));
    await this.save(log);
    const finished = trainer.step >= pace.steps && pace.steps > 0;
    if (finished) {
      await this.show(log);
      console.log(
        `done: ${trainer.step} steps in ${showTime(pace.elapsed)}; run, samples and curve are in ${this.folder.path}`,
      );
    } else {
      console.log(`stopped at step ${trainer.step}. Go on with: ${this.resumeCommand()}`);
    }
    return finished;
  }

  /** Says that all steps are taken; draws what a kill may have kept from being drawn. */
  private async nothingLeft(log: RunLog): Promise<boolean> {
    const { trainer, folder, prepared } = this;
    const drawn = await access(this.files.grid(trainer.step)).then(
      () => true,
      () => false,
    );
    if (!drawn) await this.show(log);
    const unused = Object.keys(prepared.changes ?? {}).filter((name) => name !== "data");
    const also = unused.length > 0 ? ` Nothing was changed: ${unused.join(", ")}.` : "";
    console.log(
      `done already: the run in ${folder.path} has taken its ${trainer.step} steps.${also} To train on, give --steps, more than ${trainer.step}, or --minutes.`,
    );
    return true;
  }

  /** How to go on with this run: what it does not keep itself is repeated. */
  private resumeCommand(more: readonly string[] = []): string {
    const { data, saveEvery, sampleEvery, threads, vectors, device } = this.options;
    const given = { "--save-every": saveEvery, "--sample-every": sampleEvery, "--threads": threads, "--vectors": vectors };
    const kept = Object.entries({ ...given, ...(device !== "wasm" && { "--device": device }) });
    return [
      "ptdit train",
      option("--data", data ?? this.run.data),
      option("--out", this.folder.path),
      ...kept.flatMap(([flag, value]) => (value === undefined ? [] : [option(flag, value)])),
      "--resume",
      ...more,
    ].join(" ");
  }

  /** Samples of fixed captions and seeds by the averaged weights, and the loss so far. */
  private async show(log: RunLog): Promise<void> {
    const { step } = this.trainer;
    if (this.shown === step) return;
    this.shown = step;
    await this.pace.aside("sample", () =>
      this.tolerate("samples", async () => {
        const pictures = split(await this.generator.pictures(this.prompts, { seed: 0 }), this.run.size);
        await writeGrid(this.files.grid(step), pictures, { columns: 4, factor: 3, captions: this.prompts });
        if (log.lines.length > 1) {
          const points = log.lines.map(({ step, loss, smoothedLoss }) => ({ x: step, y: loss, smoothed: smoothedLoss }));
          await writeFileAtomic(this.files.curve, await lossCurve(points));
        }
      }),
    );
  }

  private async save(log: RunLog): Promise<void> {
    await this.pace.aside("save", async () => {
      await this.folder.check();
      const { secondsLeft: _, ...rest } = this.run;
      const { steps, secondsLeft } = this.pace;
      const run: RunDescription = {
        ...rest,
        step: this.trainer.step,
        steps,
        ...(secondsLeft !== undefined && { secondsLeft }),
        smoothedLoss: log.smoothedLoss,
      };
      await saveCheckpoint(this.files.checkpoint, { run, state: this.trainer.stateSource() });
    });
  }

  /** Does what a run can do without: when it fails, that is said once and the training goes on. */
  private async tolerate(what: string, body: () => Promise<void>): Promise<void> {
    try {
      await body();
    } catch (error) {
      if (!(error instanceof PtditError)) throw error;
      if (!this.warned.has(what))
        process.stderr.write(`warning: the ${what} could not be written, training goes on: ${error.message}\n`);
      this.warned.add(what);
    }
  }
}
