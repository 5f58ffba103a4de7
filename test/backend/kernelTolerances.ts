/** How far kernels in float32 may be from the float64 reference. */
import type { KernelCall } from "../../src/backend/calls.js";
import type { Numbers } from "./kernelHarness.js";

/** A kernel's name. */
export type Name = KernelCall<Numbers>["kernel"];

/** Sums of hundreds of numbers of about 1. */
const usual = [1e-5, 2e-5] as const;
/** Allowed distance from the float64 reference, [relative, absolute], for operands of about 1 in size, where it is not the usual one. */
const tolerances: Partial<Record<Name, readonly [number, number]>> = {
  // Numbers are moved, not computed.
  fill: [0, 0],
  copyStrided: [0, 0],
  gatherRows: [0, 0],
  unfold: [0, 0],
  packPanels: [0, 0],
  packHalves: [0, 0],
  // Drivers may take halves below the smallest normal one for 0.
  unpackHalves: [0, 2 ** -14],
  // Whole numbers.
  argMax: [0, 0],
  toF32: [0, 0],
  // (w + ½)·2⁻²³ is exact in float32.
  uniform: [0, 0],
  // A handful of additions.
  scatterAddRows: [1e-6, 1e-6],
  fold: [1e-6, 1e-6],
  // √, ln and sin, each to 1-2 units in the last place (6e-8); the result goes through 0.
  normal: [5e-7, 5e-7],
  // What is left of an angle is nearly exact; what remains is the polynomials.
  sinusoid: [0, 2e-7],
  // tanh and erf to 7 units in the last place; derivatives and erf's GELU subtract numbers of about 1.
  fused: [1e-6, 1.5e-6],
  softmax: [1e-6, 1e-7],
  softmaxGrad: [1e-5, 5e-6],
  layerNormGrad: [1e-5, 5e-5],
  // A division, a root and a few products.
  adamW: [1e-6, 1e-7],
  // Sums of up to 1100 products.
  matmul: [1e-5, 4e-5],
  attention: [1e-5, 5e-6],
  attentionGrad: [1e-4, 5e-5],
};

/** What a kernel is allowed, [relative, absolute]. */
export const toleranceOf = (kernel: Name): readonly [number, number] => tolerances[kernel] ?? usual;
