import type { KernelArgs } from "../../kernels.js";

type Args<K extends "fill" | "copyStrided" | "gatherRows" | "scatterAddRows" | "unfold" | "fold"> = KernelArgs<K, Float64Array>;

/** See `kernels.fill`. */
export function fill({ y, n, value }: Args<"fill">): void {
  y.fill(value, 0, n);
}

/** See `kernels.copyStrided`. */
export function copyStrided(args: Args<"copyStrided">): void {
  const { y, x, yOffset, xOffset, d0, d1, d2, d3, d4, d5, y0, y1, y2, y3, y4, y5, x0, x1, x2, x3, x4, x5 } = args;
  for (let a = 0; a < d0; a++)
    for (let b = 0; b < d1; b++)
      for (let c = 0; c < d2; c++)
        for (let d = 0; d < d3; d++)
          for (let e = 0; e < d4; e++) {
            const toRow = yOffset + a * y0 + b * y1 + c * y2 + d * y3 + e * y4;
            const fromRow = xOffset + a * x0 + b * x1 + c * x2 + d * x3 + e * x4;
            for (let f = 0; f < d5; f++) y[toRow + f * y5] = x[fromRow + f * x5] as number;
          }
}

/** See `kernels.gatherRows`. */
export function gatherRows({ y, x, index, batches, outRows, inRows, columns, indexBatches }: Args<"gatherRows">): void {
  for (let batch = 0; batch < batches; batch++) {
    for (let i = 0; i < outRows; i++) {
      const row = index[(batch % indexBatches) * outRows + i] as number;
      const to = (batch * outRows + i) * columns;
      if (row < 0 || row >= inRows) y.fill(0, to, to + columns);
      else y.set(x.subarray((batch * inRows + row) * columns, (batch * inRows + row + 1) * columns), to);
    }
  }
}

/** See `kernels.scatterAddRows`. */
export function scatterAddRows({ y, x, index, batches, outRows, inRows, columns, indexBatches }: Args<"scatterAddRows">): void {
  y.fill(0, 0, batches * outRows * columns);
  for (let batch = 0; batch < batches; batch++) {
    for (let i = 0; i < inRows; i++) {
      const row = index[(batch % indexBatches) * inRows + i] as number;
      if (row < 0 || row >= outRows) continue;
      const [to, from] = [(batch * outRows + row) * columns, (batch * inRows + i) * columns];
      for (let j = 0; j < columns; j++) y[to + j] = (y[to + j] as number) + (x[from + j] as number);
    }
  }
}

/** Calls `visit(pixel, entry)` for every pixel of the picture that a patch entry stands for. */
function patches(args: Args<"unfold">, visit: (pixel: number, entry: number) => void): void {
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

/** See `kernels.unfold`. */
export function unfold(args: Args<"unfold">): void {
  const { y, x, batch, channels, kernelHeight, kernelWidth, outHeight, outWidth } = args;
  y.fill(0, 0, batch * outHeight * outWidth * channels * kernelHeight * kernelWidth);
  patches(args, (pixel, entry) => {
    y[entry] = x[pixel] as number;
  });
}

/** See `kernels.fold`. */
export function fold(args: Args<"fold">): void {
  const { y, x, batch, channels, height, width } = args;
  y.fill(0, 0, batch * channels * height * width);
  patches(args, (pixel, entry) => {
    y[pixel] = (y[pixel] as number) + (x[entry] as number);
  });
}
