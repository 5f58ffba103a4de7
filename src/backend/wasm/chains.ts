import { stridesOf } from "../../base/shape.js";
import type { KernelCall } from "../calls.js";

/**
 * Whether a call may be followed part by part by the next: a matrix product whose rows an elementwise call goes on with while they are
 * still in the cache: GELU, a gate and the residual, a sum of gradients. `same`: whether two buffers are one place in memory.
 */
export function mayFollow<B>(call: KernelCall<B>, next: KernelCall<B> | undefined, same: (a: B, b: B) => boolean): boolean {
  if (call.kernel !== "matmul" || next?.kernel !== "fused") return false;
  const { c, batch, m, n, strideC } = call.args;
  // Tall products are shared out among threads by rows; of others a thread has parts of all rows.
  if (m < n || (batch !== 1 && strideC !== m * n)) return false;
  const own = next.reads.filter(({ buffer }) => same(buffer, c));
  if (own.length === 0 || size(next.dims) !== batch * m * n) return false;
  const columns = next.dims[3];
  if (columns % n !== 0 && n % columns !== 0) return false;
  const strides = stridesOf(next.dims);
  return own.every(({ strides: walked }) => walked.every((stride, axis) => next.dims[axis] === 1 || stride === strides[axis]));
}

const size = (dims: readonly number[]): number => dims.reduce((product, n) => product * n, 1);
