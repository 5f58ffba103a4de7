/** One training of an ablation: kept as a run while it lasts, a line of results when it is done. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Device } from "../../src/backend/device.js";
import { strided } from "../../src/base/evenly.js";
import { PictureSet } from "../../src/data/pictureSet.js";
import type { Tokenizer } from "../../src/data/tokenizer.js";
import { folderStore } from "../../src/node/run/folderStore.js";
import type { TrainingResult } from "../../src/ptdit/ablation/compare.js";
import type { Training } from "../../src/ptdit/ablation/plan.js";
import type { PTDiTConfig } from "../../src/ptdit/config.js";
import { lossByTimestep } from "../../src/ptdit/evaluate.js";
import { Generator } from "../../src/ptdit/generate.js";
import { judge } from "../../src/ptdit/judge.js";
import type { Recipe } from "../../src/ptdit/recipes.js";
import { type StopSignal, session } from "../../src/ptdit/session/index.js";
import { Trainer } from "../../src/ptdit/trainer.js";

/** What all trainings of an ablation have in common. */
export interface Task {
  readonly train: PictureSet;
  /** Pictures that are never trained on. */
  readonly heldOut: PictureSet;
  readonly tokenizer: Tokenizer;
  readonly recipe: Pick<Recipe, "flow" | "training">;
  readonly batch: number;
}

/** Of so many pictures one is held out. */
const heldOutEvery = 10;
/** Captions that are drawn of each model, without guidance. */
const drawnCaptions = 64;
const drawing = { steps: 8, guidance: 1, seed: 0 } as const;

/** Every tenth picture, and the others. */
export function splitSet(data: PictureSet): Pick<Task, "train" | "heldOut"> {
  const numbers = data.pictures.length / data.count;
  const part = (takes: (index: number) => boolean): PictureSet => {
    const own = data.captions.flatMap((_, i) => (takes(i) ? [i] : []));
    const pictures = new Float32Array(own.length * numbers);
    own.forEach((from, to) => pictures.set(data.pictures.subarray(from * numbers, (from + 1) * numbers), to * numbers));
    return new PictureSet({ name: data.name, size: data.size, captions: own.map((i) => data.captions[i]), pictures });
  };
  const isHeldOut = (index: number) => index % heldOutEvery === heldOutEvery - 1;
  return { train: part((i) => !isHeldOut(i)), heldOut: part(isHeldOut) };
}

/** A trainer of one model. */
export function trainerOf(device: Device, task: Task, model: PTDiTConfig, seed: number): Trainer {
  const { flow, training } = task.recipe;
  return new Trainer(device, task.train, task.tokenizer, { model, flow, training: { ...training, batch: task.batch, seed } });
}

/** Trains and measures; undefined: it was stopped, and goes on from where it was.
 *  @param folder where unfinished runs are kept */
export async function trainOne(
  device: Device,
  task: Task,
  training: Training,
  { folder, signal, onStep }: { readonly folder: string; readonly signal: StopSignal; readonly onStep: (step: number) => void },
): Promise<TrainingResult | undefined> {
  const trainer = trainerOf(device, task, training.model, training.seed);
  const store = await folderStore(join(folder, training.key));
  try {
    const { steps } = training;
    for await (const event of session(trainer, store, { steps, prompts: [], sampleEvery: steps, signal }))
      if (event.type === "step") onStep(event.report.step);
    if (trainer.step < steps) return undefined;
    const losses = await lossByTimestep(device, trainer.average, task.recipe.flow, task.heldOut);
    const generator = new Generator(device, trainer.average, task.recipe.flow, task.train.size);
    try {
      const places = strided([...task.train.captions.keys()], drawnCaptions);
      const { top5, psnr } = await judge(generator, trainer.average, task.train, { ...drawing, places });
      const loss = losses.reduce((sum, own) => sum + own, 0) / losses.length;
      return { key: training.key, loss, top5, psnr };
    } finally {
      generator.dispose();
    }
  } finally {
    await store.release();
    trainer.dispose();
  }
}

/** Removes what a finished training kept to go on from: its checkpoint is some tens of megabytes. */
export async function forget(folder: string, { key }: Training): Promise<void> {
  await rm(join(folder, key, "checkpoint.safetensors"), { force: true });
}
