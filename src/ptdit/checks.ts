/** What trainers, generators and evaluations ask of what they are given. */
import { input } from "../autograd/tensor.js";
import { ConfigError } from "../base/errors.js";
import { callable, checkOptions, checkValue, needed, object, type Rule, type Rules, text, whole } from "../base/options.js";
import type { Dataset } from "../data/dataset.js";
import type { Tokenizer } from "../data/tokenizer.js";
import type { Pipeline } from "./pipeline.js";

const dataRules: Rules<Pick<Dataset, "count" | "captions" | "variants" | "shape" | "sample" | "draw">> = {
  count: needed(whole(1)),
  captions: needed({ text: "a list of texts", holds: Array.isArray }),
  variants: { text: "a list of lists of texts", holds: (value) => Array.isArray(value) && value.every(Array.isArray) },
  shape: needed({
    text: "four positive whole numbers (channels, frames, rows, columns)",
    holds: (value) => Array.isArray(value) && value.length === 4 && value.every((size) => whole(1).holds(size)),
  }),
  sample: needed(callable),
  draw: callable,
};

/** @throws ConfigError when a data set does not say what it holds */
export function checkSamples(where: string, data: Dataset): void {
  checkValue(where, "the data set", data, object);
  const { count, captions, variants, shape, sample, draw } = data;
  checkOptions(
    `${where}: the data set`,
    { count, captions, ...(variants && { variants }), shape, sample, ...(draw && { draw }) },
    dataRules,
  );
  if (captions.length !== count)
    throw new ConfigError(`${where}: the data set has ${count} samples with ${captions.length} captions. Give one for each.`);
  if (variants && variants.length !== count)
    throw new ConfigError(
      `${where}: the data set has ${count} samples with ${variants.length} lists of variants. Give one for each, an empty one where there are none.`,
    );
}

/** @throws ConfigError when a data set does not say what it holds, or the model reads other channels */
export function checkData(where: string, data: Dataset, { codec, model }: Pick<Pipeline, "codec" | "model">): void {
  checkSamples(where, data);
  const { shape } = codec.encode(input([1, ...data.shape]));
  const { inChannels } = model.config;
  if (shape[1] !== inChannels)
    throw new ConfigError(
      `${where}: the data set's samples are [${data.shape.join(", ")}]${codec.kind === "pixels" ? "" : `, their latents [${shape.slice(1).join(", ")}]`}, the model reads ${inChannels} channels. Choose a model for them.`,
    );
}

const tokenizerRule: Rule = {
  text: "a Tokenizer",
  holds: (value) => typeof Object(value).encode === "function" && whole(1).holds(Object(value).length),
};

/** @throws ConfigError when it cannot encode captions */
export function checkTokenizer(where: string, tokenizer: Tokenizer): void {
  checkValue(where, "the tokenizer", tokenizer, tokenizerRule);
}

/** @throws ConfigError when it is no list of texts; a text alone would be read letter by letter */
export function checkTexts(where: string, what: string, list: readonly string[]): void {
  checkValue(where, `the ${what}s`, list, { text: 'a list of texts, e.g. ["red heart"]', holds: Array.isArray });
  for (const [i, one] of list.entries()) checkValue(where, `${what} ${i}`, one, text);
}
