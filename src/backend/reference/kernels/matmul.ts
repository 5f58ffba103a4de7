import type { KernelArgs } from "../../kernels.js";

/** See `kernels.matmul`. Rows of op(B)ᵀ are read contiguously where they can be. */
export function matmul(args: KernelArgs<"matmul", Float64Array>): void {
  const { c, a, b, bias, batch, m, n, k, strideA, strideB, strideC, transposeA, transposeB, accumulate, alpha } = args;
  const [rowA, stepA] = transposeA ? [1, m] : [k, 1];
  /** Where column j of op(B) begins; its elements are stepB apart. */
  const columnB = (j: number): number => [j, j * k, (j >> 4) * 16 * k + (j & 15)][transposeB] as number;
  const stepB = [n, 1, 16][transposeB] as number;
  for (let group = 0; group < batch; group++) {
    const [startA, startB, startC] = [group * strideA, group * strideB, group * strideC];
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        let [p, q] = [startA + i * rowA, startB + columnB(j)];
        for (let step = 0; step < k; step++, p += stepA, q += stepB) sum += (a[p] as number) * (b[q] as number);
        const at = startC + i * n + j;
        c[at] = alpha * sum + (bias ? (bias[j] as number) : 0) + (accumulate ? (c[at] as number) : 0);
      }
    }
  }
}

/** See `kernels.packPanels`. */
export function packPanels({ y, b, n, k, transposed }: KernelArgs<"packPanels", Float64Array>): void {
  for (let i = 0; i < Math.ceil(n / 16) * 16 * k; i++) {
    const [column, row] = [16 * Math.floor(i / (16 * k)) + (i & 15), (i >> 4) % k];
    y[i] = column < n ? (b[transposed ? column * k + row : row * n + column] as number) : 0;
  }
}
