import { PtditError } from "../../base/errors.js";
import { strided } from "../../base/evenly.js";
import { handledLater } from "../../base/handledLater.js";
import { checkValue } from "../../base/options.js";
import { nextTurn } from "../../base/turn.js";
import { sideOf } from "../../data/dataset.js";
import { type DataFingerprint, fingerprintOf } from "../../data/fingerprint.js";
import { PictureSet } from "../../data/pictureSet.js";
import { sourceOf } from "../dataSource.js";
import { Generator } from "../generate.js";
import type { RunDescription } from "../readCheckpoint.js";
import { samplingConfig } from "../sampling.js";
import { NonFiniteError, type StepReport } from "../stepReport.js";
import { Trainer } from "../trainer.js";
import type { SessionEvent } from "./events.js";
import { logEvery, RunLog } from "./log.js";
import { checkSession, defaultSampleEvery, defaultSaveEvery, runLength, type SessionOptions } from "./options.js";
import { Pace } from "./pace.js";
import type { RunStore } from "./runStore.js";
import { kindsOf, takeUp } from "./takeUp.js";

/** Pictures that are drawn when nobody says which. */
const mostSamples = 16;

/**
 * Trains, and says what happens: steps, samples, checkpoints, the end. A store that holds a checkpoint is gone on with, and the
 * run equals one that was never stopped, bit for bit. Whoever leaves the loop early stops the run: it is saved all the same.
 *
 *     for await (const event of session(trainer, memoryStore(), { steps: 500 })) if (event.type === "step") show(event.report);
 *
 * The trainer stays the caller's, to be disposed of.
 * @throws ConfigError when an option is unknown or against its rule, or the stored run is not this trainer's
 * @throws NonFiniteError when a step makes a number that is not finite; the state before it is saved
 * @throws FileError when a checkpoint cannot be kept; the last one stays
 */
export function session(
  trainer: Trainer,
  store: RunStore,
  options: SessionOptions = {},
): AsyncGenerator<SessionEvent, void, undefined> {
  checkValue("session", "the trainer", trainer, { text: "a Trainer", holds: (value) => value instanceof Trainer });
  checkValue("session", "the store", store, {
    text: "a place to keep a run, such as memoryStore()",
    holds: (value) => typeof Object(value).save === "function",
  });
  checkSession(options);
  return events(trainer, store, options);
}

async function* events(
  trainer: Trainer,
  store: RunStore,
  options: SessionOptions,
): AsyncGenerator<SessionEvent, void, undefined> {
  const saved = await takeUp(trainer, store);
  const length = runLength(options, saved);
  trainer.plan(length.steps || Number.POSITIVE_INFINITY);
  await store.openLog(trainer.step);
  const { step } = trainer;
  const every = { save: options.saveEvery ?? defaultSaveEvery, sample: options.sampleEvery ?? defaultSampleEvery };
  const log = new RunLog(saved?.smoothedLoss ?? null);
  const own = saved?.recipe === undefined ? options : { recipe: saved.recipe, ...options };
  const run = new Underway(trainer, store, own, every, log, new Pace({ ...length, step, every }));
  yield* run.events(saved !== undefined);
}

/** A run between its begin and its end. */
class Underway {
  private readonly generator: Generator;
  private readonly prompts: readonly string[];
  private readonly fingerprint: DataFingerprint | undefined;
  /** The steps that were drawn and saved last. */
  private drawn = -1;
  private saved = -1;

  constructor(
    private readonly trainer: Trainer,
    private readonly store: RunStore,
    private readonly options: SessionOptions,
    private readonly every: { readonly save: number; readonly sample: number },
    private readonly log: RunLog,
    private readonly pace: Pace,
  ) {
    const { device, average, data } = trainer;
    const { flow, sampling } = trainer.options;
    this.generator = new Generator(device, average, flow, sideOf(data), sampling);
    // A data set that is read as it goes is not read for this.
    if (data instanceof PictureSet) this.fingerprint = fingerprintOf(data);
    this.prompts = options.prompts ?? strided(data.captions, mostSamples);
  }

  async *events(resumed: boolean): AsyncGenerator<SessionEvent, void, undefined> {
    const { trainer, pace } = this;
    const { steps } = pace;
    const isDone = () => pace.steps > 0 && trainer.step >= pace.steps;
    const nothingLeft = isDone();
    let leftEarly = !nothingLeft;
    try {
      yield { type: "begun", step: trainer.step, steps, resumed };
      if (nothingLeft) {
        // A kill may have kept the last pictures from being drawn.
        if (!(await this.store.holds(trainer.step))) yield* await this.draw();
      } else {
        if (resumed) yield* await this.noteResumed();
        yield* this.steps();
        yield* await this.writeLog((this.batch * pace.taken) / pace.elapsed);
        yield* await this.save();
        leftEarly = false;
        if (isDone()) yield* await this.draw();
      }
      const { step } = trainer;
      if (isDone()) yield { type: "done", step, taken: pace.taken, seconds: pace.elapsed };
      else yield { type: "stopped", step, reason: this.reason };
    } catch (error) {
      leftEarly = false;
      if (error instanceof NonFiniteError) yield* await this.save();
      throw error;
    } finally {
      try {
        if (leftEarly) {
          await this.writeLog((this.batch * pace.taken) / pace.elapsed);
          await this.save();
        }
      } finally {
        this.generator.dispose();
      }
    }
  }

