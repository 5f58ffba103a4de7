/** A run's folder, and what is read back from it. */
import { join } from "node:path";
import type { Device } from "../src/backend/device.js";
import { someOf } from "../src/data/skipped.js";
import { lostWords, Tokenizer } from "../src/data/tokenizer.js";
import { averagedModel, type Checkpoint, loadCheckpoint } from "../src/ptdit/checkpoint.js";
import { Generator, unknownWords } from "../src/ptdit/generate.js";
import type { TextModel } from "../src/ptdit/textModel.js";

/** Names within a run's folder. */
export const runFiles = (folder: string) => ({
  checkpoint: join(folder, "checkpoint.safetensors"),
  log: join(folder, "log.jsonl"),
  curve: join(folder, "loss.png"),
  sample: join(folder, "sample.png"),
  grid: (step: number) => join(folder, "samples", `step-${String(step).padStart(6, "0")}.png`),
});

/** A trained run, ready to draw. */
export interface TrainedRun {
  readonly checkpoint: Checkpoint;
  readonly tokenizer: Tokenizer;
  readonly model: TextModel;
  readonly generator: Generator;
}

/** Loads the averaged weights of a run onto a device. */
export async function openRun(folder: string, device: Device): Promise<TrainedRun> {
  const checkpoint = await loadCheckpoint(runFiles(folder).checkpoint);
  const { run } = checkpoint;
  const tokenizer = Tokenizer.fromJSON(run.tokenizer);
  const model = averagedModel(checkpoint);
  return { checkpoint, tokenizer, model, generator: new Generator(device, model, tokenizer, run.flow, run.size) };
}

/** Says which words of the prompts the model never saw. */
export function warnUnknown(tokenizer: Tokenizer, prompts: readonly string[]): void {
  for (const { word, nearest } of unknownWords(tokenizer, prompts)) {
    process.stderr.write(`warning: the model never saw the word "${word}"; nearest known: ${nearest.join(", ")}.\n`);
  }
}

/** Says which words of captions or prompts are beyond what the model reads. */
export function warnLost(tokenizer: Tokenizer, texts: readonly string[]): void {
  const { captions, words } = lostWords(tokenizer, texts);
  if (captions === 0) return;
  const which = someOf(words.map((word) => `"${word}"`));
  process.stderr.write(
    `warning: the model reads ${tokenizer.length} words; of ${captions} longer ${captions === 1 ? "text" : "texts"} it loses: ${which}.\n`,
  );
}
