import type { KernelCall } from "../backend/calls.js";
import type { FusedCall } from "../backend/kernels/fused.js";
import { stridesOf } from "../base/shape.js";
import type { View } from "./op.js";

/**
 * Which calls the next one may follow part by part: matrix products whose rows an elementwise call goes on with, while they are
 * still in the cache: GELU, a gate and the residual, a sum of gradients.
 */
export function chainedCalls(calls: readonly KernelCall<View>[]): boolean[] {
  return calls.map((call, i) => {
    const next = calls[i + 1];
    return next?.kernel === "fused" && mayFollow(call, next);
  });
}

function mayFollow(product: KernelCall<View>, next: FusedCall<View>): boolean {
  if (product.kernel !== "matmul") return false;
  const { c, a, b, bias, batch, m, n } = product.args;
  // Tall products are shared out among threads by rows; of others a thread has parts of all rows.
  if (batch !== 1 || m < n) return false;
  const own = next.reads.filter(({ buffer }) => buffer.value === c.value);
  if (own.length === 0 || size(next.dims) !== m * n) return false;
  const columns = next.dims[3];
  if (columns % n !== 0 && n % columns !== 0) return false;
  const strides = stridesOf(next.dims);
  const inOrder = own.every(
    ({ buffer, strides: walked }) =>
      buffer.offset === c.offset && walked.every((stride, axis) => next.dims[axis] === 1 || stride === strides[axis]),
  );
  const operands = new Set([a.value, b.value, bias?.value]);
  return inOrder && next.writes.every(({ value }) => !operands.has(value));
}

const size = (dims: readonly number[]): number => dims.reduce((product, n) => product * n, 1);
