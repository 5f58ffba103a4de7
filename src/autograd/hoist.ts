import { reachable } from "./grad.js";
import type { Update } from "./lower.js";
import { readsOf } from "./op.js";
import { isConstant, isInput, isParameter, type Node, parameter, record, type Tensor, withScope } from "./tensor.js";

const isLeaf = (x: Tensor): boolean => isInput(x) || isParameter(x) || isConstant(x);

/**
 * Takes out of a graph what stays the same while only `varying` leaves change: it can be computed once, by a program whose
 * updates are `held`, and the graph that is run many times reads the results. Weights are among it, packed as products read them.
 * Elementwise work on leaves alone stays where it is: fused into what uses it, it costs less than a pass over memory.
 * @shape outputs [...] -> outputs of the same shapes
 */
export function hoist(
  outputs: readonly Tensor[],
  varying: Iterable<Tensor>,
): { readonly outputs: readonly Tensor[]; readonly held: readonly Update[] } {
  const leaves = new Set(varying);
  const varies = new Set<Node>();
  const heavy = new Set<Node>();
  const copies = new Map<Tensor, Tensor>();
  const held: Update[] = [];
  const hold = (x: Tensor): Tensor => {
    const own = parameter(x.shape);
    held.push([own, x]);
    return own;
  };
  /** What a varying node reads in place of x. */
  const substitute = (x: Tensor): Tensor => {
    const known = copies.get(x);
    if (known || varies.has(x.node) || isLeaf(x) || !heavy.has(x.node) || x.dtype !== "f32") return known ?? x;
    const own = hold(x);
    copies.set(x, own);
    return own;
  };
  /** Parameters in the forms that ops like best, by what makes the form. */
  const preparedForms = new Map<Tensor, Map<string, Tensor>>();
  /** A varying node on what stands for its operands. */
  const repeated = (node: Node): readonly Tensor[] => {
    const { op, inputs, attributes } = node;
    const read = readsOf(node);
    const own = inputs.map((x) => (read.includes(x) ? substitute(x) : x));
    const prepared = op.prepared?.(inputs, attributes);
    const operand = prepared && inputs[prepared.index];
    if (!prepared || !operand || !isParameter(operand) || leaves.has(operand)) return record(op, own, attributes);
    const forms = preparedForms.get(operand) ?? new Map<string, Tensor>();
    const form = JSON.stringify(prepared.value.node.attributes);
    const value = forms.get(form) ?? hold(prepared.value);
    preparedForms.set(operand, forms.set(form, value));
    return prepared.apply(own.with(prepared.index, value));
  };
  for (const node of reachable(outputs, readsOf)) {
    const { op, inputs, scope } = node;
    const random = inputs.length === 0 && op.lowering.kind !== "leaf";
    if (random || node.outputs.some((x) => leaves.has(x)) || inputs.some((x) => varies.has(x.node))) {
      varies.add(node);
      if (inputs.length === 0) continue;
      const own = withScope(scope, () => repeated(node));
      node.outputs.forEach((x, i) => copies.set(x, own[i] as Tensor));
    } else if (op.lowering.kind === "calls" || op.lowering.kind === "reduce" || inputs.some((x) => heavy.has(x.node))) {
      heavy.add(node);
    }
  }
  return { outputs: outputs.map(substitute), held };
}
