import { ConfigError } from "../../base/errors.js";
import { sideOf } from "../../data/dataset.js";
import { pixels } from "../codec.js";
import type { RunDescription } from "../readCheckpoint.js";
import { words } from "../text.js";
import type { Trainer } from "../trainer.js";
import type { RunStore } from "./runStore.js";

/** Takes up the stored run, if there is one: what it said of itself is what stays of its checkpoint.
 *  @throws ConfigError when it is not the trainer's */
export async function takeUp(trainer: Trainer, store: RunStore): Promise<RunDescription | undefined> {
  const last = await store.last();
  if (!last) return undefined;
  const { run, state } = last;
  const { model, flow, training } = trainer.options;
  type Settings = Pick<RunDescription, "model" | "flow" | "training" | "size" | "codec" | "encoder">;
  const settings = (own: Settings, step: number) => {
    const { codec = pixels.kind, encoder = words.kind } = own;
    const { batch, seed, optimizer, mirror, shift, stratified } = own.training;
    // Which pictures and what noise a step sees are functions of these, and of the step.
    const seen = { batch, seed, mirror, shift, stratified };
    return { ...own.model, ...own.flow, ...seen, optimizer, "picture size": own.size, codec, encoder, step };
  };
  const stored = new Map(Object.entries(settings(run, run.step)));
  // A trainer that has taken steps elsewhere would lose them.
  const own = Object.entries(
    settings({ model, flow, training, size: sideOf(trainer.data), ...kindsOf(trainer) }, trainer.step || run.step),
  );
  const differing = own.flatMap(([name, value]) => {
    const [was, is] = [show(stored.get(name)), show(value)];
    return was === is ? [] : [`${name} is ${was} there and ${is} here`];
  });
  if (differing.length > 0)
    throw new ConfigError(
      `session: the stored run is not this trainer's: ${differing.join(", ")}. Make the trainer as the run was, or give another store.`,
    );
  trainer.restore(state, run.step);
  return run;
}

/** Kinds of a pipeline's parts. */
export const kindsOf = ({ model }: Trainer) => ({ encoder: model.encoder.kind, codec: model.codec.kind });

const show = (value: unknown): string => JSON.stringify(value);
