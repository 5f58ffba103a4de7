import type { Prediction } from "../src/ptdit/paths/index.js";
import type { DeviceOptions } from "./device.js";

/** What `ptdit train` was given; nothing is filled in, so that a resumed run can tell what was asked for. */
export interface TrainOptions extends DeviceOptions {
  readonly data?: string;
  readonly recursive?: true;
  readonly preset?: string;
  readonly steps?: number;
  readonly minutes?: number;
  readonly stopAt?: number;
  readonly batch?: number;
  readonly accumulate?: number;
  readonly lr?: number;
  readonly warmup?: number;
  readonly hold?: number;
  readonly floor?: number;
  readonly clip?: number;
  readonly window?: [number, number, number];
  readonly patch?: number;
  readonly size?: number;
  readonly prediction?: Prediction;
  readonly ratio?: number;
  readonly checkpointing?: boolean;
  readonly out?: string;
  readonly resume?: true;
  readonly acceptChangedData?: true;
  readonly saveEvery?: number;
  readonly sampleEvery?: number;
  readonly seed?: number;
}

export const defaultPreset = "nano";
