/** Captions as numbers. */
import { batchIndices, Tokenizer } from "ptdit/data";

globalThis.found.data = (async () => {
  const tokenizer = Tokenizer.fromCaptions(["red apple", "red tree"]);
  return {
    words: tokenizer.words,
    again: Tokenizer.fromJSON(tokenizer.toJSON()).words,
    batch: [...batchIndices(3, 3, 0, 0)].sort(),
  };
})();
