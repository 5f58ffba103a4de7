import { kernel, type Numbers, read, write } from "../kernel.js";

/** Numbers of `unfold` and `fold`. */
export const patchNumbers = {
  batch: "int",
  channels: "int",
  height: "int",
  width: "int",
  kernelHeight: "int",
  kernelWidth: "int",
  stride: "int",
  padding: "int",
  outHeight: "int",
  outWidth: "int",
} as const;
type Args = Numbers<typeof patchNumbers>;

export const pictureElements = (a: Args): number => a.batch * a.channels * a.height * a.width;
export const patchElements = (a: Args): number =>
  a.batch * a.outHeight * a.outWidth * a.channels * a.kernelHeight * a.kernelWidth;

/** Calls `visit(pixel, entry)` for every pixel of the picture that a patch entry stands for. */
export function eachPatchEntry(args: Args, visit: (pixel: number, entry: number) => void): void {
  const { batch, channels, height, width, kernelHeight, kernelWidth, stride, padding, outHeight, outWidth } = args;
  const row = channels * kernelHeight * kernelWidth;
  for (let b = 0; b < batch; b++)
    for (let oy = 0; oy < outHeight; oy++)
      for (let ox = 0; ox < outWidth; ox++)
        for (let c = 0; c < channels; c++)
          for (let ky = 0; ky < kernelHeight; ky++)
            for (let kx = 0; kx < kernelWidth; kx++) {
              const [py, px] = [oy * stride + ky - padding, ox * stride + kx - padding];
              if (py < 0 || py >= height || px < 0 || px >= width) continue;
              const entry = ((b * outHeight + oy) * outWidth + ox) * row + (c * kernelHeight + ky) * kernelWidth + kx;
              visit(((b * channels + c) * height + py) * width + px, entry);
            }
}

/** im2col: x [batch, channels, height, width] -> y [batch, outHeight·outWidth, channels·kernelHeight·kernelWidth], the row ordered
 *  (channel, kernel row, kernel column); zero padding. */
export const unfold = kernel(patchNumbers)({
  buffers: { y: write("f32", patchElements), x: read("f32", pictureElements) },
  reference: (args) => {
    const { y, x } = args;
    y.fill(0, 0, patchElements(args));
    eachPatchEntry(args, (pixel, entry) => {
      y[entry] = x[pixel];
    });
  },
});
