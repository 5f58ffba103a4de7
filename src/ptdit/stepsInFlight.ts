import { DeviceError } from "../base/errors.js";
import { handledLater } from "../base/handledLater.js";
import type { Program } from "../program/program.js";
import type { Value } from "../program/value.js";
import type { EncodedCaptions } from "./encodedCaptions.js";
import { NonFiniteError, type StepReport } from "./stepReport.js";

export type TrainingInput = "samples" | "ids" | "keep" | "lr";
export type TrainingOutput = "loss" | "norm" | "times" | "losses";

/** What a step is given. @shape samples [B, C, F, H, W], ids and keep [B, L], lr [] */
export interface StepInputs extends EncodedCaptions {
  readonly samples: Float32Array;
  readonly lr: number;
}

/** A step that the device was told of. */
interface Submitted {
  readonly inputs: StepInputs;
  readonly outputs: Promise<Record<TrainingOutput, Value>>;
}

interface StepUnderWay {
  readonly submitted: Promise<Submitted>;
  readonly report: Promise<StepReport>;
}

/**
 * Steps that are under way together: each is submitted when the one before it was, and heard of when that was. Once one fails, those
 * after it are void. They are refused with its error, and the step that is taken next is the one that failed.
 */
export class StepsInFlight {
  /** Steps taken, and heard of. */
  step = 0;
  /** Steps submitted. */
  private begun = 0;
  private last: StepUnderWay | undefined;
  /** Whether one failed since the last start. */
  private failed = false;

  constructor(
    private readonly program: Program<TrainingInput, TrainingOutput>,
    /** Makes what a step is given. */
    private readonly batch: (step: number) => Promise<StepInputs>,
    /** Lets steps change the weights again, after one that was not finite. */
    private readonly heal: () => void,
  ) {}

  /** Goes on from a step; none may be under way. */
  restart(step: number): void {
    this.heal();
    this.step = step;
    this.begun = step;
    this.failed = false;
  }

  /** Takes the next step, beside those that are under way.
   *  @throws NonFiniteError when its loss or gradient is not finite
   *  @throws whatever ends it or a step before it */
  async next(): Promise<StepReport> {
    const before = this.last;
    // Steps that were void have all been heard of, and none can come late.
    if (!before && this.failed) this.restart(this.step);
    const submitted = this.submit(before);
    const own = { submitted, report: this.hear(submitted, before) };
    this.last = own;
    try {
      return await own.report;
    } finally {
      if (this.last === own) this.last = undefined;
    }
  }

  private async submit(before: StepUnderWay | undefined): Promise<Submitted> {
    await before?.submitted;
    const inputs = await this.batch(this.begun);
    // The caller hears why from the step that failed.
    if (this.failed) throw new DeviceError("train: a step before this one failed.");
    this.program.runs = this.begun++;
    return { inputs, outputs: handledLater(this.program.run(inputs)) };
  }

  private async hear(submitted: Promise<Submitted>, before: StepUnderWay | undefined): Promise<StepReport> {
    handledLater(submitted);
    await before?.report;
    try {
      const { inputs, outputs } = await submitted;
      const { loss, norm, times, losses } = await outputs;
      const numbers = { loss: loss.item(), gradientNorm: norm.item() };
      if (!Object.values(numbers).every(Number.isFinite)) throw await this.nonFinite(inputs);
      this.step++;
      return { step: this.step, ...numbers, lr: inputs.lr, times: times.data, losses: losses.data };
    } catch (error) {
      this.failed = true;
      throw error;
    }
  }

  /** Repeats the step after the last good one, to find what went wrong in it. */
  private async nonFinite(inputs: StepInputs): Promise<NonFiniteError> {
    // Nothing is submitted from here on: the repeated step has the program for itself.
    this.failed = true;
    this.program.runs = this.step;
    return new NonFiniteError(this.step + 1, await this.program.findNonFinite(inputs));
  }
}
