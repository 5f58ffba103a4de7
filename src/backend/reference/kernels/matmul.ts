import type { KernelArgs } from "../../kernels.js";

/** See `kernels.matmul`. Rows of op(B)ᵀ are read contiguously where they can be. */
export function matmul(args: KernelArgs<"matmul", Float64Array>): void {
  const { c, a, b, bias, batch, m, n, k, strideA, strideB, strideC, transposeA, transposeB, accumulate, alpha } = args;
  const [rowA, stepA] = transposeA ? [1, m] : [k, 1];
  const [columnB, stepB] = transposeB ? [k, 1] : [1, n];
  for (let group = 0; group < batch; group++) {
    const [startA, startB, startC] = [group * strideA, group * strideB, group * strideC];
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        let [p, q] = [startA + i * rowA, startB + j * columnB];
        for (let step = 0; step < k; step++, p += stepA, q += stepB) sum += (a[p] as number) * (b[q] as number);
        const at = startC + i * n + j;
        c[at] = alpha * sum + (bias ? (bias[j] as number) : 0) + (accumulate ? (c[at] as number) : 0);
      }
    }
  }
}
