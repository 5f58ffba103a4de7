/** Whose memory a value is. */
import type { Tensor } from "../autograd/tensor.js";

/** The value whose memory an alias is, and where in it. */
export function originOf(x: Tensor): { readonly source: Tensor; readonly offset: number } {
  const { op, inputs, attributes } = x.node;
  if (op.lowering.kind !== "alias") return { source: x, offset: 0 };
  const { source, offset } = originOf(inputs[0]);
  return { source, offset: offset + (op.lowering.offset?.(attributes, x.index) ?? 0) };
}

/** The value whose memory a value is. */
export const sourceOf = (x: Tensor): Tensor => originOf(x).source;

/** The tensors whose memory may be that of x: what is joined in one tensor may be read where it lies. */
export function sourcesOf(x: Tensor): readonly Tensor[] {
  const own = sourceOf(x);
  const { op, operands, inputs, attributes } = own.node;
  if (op.lowering.kind !== "calls" || !op.lowering.joins?.(operands, attributes)) return [own];
  return [own, ...inputs.flatMap(sourcesOf)];
}
