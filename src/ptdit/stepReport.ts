import type { HostArray } from "../backend/host.js";
import { PtditError } from "../base/errors.js";
import type { NonFinite } from "../program/program.js";

/** What a step says of itself. */
export interface StepReport {
  /** Steps taken, this one included. */
  readonly step: number;
  readonly loss: number;
  readonly gradientNorm: number;
  readonly lr: number;
  /** Noise part u and loss of every sample. */
  readonly times: HostArray;
  readonly losses: HostArray;
}

/** A loss or a gradient stopped being a finite number. Weights are those of the last good step. */
export class NonFiniteError extends PtditError {
  override name = "NonFiniteError";
  constructor(
    readonly step: number,
    readonly source: NonFinite | undefined,
  ) {
    const where = source ? `first ${source.value} by call ${source.call}` : "in the gradient's norm";
    super(
      `train: step ${step} made a number that is not finite, ${where}. The weights before it are kept; lower the learning rate, or clip harder.`,
    );
  }
}
