import type { PtditError } from "../../base/errors.js";
import type { StepReport } from "../stepReport.js";
import type { Samples } from "./runStore.js";

/** The run is ready to take steps. */
export interface BegunEvent {
  readonly type: "begun";
  /** Steps taken, and steps in all: 0 where the time decides and their number is not known yet. */
  readonly step: number;
  readonly steps: number;
  /** Whether it goes on from a checkpoint. */
  readonly resumed: boolean;
}

/** A step was taken. Where some are in flight (`Target.runsInFlight`), the device's weights may be those of a later step by then. */
export interface StepEvent {
  readonly type: "step";
  readonly report: StepReport;
  readonly smoothedLoss: number;
  /** Steps in all; 0 until it is known how many fill the time. */
  readonly steps: number;
  readonly imagesPerSecond: number;
  /** Time left; undefined: not known yet. */
  readonly secondsLeft: number | undefined;
}

/** Pictures were drawn. */
export interface SampledEvent extends Samples {
  readonly type: "sampled";
}

/** A checkpoint of this step is kept. */
export interface SavedEvent {
  readonly type: "saved";
  readonly step: number;
}

/** What a run can do without could not be kept; the training goes on. */
export interface UnkeptEvent {
  readonly type: "unkept";
  readonly what: "log" | "samples";
  readonly error: PtditError;
}

/** The run is saved and can be gone on with: it was asked to stop, or came to its `stopAt`. */
export interface StoppedEvent {
  readonly type: "stopped";
  readonly step: number;
  /** What asked for it. */
  readonly reason: string;
}

/** All steps are taken. */
export interface DoneEvent {
  readonly type: "done";
  readonly step: number;
  /** Steps taken now; 0: there was nothing left to do, and nothing was changed. */
  readonly taken: number;
  /** Time they took. */
  readonly seconds: number;
}

/** What a session says. */
export type SessionEvent = BegunEvent | StepEvent | SampledEvent | SavedEvent | UnkeptEvent | StoppedEvent | DoneEvent;
