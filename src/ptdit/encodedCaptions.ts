import type { Tokenizer } from "../data/tokenizer.js";
import { checkTexts, checkTokenizer } from "./checks.js";

/** Captions as a model reads them. @shape ids, keep [n, L] */
export interface EncodedCaptions {
  readonly ids: Int32Array;
  readonly keep: Float32Array;
}

/** Copies rows of a table into `result`, one after the other. */
function gather<T extends Float32Array | Int32Array>(table: T, indices: ArrayLike<number>, width: number, result: T): T {
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i] * width;
    result.set(table.subarray(from, from + width), i * width);
  }
  return result;
}

/** Captions as token ids and masks, one row each. */
export function encodeAll(tokenizer: Tokenizer, captions: readonly string[]): EncodedCaptions {
  checkTokenizer("encodeAll", tokenizer);
  checkTexts("encodeAll", "caption", captions);
  const { length } = tokenizer;
  const ids = new Int32Array(captions.length * length);
  const keep = new Float32Array(captions.length * length);
  captions.forEach((caption, i) => {
    const encoded = tokenizer.encode(caption);
    ids.set(encoded.ids, i * length);
    keep.set(encoded.mask, i * length);
  });
  return { ids, keep };
}

/** The rows of some captions, one after the other. */
export function gatherCaptions({ ids, keep }: EncodedCaptions, indices: ArrayLike<number>, length: number): EncodedCaptions {
  return {
    ids: gather(ids, indices, length, new Int32Array(indices.length * length)),
    keep: gather(keep, indices, length, new Float32Array(indices.length * length)),
  };
}
