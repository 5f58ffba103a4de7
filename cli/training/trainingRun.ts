import { strided } from "../../src/base/evenly.js";
import { RehearsedSet } from "../../src/data/rehearsal.js";
import type { FolderStore } from "../../src/node/run/folderStore.js";
import { sourceOf } from "../../src/ptdit/dataSource.js";
import type { DoneEvent, SessionEvent, StepEvent, UnkeptEvent } from "../../src/ptdit/session/events.js";
import { defaultSampleEvery, defaultSaveEvery } from "../../src/ptdit/session/options.js";
import { session } from "../../src/ptdit/session/session.js";
import { NonFiniteError } from "../../src/ptdit/stepReport.js";
import type { Trainer } from "../../src/ptdit/trainer.js";
import type { TrainOptions } from "../commands/train.js";
import { option } from "../shell.js";
import { warnMissing } from "../show/pictures.js";
import { type Progress, showTime, startProgress } from "../show/progress.js";
import { forecast } from "./forecast.js";
import { StopRequest } from "./stopRequest.js";
import type { Prepared } from "./train.js";

/** What a progress line goes up to while it is not known how many steps fill the time. */
const unknownTotal = 30;
const progressFormat = "{bar} {value}/{total} | loss {loss} | smoothed {smoothed} | {rate} images/s | {left} left";

/** A run under way, as a terminal shows it. */
export class TrainingRun {
  private readonly stop = new StopRequest();
  private readonly warned = new Set<string>();
  private progress: Progress | undefined;
  /** Steps in all that the progress line goes up to. */
  private total = 0;

  constructor(
    private readonly trainer: Trainer,
    private readonly prepared: Prepared,
    private readonly folder: FolderStore,
    private readonly options: TrainOptions,
  ) {}

  /** Trains until all steps are taken or somebody asks to stop. Returns whether all are taken. */
  async go(): Promise<boolean> {
    const { trainer, stop } = this;
    try {
      let last: SessionEvent | undefined;
      for await (const event of this.events()) {
        await this.show(event);
        last = event;
      }
      return last?.type === "done";
    } catch (error) {
      this.progress?.stop();
      if (error instanceof NonFiniteError) {
        const lower = Number((trainer.options.training.lr / 3).toPrecision(1));
        console.log(`step ${trainer.step} is saved. Go on with: ${this.resumeCommand([`--lr ${lower}`])}`);
      }
      throw error;
    } finally {
      stop.end();
    }
  }

  private events(): AsyncIterable<SessionEvent> {
    const { run, data, changes } = this.prepared;
    const { minutes, stopAt, saveEvery, sampleEvery } = this.options;
    // A new run knows how long it is; one that goes on has it stored.
    const { steps = changes || run.steps === 0 ? undefined : run.steps } = this.options;
    return session(this.trainer, this.folder, {
      ...(steps !== undefined && { steps }),
      ...(minutes !== undefined && { minutes }),
      ...(stopAt !== undefined && { stopAt }),
      ...(saveEvery !== undefined && { saveEvery }),
      ...(sampleEvery !== undefined && { sampleEvery }),
      ...(changes && { changes }),
      // What is new above all, and whether what was known stays.
      ...(data instanceof RehearsedSet && {
        prompts: [...strided(data.own.captions, 12), ...strided(data.known.captions, 4)],
      }),
      source: sourceOf(run),
      ...(run.recipe !== undefined && { recipe: run.recipe }),
      signal: this.stop,
    });
  }

  private async show(event: SessionEvent): Promise<void> {
    switch (event.type) {
      case "begun":
        this.greet();
        if (event.steps > 0 && event.step >= event.steps) return;
        if (event.resumed) this.showResumed();
        this.stop.begin();
        this.total = event.steps;
        this.progress = startProgress(event.steps || unknownTotal, event.step, progressFormat);
        return;
      case "step":
        return this.showStep(event);
      case "sampled":
        return warnMissing(event.prompts);
      case "unkept":
        return this.warn(event);
      case "stopped":
        this.progress?.stop();
        console.log(`stopped at step ${event.step}. Go on with: ${this.resumeCommand()}`);
        return;
      case "done":
        this.progress?.stop();
        console.log(event.taken > 0 ? this.finished(event) : this.nothingLeft(event));
    }
  }

