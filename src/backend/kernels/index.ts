/** The kernel vocabulary. Every backend implements these names; the order is that of their numbers. */
import { keysOf } from "../../base/options.js";
import { adamW } from "./adamW.js";
import { argMax } from "./argMax.js";
import { attention } from "./attention.js";
import { attentionGrad } from "./attentionGrad.js";
import { copyStrided } from "./copyStrided.js";
import { fill } from "./fill.js";
import { fold } from "./fold.js";
import { gatherRows } from "./gatherRows.js";
import { layerNorm } from "./layerNorm.js";
import { layerNormGrad } from "./layerNormGrad.js";
import { layerNormSums } from "./layerNormSums.js";
import { matmul } from "./matmul.js";
import { normal } from "./normal.js";
import { packHalves } from "./packHalves.js";
import { packPanels } from "./packPanels.js";
import { scatterAddRows } from "./scatterAddRows.js";
import { sinusoid } from "./sinusoid.js";
import { softmax } from "./softmax.js";
import { softmaxGrad } from "./softmaxGrad.js";
import { toF32 } from "./toF32.js";
import { unfold } from "./unfold.js";
import { uniform } from "./uniform.js";
import { unpackHalves } from "./unpackHalves.js";

export const kernels = {
  fill,
  copyStrided,
  matmul,
  packPanels,
  packHalves,
  unpackHalves,
  attention,
  attentionGrad,
  softmax,
  softmaxGrad,
  layerNorm,
  layerNormGrad,
  layerNormSums,
  adamW,
  gatherRows,
  scatterAddRows,
  unfold,
  fold,
  uniform,
  normal,
  sinusoid,
  argMax,
  toF32,
} as const;

export type KernelName = keyof typeof kernels;
/** Names in the order of their numbers. */
export const kernelNames = keysOf(kernels);
