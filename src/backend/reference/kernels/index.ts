/** The reference kernels by name: the executable specification of the kernel table, in float64. */
import type { KernelArgs, KernelCall, KernelName, PlainCall } from "../../kernels.js";
import { adamW } from "./adamW.js";
import { attention, attentionGrad } from "./attention.js";
import { fused, reduce } from "./elementwise.js";
import { argMax, toF32 } from "./indices.js";
import { matmul, packPanels } from "./matmul.js";
import { copyStrided, fill, fold, gatherRows, scatterAddRows, unfold } from "./moves.js";
import { normal, sinusoid, uniform } from "./random.js";
import { layerNorm, layerNormGrad, softmax, softmaxGrad } from "./rows.js";

export const referenceKernels: { readonly [K in KernelName]: (args: KernelArgs<K, Float64Array>) => void } = {
  fill,
  copyStrided,
  matmul,
  packPanels,
  attention,
  attentionGrad,
  softmax,
  softmaxGrad,
  layerNorm,
  layerNormGrad,
  gatherRows,
  scatterAddRows,
  unfold,
  fold,
  uniform,
  normal,
  sinusoid,
  adamW,
  argMax,
  toF32,
};

/** Runs one call. Every buffer starts at its tensor's first element. */
export function runReference(call: KernelCall<Float64Array>): void {
  if (call.kernel === "fused") fused(call);
  else if (call.kernel === "reduce") reduce(call);
  else (referenceKernels[call.kernel] as (args: PlainCall<Float64Array>["args"]) => void)(call.args);
}
