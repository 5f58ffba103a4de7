/** Every primitive op by its name. What maps over them (a table of them, a translation into another format, a test) is complete or does
 *  not compile. A file of ops gives its primitives as its default export; all that the elementwise files give are primitives. */
import type { Op } from "../op.js";
import * as activationGrads from "./activationGrads.js";
import adamW from "./adamW.js";
import attention from "./attention.js";
import convolution from "./convolution.js";
import copy from "./copy.js";
import * as elementwise from "./elementwise.js";
import gather from "./gather.js";
import indices from "./indices.js";
import layerNorm from "./layerNorm.js";
import matmul from "./matmul.js";
import random from "./random.js";
import reduce from "./reduce.js";
import reshape from "./reshape.js";
import sinusoid from "./sinusoid.js";
import softmax from "./softmax.js";
import squaredNorm from "./squaredNorm.js";
import vanishing from "./vanishing.js";

export const primitives = {
  ...elementwise,
  ...activationGrads,
  ...vanishing,
  ...reduce,
  ...reshape,
  ...copy,
  ...gather,
  ...indices,
  ...matmul,
  ...convolution,
  ...attention,
  ...softmax,
  ...layerNorm,
  ...sinusoid,
  ...random,
  ...squaredNorm,
  ...adamW,
} satisfies Readonly<Record<string, { readonly op: Op }>>;

export type PrimitiveName = keyof typeof primitives;
