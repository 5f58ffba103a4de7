/** What `ptdit bench` and the programs it times say to each other: one JSON object a line, over stdin and stdout, or between the
 *  bench and a browser's workers. */

import type { RecipeName } from "../src/ptdit/recipes.js";

export type Layout = "NN" | "NT" | "TN";
export const modes = ["forward", "train", "sample"] as const;
export type Mode = (typeof modes)[number];
export const models = ["ptdit", "dit"] as const;
export type ModelKind = (typeof models)[number];

export interface WorkloadCase {
  readonly kind: "workload";
  readonly name: string;
  readonly model: ModelKind;
  readonly mode: Mode;
  /** Ours only: pictures a step, if not the preset's. */
  readonly batch?: number;
  /** Ours only: the recipe, if not the model as the paper has it with AdamW. */
  readonly recipe?: RecipeName;
  /** For other engines, which do not know the presets. */
  readonly geometry?: Geometry;
}
/** Sizes of a workload. */
export interface Geometry {
  readonly heads: number;
  readonly headDim: number;
  readonly depth: number;
  readonly channels: number;
  /** @units pixels of the latent */
  readonly side: number;
  /** @units pixels */
  readonly patch: number;
  /** Frames, rows and columns, in tokens. */
  readonly window: readonly [number, number, number];
  readonly batch: number;
  readonly captionTokens: number;
  readonly captionChannels: number;
}
export interface MatmulCase {
  readonly kind: "matmul";
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Which operands are stored transposed; other engines are given NN. */
  readonly layout?: Layout;
  /** How many products in one call. */
  readonly batch?: number;
}
export interface RowsCase {
  readonly kind: "softmax" | "layerNorm";
  readonly rows: number;
  readonly columns: number;
}
/** A training step of a perceptron of one hidden layer, on 64 numbers: a program of microseconds. */
export interface MlpCase {
  readonly kind: "mlp";
  readonly hidden: number;
}
/** An op of `opCases`, by name. */
export interface OpCase {
  readonly kind: "op";
  readonly name: string;
}
/** What other engines are timed on too. */
export type PeerCase = WorkloadCase | MatmulCase | RowsCase | OpCase;
export type Case = PeerCase | MlpCase;

export type Request =
  | { readonly check: true }
  | { readonly prepare: Case }
  | { readonly run: number }
  /** Ours only: the arithmetic that one thread can do at this moment. */
  | { readonly peak: true }
  /** Ours only: all limits of the machine at this moment. */
  | { readonly limits: true }
  /** Ours on WebGPU only: those of the adapter. */
  | { readonly rates: true }
  | { readonly overhead: true }
  | { readonly rss: true }
  | { readonly end: true };

export interface Ready {
  readonly ready: true;
  readonly peer: string;
  readonly version: string;
  readonly threads: number;
  /** Ours only: from the engine's start to threads that wait for work.
   *  @units ms */
  readonly startMs?: number;
  /** Ours on WebGPU only. */
  readonly adapter?: { readonly name: string; readonly software: boolean };
}

/** What a prepared case of ours costs, as counted from its kernel calls. */
export interface Prepared {
  readonly prepared: true;
  readonly gflop?: number;
  readonly bytes?: number;
  /** Numbers that the op computes. */
  readonly elements?: number;
  /** Exponentials within attentions. */
  readonly exponentials?: number;
  readonly arenaBytes?: number;
  readonly compileMs?: number;
  readonly batch?: number;
}

/** What bounds every device. @units GFLOP/s; GB/s read and written */
export interface Rates {
  readonly gflops: number;
  readonly bandwidthGBs: number;
}
/** @units exponentials per ns */
export interface Limits extends Rates {
  readonly expPerNs: number;
}

/** What a step costs beside its arithmetic, as ratios. */
export interface Overhead {
  /** Part of a training step of `tiny` outside its kernels. */
  readonly jsShare: number;
  /** @units bytes */
  readonly heapBytesPerStep: number;
  /** What a second thread adds to an op too small to share.
   *  @units ns */
  readonly barrierNs: number;
  /** A whole sample of 30 steps over 30 times one step. */
  readonly sampleOverSteps: number;
  /** A training step of `s` that computes its blocks again over one that keeps them. */
  readonly checkpointing: { readonly arena: number; readonly time: number };
}

export type Answer =
  | Ready
  | Prepared
  | { readonly missing: string }
  | { readonly unsupported: string }
  | { readonly check: { readonly worst: number } }
  | { readonly times: readonly number[] }
  | { readonly peak: number }
  | { readonly limits: Limits }
  | { readonly rates: Rates }
  | { readonly overhead: Overhead }
  | { readonly rss: number };
