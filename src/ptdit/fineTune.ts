/** Training that begins from what a model has learned. */
import { ConfigError, FormatError } from "../base/errors.js";
import { checkValue } from "../base/options.js";
import { sameShape, showShape } from "../base/shape.js";
import { Tokenizer } from "../data/tokenizer.js";
import type { StateEntry } from "../nn/module.js";
import { type Checkpoint, checkpointRule } from "./readCheckpoint.js";
import type { Trainer } from "./trainer.js";

/** The table of words, a row each. */
const wordTable = "text.words.weight";

/**
 * Sets a trainer that has taken no step to a model's averaged weights; its averages begin there too, the optimiser from zero. The
 * trainer's tokenizer is the model's, or has grown from it. Rows of new words stay as those of an untrained table: of the size that the
 * layers above have learned to read, and far from each other. The mean of all known rows would be neither: near zero, and the same for every
 * new word.
 * @throws ConfigError when the trainer has taken steps, or its tokenizer gives the model's words other numbers
 * @throws FormatError when a weight is missing or has another shape; nothing is changed then
 */
export async function beginFrom(trainer: Trainer, model: Checkpoint): Promise<void> {
  checkValue("beginFrom", "the model", model, checkpointRule);
  checkWords(trainer, model);
  if (trainer.step > 0)
    throw new ConfigError(`beginFrom: the trainer has taken ${trainer.step} steps, which would be lost. Make a new one.`);
  const state = [...(await trainer.state())].map(([name, fresh]) => {
    const [, weight] = /^(?:weights|average|horizons\.\d+)\.(.+)$/.exec(name) ?? [];
    return [name, weight === undefined ? fresh : begun(weight, model, fresh)] as const;
  });
  trainer.restore(new Map(state), 0);
}

/** Known words keep their rows only if they keep their numbers. */
function checkWords({ tokenizer }: Trainer, { run }: Checkpoint): void {
  const { words, length } = Tokenizer.fromJSON(run.tokenizer);
  const moved = words.find((word, i) => tokenizer.words[i] !== word);
  if (moved !== undefined || length !== tokenizer.length) {
    const what =
      moved === undefined ? `reads ${tokenizer.length} words, the model ${length}` : `has no "${moved}" where the model has it`;
    throw new ConfigError(
      `beginFrom: the trainer's tokenizer ${what}. Let the model's grow: Tokenizer.fromJSON(run.tokenizer).grown(captions).`,
    );
  }
}

/** What a weight begins from: the model's, above rows that are new. */
function begun(name: string, { state }: Checkpoint, fresh: StateEntry): StateEntry {
  const known = state.get(`average.${name}`);
  if (!known)
    throw new FormatError(`beginFrom: the model has no averaged weight "${name}". Read it with { parts: ["average"] }.`);
  // A tokenizer that has grown has more rows.
  const fits = name === wordTable ? [fresh.shape[0], ...known.shape.slice(1)] : known.shape;
  if (!sameShape(fits, fresh.shape))
    throw new FormatError(
      `beginFrom: "${name}" is ${showShape(known.shape)} in the model, ${showShape(fresh.shape)} here. Train with the model's own settings.`,
    );
  const data = Float32Array.from(fresh.data);
  data.set(known.data);
  return { shape: fresh.shape, data };
}
