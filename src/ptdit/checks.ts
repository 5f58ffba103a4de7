/** What trainers, generators and evaluations ask of what they are given. */
import { ConfigError } from "../base/errors.js";
import { checkOptions, checkValue, needed, object, type Rule, text, whole } from "../base/options.js";
import type { Dataset } from "../data/dataset.js";
import type { Tokenizer } from "../data/tokenizer.js";
import type { PTDiTConfig } from "./config.js";
import { TextModel } from "./textModel.js";

/** @throws ConfigError when a data set's counts do not agree with each other or with the model */
export function checkData(where: string, data: Dataset, { inChannels }: Pick<PTDiTConfig, "inChannels">): void {
  checkValue(where, "the data set", data, object);
  const { size, count, captions, pictures } = data;
  checkOptions(`${where}: the data set`, { size, count }, { size: needed(whole(1)), count: needed(whole(1)) });
  const numbers = count * inChannels * size ** 2;
  if (captions?.length !== count || pictures?.length !== numbers) {
    throw new ConfigError(
      `${where}: ${count} pictures of ${inChannels} x ${size} x ${size} are ${numbers} numbers with ${count} captions, ` +
        `got ${pictures?.length} numbers with ${captions?.length} captions.`,
    );
  }
}

const modelRule: Rule = { text: "a TextModel", holds: (value) => value instanceof TextModel };

/** @throws ConfigError when it is no text model of this copy of the library */
export function checkModel(where: string, model: TextModel): void {
  checkValue(where, "the model", model, modelRule);
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
