import type { KernelArgs } from "../../kernels.js";

type Args<K extends "softmax" | "softmaxGrad" | "layerNorm" | "layerNormGrad"> = KernelArgs<K, Float64Array>;

/** See `kernels.softmax`. */
export function softmax({ y, x, rows, columns }: Args<"softmax">): void {
  for (let row = 0; row < rows; row++) {
    const own = x.subarray(row * columns, (row + 1) * columns);
    const largest = own.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const exps = own.map((value) => Math.exp(value - largest));
    const total = exps.reduce((a, b) => a + b, 0);
    y.set(
      exps.map((value) => value / total),
      row * columns,
    );
  }
}

/** See `kernels.softmaxGrad`. */
export function softmaxGrad({ dx, y, dy, rows, columns }: Args<"softmaxGrad">): void {
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    let dot = 0;
    for (let j = 0; j < columns; j++) dot += (y[at + j] as number) * (dy[at + j] as number);
    for (let j = 0; j < columns; j++) dx[at + j] = (y[at + j] as number) * ((dy[at + j] as number) - dot);
  }
}

/** See `kernels.layerNorm`. */
export function layerNorm(args: Args<"layerNorm">): void {
  const { y, mean, rstd, x, scale, shift, rows, columns, rowsPerGroup, offset, eps } = args;
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    const own = x.subarray(at, at + columns);
    const average = own.reduce((a, b) => a + b, 0) / columns;
    const variance = own.reduce((sum, value) => sum + (value - average) ** 2, 0) / columns;
    const inverse = 1 / Math.sqrt(variance + eps);
    mean[row] = average;
    rstd[row] = inverse;
    const group = Math.floor(row / rowsPerGroup) * columns;
    for (let j = 0; j < columns; j++) {
      const factor = scale ? offset + (scale[group + j] as number) : 1;
      y[at + j] = ((own[j] as number) - average) * inverse * factor + (shift ? (shift[group + j] as number) : 0);
    }
  }
}

/** See `kernels.layerNormGrad`. */
export function layerNormGrad(args: Args<"layerNormGrad">): void {
  const { dx, dy, x, mean, rstd, scale, rows, columns, rowsPerGroup, offset } = args;
  const [g, normal] = [new Float64Array(columns), new Float64Array(columns)];
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    const group = Math.floor(row / rowsPerGroup) * columns;
    let [sumG, sumGN] = [0, 0];
    for (let j = 0; j < columns; j++) {
      g[j] = (dy[at + j] as number) * (scale ? offset + (scale[group + j] as number) : 1);
      normal[j] = ((x[at + j] as number) - (mean[row] as number)) * (rstd[row] as number);
      sumG += g[j] as number;
      sumGN += (g[j] as number) * (normal[j] as number);
    }
    for (let j = 0; j < columns; j++) {
      dx[at + j] = (rstd[row] as number) * ((g[j] as number) - sumG / columns - ((normal[j] as number) * sumGN) / columns);
    }
  }
}
