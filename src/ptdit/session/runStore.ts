import type { Checkpoint } from "../readCheckpoint.js";
import type { CheckpointSource } from "../writeCheckpoint.js";
import type { LogEntry } from "./log.js";

/** Pictures that were drawn at a step, by the averaged weights. */
export interface Samples {
  readonly step: number;
  readonly prompts: readonly string[];
  /** Side of a picture, in pixels. */
  readonly size: number;
  /** @shape [prompts, C, size, size] in -1..1 */
  readonly pictures: Float32Array;
}

/** Where one run is kept: a folder (`folderStore` of `ptdit/node`), a browser (`browserStore`), memory (`memoryStore`). */
export interface RunStore {
  /** The last checkpoint, whole; undefined: none was saved yet.
   *  @throws FormatError when it is damaged */
  last(): Promise<Checkpoint | undefined>;
  /** Saves a checkpoint in place of the last. Wherever it is cut off, one of the two is there, whole. */
  save(source: CheckpointSource): Promise<void>;
  /** Opens the log at a step: what a lost continuation wrote after it is dropped. Returns the lines that stay. */
  openLog(step: number): Promise<readonly LogEntry[]>;
  /** Adds a line to the log. */
  append(entry: LogEntry): Promise<void>;
  /** Keeps the pictures of a step. */
  keep(samples: Samples): Promise<void>;
  /** Whether pictures of this step are kept. */
  holds(step: number): Promise<boolean>;
  /** Is called between two steps: a sign of life, where others may be waiting for the place. */
  touch?(): Promise<void>;
}
