import { join } from "node:path";

/** Names within a run's folder. */
export interface RunFiles {
  readonly checkpoint: string;
  readonly log: string;
  /** The log as a table. */
  readonly table: string;
  /** What was found when it was evaluated last. */
  readonly measures: string;
  readonly lock: string;
  readonly curve: string;
  readonly sample: string;
  readonly allCaptions: string;
  readonly samples: string;
  readonly grid: (step: number) => string;
  /** The step of a file of `samples`, by its name; undefined: it is no grid. */
  readonly stepOf: (name: string) => number | undefined;
}

/** Where a run's folder holds what. */
export const runFiles = (folder: string): RunFiles => ({
  checkpoint: join(folder, "checkpoint.safetensors"),
  log: join(folder, "log.jsonl"),
  table: join(folder, "log.csv"),
  measures: join(folder, "measures.json"),
  lock: join(folder, "run.lock"),
  curve: join(folder, "loss.png"),
  sample: join(folder, "sample.png"),
  allCaptions: join(folder, "all-captions.png"),
  samples: join(folder, "samples"),
  grid: (step: number) => join(folder, "samples", `step-${String(step).padStart(6, "0")}.png`),
  stepOf: (name) => {
    const [, step] = /^step-(\d{6,})\.png$/.exec(name) ?? [];
    return step === undefined ? undefined : Number(step);
  },
});
