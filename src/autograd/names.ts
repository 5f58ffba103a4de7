import type { Tensor } from "./tensor.js";

/** Kept beside the tensors: a name is for people and changes nothing. */
const names = new WeakMap<Tensor, string>();

/** Gives a tensor the name by which prints show it, in place of one it had; returns it.
 *  @shape x [...] -> x */
export function named(name: string, x: Tensor): Tensor {
  names.set(x, name);
  return x;
}

/** What a tensor is called: by the name it was given, or by its op and the number of its node, `matmul#12`. */
export function nameOf(x: Tensor): string {
  const { node, index } = x;
  return names.get(x) ?? `${node.op.name}#${node.id}${index > 0 ? `.${index}` : ""}`;
}

/** Whether somebody gave it a name. */
export const hasName = (x: Tensor): boolean => names.has(x);
