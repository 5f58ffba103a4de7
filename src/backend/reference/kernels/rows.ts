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

const isZero = (dy: Float64Array, at: number, columns: number): boolean =>
  dy.subarray(at, at + columns).every((value) => value === 0);

/** See `kernels.softmaxGrad`. */
export function softmaxGrad({ dx, y, dy, rows, columns }: Args<"softmaxGrad">): void {
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    let dot = 0;
    for (let j = 0; j < columns; j++) dot += (y[at + j] as number) * (dy[at + j] as number);
    const still = isZero(dy, at, columns);
    for (let j = 0; j < columns; j++) dx[at + j] = still ? 0 : (y[at + j] as number) * ((dy[at + j] as number) - dot);
  }
}

/** Of numbers that are all alike it is exactly them. */
function meanOf(numbers: Float64Array): number {
  const first = numbers[0] as number;
  return first + numbers.reduce((sum, value) => sum + (value - first), 0) / numbers.length;
}

/** See `kernels.layerNorm`. */
export function layerNorm(args: Args<"layerNorm">): void {
  const { y, mean, rstd, x, scale, shift, rows, columns, rowsPerGroup, offset, eps } = args;
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    const own = x.subarray(at, at + columns);
    const average = meanOf(own);
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
    let product = 0;
    for (let j = 0; j < columns; j++) {
      g[j] = (dy[at + j] as number) * (scale ? offset + (scale[group + j] as number) : 1);
      normal[j] = ((x[at + j] as number) - (mean[row] as number)) * (rstd[row] as number);
      product += (g[j] as number) * (normal[j] as number);
    }
    const still = isZero(dy, at, columns);
    const level = meanOf(g);
    for (let j = 0; j < columns; j++) {
      const slope = (rstd[row] as number) * ((g[j] as number) - level - ((normal[j] as number) * product) / columns);
      dx[at + j] = still ? 0 : slope;
    }
  }
}