  /** Takes steps until all are taken, or somebody asks to stop: those in flight are heard of first. */
  private async *steps(): AsyncGenerator<SessionEvent, void, undefined> {
    const { trainer, store, pace, every } = this;
    const flight: Promise<StepReport>[] = [];
    // Steps taken, those in flight included.
    let taken = trainer.step;
    try {
      for (;;) {
        for (; this.mayBegin(taken, flight.length); taken++) flight.push(handledLater(trainer.next()));
        const own = flight.shift();
        if (!own) return;
        const report = await own;
        const smoothedLoss = this.log.add(report);
        if (pace.stepped(flight.length)) trainer.plan(pace.steps);
        const imagesPerSecond = this.batch / pace.perStep;
        yield { type: "step", report, smoothedLoss, steps: pace.steps, imagesPerSecond, secondsLeft: pace.left() };
        const { step } = report;
        if (step % logEvery === 0) yield* await this.writeLog(imagesPerSecond);
        if (step % every.sample === 0 && !this.asked) yield* await this.draw();
        if (step % every.save === 0) yield* await this.save();
        await store.touch?.();
        await nextTurn();
        // Whoever listens may have taken some too.
        if (flight.length === 0) taken = trainer.step;
      }
    } finally {
      await this.land(flight);
    }
  }

  /** Whether a step may begin: no more of them in flight than the device likes, and none past a step that is saved or drawn before it is. */
  private mayBegin(taken: number, inFlight: number): boolean {
    const { every, pace } = this;
    const { stopAt = Number.POSITIVE_INFINITY } = this.options;
    if (this.asked || taken >= Math.min(pace.steps || Number.POSITIVE_INFINITY, stopAt)) return false;
    const { runsInFlight } = this.trainer.device.target;
    return inFlight === 0 || (inFlight < runsInFlight && taken % every.save > 0 && taken % every.sample > 0);
  }

  /** Hears of the steps in flight when nobody listens any more: they are taken, and the run is saved with them. */
  private async land(flight: readonly Promise<StepReport>[]): Promise<void> {
    for (const [i, own] of flight.entries()) {
      try {
        this.log.add(await own);
        this.pace.stepped(flight.length - 1 - i);
      } catch {
        // Nor are those after it taken. Who goes on with the run meets it again.
        return;
      }
    }
  }

  private get batch(): number {
    return this.trainer.options.training.batch;
  }

  private get asked(): boolean {
    return this.options.signal?.aborted === true;
  }

  private get reason(): string {
    const { signal, stopAt } = this.options;
    if (!signal?.aborted) return `step ${stopAt}`;
    return signal.reason instanceof Error ? signal.reason.message : String(signal.reason);
  }

  /** Logs where the run goes on, what has changed and how it is kept. */
  private noteResumed(): Promise<SessionEvent[]> {
    const { trainer, every, pace } = this;
    const { lr, warmup, hold, floor, clip, weightDecay, huber, accumulate, checkpointing } = trainer.options.training;
    const settings = { lr, warmup, hold, floor, clip, weightDecay, huber, accumulate, checkpointing, steps: pace.steps };
    const { name: device } = trainer.device;
    const { threads } = trainer.device.describe();
    return this.tolerate("log", () =>
      this.store.append({
        step: trainer.step,
        resumed: this.options.changes ?? {},
        settings: { ...settings, saveEvery: every.save, sampleEvery: every.sample, device, threads },
      }),
    );
  }

  private writeLog(imagesPerSecond: number): Promise<SessionEvent[]> {
    return this.tolerate("log", async () => {
      const line = this.log.line(imagesPerSecond);
      if (line) await this.store.append(line);
    });
  }

  /** Pictures of fixed captions and seeds by the averaged weights. */
  private async draw(): Promise<SessionEvent[]> {
    const { prompts } = this;
    const { step, data } = this.trainer;
    if (this.drawn === step || prompts.length === 0) return [];
    this.drawn = step;
    return this.pace.aside("sample", async () => {
      const drawn: SessionEvent[] = [];
      const lost = await this.tolerate("samples", async () => {
        const samples = { step, prompts, size: sideOf(data), pictures: await this.generator.pictures(prompts, { seed: 0 }) };
        drawn.push({ type: "sampled", ...samples });
        await this.store.keep(samples);
      });
      return [...drawn, ...lost];
    });
  }

  /** Saves the state, unless it was saved at this step. */
  private async save(): Promise<SessionEvent[]> {
    const { trainer, store, pace } = this;
    const { step } = trainer;
    if (this.saved === step) return [];
    await pace.aside("save", () => store.save({ run: this.description(), state: trainer.stateSource() }));
    this.saved = step;
    return [{ type: "saved", step }];
  }

  /** What a checkpoint says of the run. */
  private description(): RunDescription {
    const { options, data, tokenizer, step } = this.trainer;
    const { steps, secondsLeft } = this.pace;
    const { source = { data: data.name }, recipe } = this.options;
    return {
      model: options.model,
      flow: options.flow,
      training: options.training,
      sampling: samplingConfig(options.sampling),
      ...sourceOf(source),
      ...(recipe !== undefined && { recipe }),
      size: sideOf(data),
      tokenizer: tokenizer.toJSON(),
      ...kindsOf(this.trainer),
      step,
      steps,
      smoothedLoss: this.log.smoothedLoss,
      ...(this.fingerprint && { fingerprint: this.fingerprint }),
      ...(secondsLeft !== undefined && { secondsLeft }),
    };
  }

  /** Does what a run can do without: when it fails, that is said and the training goes on. */
  private async tolerate(what: "log" | "samples", body: () => Promise<void>): Promise<SessionEvent[]> {
    try {
      await body();
      return [];
    } catch (error) {
      if (!(error instanceof PtditError)) throw error;
      return [{ type: "unkept", what, error }];
    }
  }
}
