/** What to do when a training does not fit: advice that was tried, not guessed. */
import type { Device } from "../../src/backend/device.js";
import { DeviceError } from "../../src/base/errors.js";
import type { Dataset } from "../../src/data/dataset.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import type { RunDescription } from "../../src/node/checkpoint.js";
import { Pipeline } from "../../src/ptdit/pipeline.js";
import { presets, presetsFor } from "../../src/ptdit/presets.js";
import { Trainer } from "../../src/ptdit/trainer.js";
import { planningOf } from "../device.js";
import { pictureModel } from "./newRun.js";

/** Addresses of WASM are 32 bits. */
const addressable = 2 ** 32;
/** Left for inputs, constants, threads and the drawing of samples. */
const reserve = 2 ** 27;
/** A weight, its average and its two moments. */
const numbersAWeight = 4;

/** What a run takes on a device. @units bytes */
interface Need {
  readonly weights: number;
  /** Weights and all; they alone where they are too much already. */
  readonly total: number;
}

/**
 * The error that says what would fit in place of a run that does not.
 * @returns the error that came, when memory is not what was short
 */
export function memoryAdvice(
  error: DeviceError,
  device: Device,
  data: Dataset,
  run: RunDescription,
  limit = addressable,
): DeviceError {
  const { batch, accumulate, checkpointing } = run.training;
  const fits = (bytes: number) => bytes + reserve <= limit;
  const need = (model: RunDescription["model"], training: RunDescription["training"]) =>
    needOf(device, data, { ...run, model, training }, limit);
  const own = need(run.model, run.training);
  if (fits(own.total)) return error;

  const advice: string[] = [];
  const attempt = (flags: string, { total }: Need): boolean => {
    if (fits(total)) advice.push(`${flags} (${sized(total)})`);
    return fits(total);
  };
  if (fits(own.weights)) {
    const recomputed = { ...run.training, checkpointing: true };
    // Parts of a batch: the same steps, more slowly. The fewest that fit.
    const parts = divisors(batch).filter((count) => count > accumulate);
    const inParts = (training: RunDescription["training"], flags: string) => {
      let before = Number.POSITIVE_INFINITY;
      for (const accumulate of parts) {
        const own = need(run.model, { ...training, accumulate });
        // Smaller parts help up to a point; graphs of many take long to plan.
        if (attempt(`--accumulate ${accumulate}${flags}`, own) || own.total > 0.97 * before) return;
        before = own.total;
      }
    };
    if (!checkpointing) attempt("--checkpointing", need(run.model, recomputed));
    inParts(run.training, "");
    if (advice.length === 0 && !checkpointing) inParts(recomputed, " --checkpointing");
  }
  if (advice.length === 0) {
    // The largest model that fits these pictures, one at a time.
    const smaller = presetModels(run).filter(({ weights }) => fits(weights) && weights < own.weights);
    smaller.some(({ name, model }) =>
      attempt(
        `--preset ${name} --batch 1 --checkpointing`,
        need(model, { ...run.training, batch: 1, accumulate: 1, checkpointing: true }),
      ),
    );
  }
  const how = `batch ${batch}${accumulate > 1 ? ` in ${accumulate} parts` : ""}${checkpointing ? " with checkpointing" : ""}`;
  const weights = `${sized(own.weights)} of weights and moments`;
  const what = own.total > own.weights ? `${sized(own.total)}, with ${weights}` : `more than its ${weights}`;
  const cure = advice.length > 0 ? `Would fit: ${advice.join(", or ")}` : "Choose a smaller model or smaller pictures";
  return new DeviceError(`train: at ${how} this model needs ${what}; the device has ${sized(limit)}. ${cure}.`, {
    cause: error,
  });
}

/** The presets whose windows divide these pictures, the largest first. */
function presetModels(run: RunDescription) {
  const fitting = presetsFor("pixels").flatMap((name) => {
    const model = pictureModel(presets[name], run.size);
    const side = run.size / model.patch;
    const divides = Number.isInteger(side) && model.window.slice(1).every((size) => side % size === 0);
    return divides ? [{ name, model, weights: weightBytes(model, run) }] : [];
  });
  return fitting.sort((a, b) => b.weights - a.weights);
}

/** What a run would take, planned as it would be, without taking it. */
function needOf(device: Device, data: Dataset, run: RunDescription, limit: number): Need {
  const { model, flow, training } = run;
  const weights = weightBytes(model, run);
  if (weights > limit) return { weights, total: weights };
  const trainer = new Trainer(planningOf(device.name), data, Tokenizer.fromJSON(run.tokenizer), { model, flow, training });
  return { weights, total: weights + trainer.bytes.arena };
}

const weightBytes = (model: RunDescription["model"], { tokenizer }: RunDescription): number =>
  new Pipeline({ model, captioner: Tokenizer.fromJSON(tokenizer) }).parameterCount * 4 * numbersAWeight;

const divisors = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1).filter((part) => n % part === 0);

const sized = (bytes: number): string =>
  bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(0)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
