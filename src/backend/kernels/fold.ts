import { kernel, read, write } from "../kernel.js";
import { eachPatchEntry, patchElements, patchNumbers, pictureElements } from "./unfold.js";

/** Adjoint of unfold: every pixel of y [batch, channels, height, width] sums the entries of x that were copied from it. */
export const fold = kernel(patchNumbers)({
  buffers: { y: write("f32", pictureElements), x: read("f32", patchElements) },
  reference: (args) => {
    const { y, x } = args;
    y.fill(0, 0, pictureElements(args));
    eachPatchEntry(args, (pixel, entry) => {
      y[pixel] += x[entry];
    });
  },
});