  private greet(): void {
    const { trainer } = this;
    const { run, data } = this.prepared;
    const { arena, parameters } = trainer.bytes;
    const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
    console.log(
      `${data.count} pictures of ${run.size} px, ${trainer.model.parameterCount.toLocaleString("en-US")} parameters, ` +
        `batch ${run.training.batch}; memory: ${mebibytes(parameters)} of weights and moments, ${mebibytes(arena)} for a step`,
    );
    const left = run.steps - trainer.step;
    const told = left > 0 ? forecast(trainer, left) : undefined;
    if (told) console.log(told);
    const { stopAt } = this.options;
    if (stopAt !== undefined && run.steps > 0 && stopAt > run.steps)
      process.stderr.write(`note: --stop-at ${stopAt} comes after the last step, ${run.steps}.\n`);
  }

  /** Says where the run goes on, what has changed and how it is kept. */
  private showResumed(): void {
    const { run, changes = {} } = this.prepared;
    const { saveEvery = defaultSaveEvery, sampleEvery = defaultSampleEvery } = this.options;
    const { device } = this.trainer;
    const shown = Object.entries(changes).map(([name, [from, to]]) =>
      from === null ? `${name} ${to}` : `${name} ${from} -> ${to}`,
    );
    const { threads } = device.describe();
    console.log(
      [
        `resumed at step ${run.step}${run.steps ? ` of ${run.steps}` : ""}: ${shown.join(", ") || "nothing changed"}`,
        `saves every ${saveEvery} steps, samples every ${sampleEvery}`,
        `${device.name} on ${threads} ${threads === 1 ? "thread" : "threads"}`,
      ].join("; "),
    );
  }

  private showStep({ report, smoothedLoss, steps, imagesPerSecond, secondsLeft }: StepEvent): void {
    if (steps !== this.total) this.progress?.extend(steps);
    this.total = steps;
    this.progress?.update(report.step, {
      loss: report.loss.toFixed(4),
      smoothed: smoothedLoss.toFixed(4),
      rate: imagesPerSecond.toFixed(1),
      left: secondsLeft === undefined ? "?" : showTime(secondsLeft),
    });
  }

  /** Says once what of a kind is lost. */
  private warn({ what, error }: UnkeptEvent): void {
    if (!this.warned.has(what))
      process.stderr.write(`warning: the ${what} could not be written, training goes on: ${error.message}\n`);
    this.warned.add(what);
  }

  private finished({ step, seconds }: DoneEvent): string {
    return `done: ${step} steps in ${showTime(seconds)}; run, samples and curve are in ${this.folder.path}`;
  }

  private nothingLeft({ step }: DoneEvent): string {
    const unused = Object.keys(this.prepared.changes ?? {}).filter((name) => name !== "data");
    const also = unused.length > 0 ? ` Nothing was changed: ${unused.join(", ")}.` : "";
    return `done already: the run in ${this.folder.path} has taken its ${step} steps.${also} To train on, give --steps, more than ${step}, or --minutes.`;
  }

  /** How to go on with this run: what it does not keep itself is repeated. */
  private resumeCommand(more: readonly string[] = []): string {
    const { data, saveEvery, sampleEvery, threads, vectors, device, tune } = this.options;
    const given = { "--save-every": saveEvery, "--sample-every": sampleEvery, "--threads": threads, "--vectors": vectors };
    const kept = Object.entries({ ...given, ...(device !== "wasm" && { "--device": device }) });
    return [
      "ptdit train",
      option("--data", data ?? this.prepared.run.data),
      option("--out", this.folder.path),
      ...kept.flatMap(([flag, value]) => (value === undefined ? [] : [option(flag, value)])),
      ...(tune ? ["--tune"] : []),
      "--resume",
      ...more,
    ].join(" ");
  }
}
