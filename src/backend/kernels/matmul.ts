import { kernel, optional, read, write } from "../kernel.js";

/** Elements of one operand a batch: all products share it where its stride is 0. */
const operand = (batch: number, stride: number, size: number): number => (batch - 1) * stride + size;
/** Elements of op(B) as it is stored: in panels, the last is filled up. */
const sizeB = ({ n, k, transposeB }: { n: number; k: number; transposeB: number }): number =>
  (transposeB === 2 ? Math.ceil(n / 16) * 16 : n) * k;

/** C = alpha·op(A)·op(B) + bias (+ C if accumulate). op(A) [m, k] is stored [m, k], or [k, m] if transposeA; op(B) [k, n] stored
 *  [k, n], or [n, k] if transposeB is 1, or in panels as `packPanels` leaves it if it is 2; bias [n] or null. Batch strides may be 0
 *  (shared operand). sums [batch, m] or null: Σ over k of op(A), the gradient of a bias beside that of its weight. */
export const matmul = kernel({
  batch: "int",
  m: "int",
  n: "int",
  k: "int",
  strideA: "int",
  strideB: "int",
  strideC: "int",
  transposeA: "int",
  transposeB: "int",
  accumulate: "int",
  alpha: "float",
})({
  buffers: {
    c: write("f32", (a) => operand(a.batch, a.strideC, a.m * a.n)),
    sums: optional(write("f32", (a) => a.batch * a.m)),
    a: read("f32", (a) => operand(a.batch, a.strideA, a.m * a.k)),
    b: read("f32", (a) => operand(a.batch, a.strideB, sizeB(a))),
    bias: optional(read("f32", (a) => a.n)),
  },
  work: ({ batch, m, n, k }) => ({ multiplyAdds: batch * m * n * k }),
  reference: ({
    c,
    sums,
    a,
    b,
    bias,
    batch,
    m,
    n,
    k,
    strideA,
    strideB,
    strideC,
    transposeA,
    transposeB,
    accumulate,
    alpha,
  }) => {
    const [rowA, stepA] = transposeA ? [1, m] : [k, 1];
    /** Where column j of op(B) begins; its elements are stepB apart. */
    const columnB = (j: number): number => [j, j * k, (j >> 4) * 16 * k + (j & 15)][transposeB];
    const stepB = [n, 1, 16][transposeB];
    for (let group = 0; group < batch; group++) {
      const [startA, startB, startC] = [group * strideA, group * strideB, group * strideC];
      for (let i = 0; i < m; i++) {
        if (sums) {
          let sum = 0;
          for (let step = 0; step < k; step++) sum += a[startA + i * rowA + step * stepA];
          sums[group * m + i] = sum;
        }
        for (let j = 0; j < n; j++) {
          let sum = 0;
          let [p, q] = [startA + i * rowA, startB + columnB(j)];
          for (let step = 0; step < k; step++, p += stepA, q += stepB) sum += a[p] * b[q];
          const at = startC + i * n + j;
          c[at] = alpha * sum + (bias ? bias[j] : 0) + (accumulate ? c[at] : 0);
        }
      }
    }
  },
});
