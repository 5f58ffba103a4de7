import { reachable } from "../autograd/grad.js";
import { readsOf } from "../autograd/op.js";
import { mapTensors, pairs } from "../autograd/operands.js";
import { record, type Tensor, withScope } from "../autograd/tensor.js";
import type { Target } from "../backend/target.js";

/**
 * The same graph in the forms that a device likes better. Nodes before the first that changes stay; all after it are recorded anew, so
 * that the order of recording stays that of execution.
 * @shape roots [...] -> what stands for a tensor of the graph, of the same shape
 */
export function rewrite(roots: readonly Tensor[], target: Target): (x: Tensor) => Tensor {
  const copies = new Map<Tensor, Tensor>();
  const standsFor = (x: Tensor): Tensor => copies.get(x) ?? x;
  let changed = false;
  for (const node of reachable(roots, readsOf)) {
    const { op, attributes, scope } = node;
    if (op.lowering.kind === "leaf") continue;
    const read = readsOf(node);
    const operands = mapTensors(node.operands, (x) => (read.includes(x) ? standsFor(x) : x));
    withScope(scope, () => {
      const better = op.rewrite?.(operands, attributes, { target, held: () => false, once: (x, _form, make) => make(x) });
      if (!better && !changed) return;
      changed = true;
      for (const [x, own] of pairs(node.results, better ?? record(op, operands, attributes).results)) copies.set(x, own);
    });
  }
  return standsFor;
}
