import { reachable } from "../autograd/grad.js";
import { named, nameOf } from "../autograd/names.js";
import { readsOf } from "../autograd/op.js";
import { mapTensors, pairs } from "../autograd/operands.js";
import { isConstant, isInput, isParameter, type Node, parameter, record, type Tensor, withScope } from "../autograd/tensor.js";
import type { Target } from "../backend/target.js";
import type { Update } from "./updates.js";

const isLeaf = (x: Tensor): boolean => isInput(x) || isParameter(x) || isConstant(x);

/**
 * Takes out of a graph what stays the same while only `varying` leaves change: it can be computed once, by a program whose
 * updates are `held`, and the graph that is run many times reads the results. Weights are among it, in the forms that the device likes.
 * Elementwise work on leaves alone stays where it is: fused into what uses it, it costs less than a pass over memory.
 * @shape outputs [...] -> outputs of the same shapes
 */
export function hoist(
  outputs: readonly Tensor[],
  varying: Iterable<Tensor>,
  target: Target,
): { readonly outputs: readonly Tensor[]; readonly held: readonly Update[] } {
  const leaves = new Set(varying);
  const varies = new Set<Node>();
  const heavy = new Set<Node>();
  const copies = new Map<Tensor, Tensor>();
  const origins = new Map<Tensor, Tensor>();
  const held: Update[] = [];
  const hold = (x: Tensor): Tensor => {
    const own = named(`held ${nameOf(x)}`, parameter(x.shape));
    held.push([own, x]);
    return own;
  };
  /** What a varying node reads in place of x. */
  const substitute = (x: Tensor): Tensor => {
    const known = copies.get(x);
    if (known || varies.has(x.node) || isLeaf(x) || !heavy.has(x.node) || x.dtype !== "f32") return known ?? x;
    const own = hold(x);
    copies.set(x, own);
    origins.set(own, x);
    return own;
  };
  /** Weights that stay the same, and the forms of them that the device likes, each held once. */
  const isHeld = (x: Tensor): boolean => isParameter(x) && !leaves.has(x);
  const forms = new Map<Tensor, Map<string, Tensor>>();
  const once = (x: Tensor, form: string, make: (x: Tensor) => Tensor): Tensor => {
    const own = forms.get(x) ?? new Map<string, Tensor>();
    const value = own.get(form) ?? hold(make(origins.get(x) ?? x));
    forms.set(x, own.set(form, value));
    return value;
  };
  /** A varying node on what stands for its operands. */
  const repeated = (node: Node) => {
    const { op, attributes } = node;
    const read = readsOf(node);
    const operands = mapTensors(node.operands, (x) => (read.includes(x) ? substitute(x) : x));
    return op.rewrite?.(operands, attributes, { target, held: isHeld, once }) ?? record(op, operands, attributes).results;
  };
  for (const node of reachable(outputs, readsOf)) {
    const { op, inputs, scope } = node;
    const random = inputs.length === 0 && op.lowering.kind !== "leaf";
    if (random || node.outputs.some((x) => leaves.has(x)) || inputs.some((x) => varies.has(x.node))) {
      varies.add(node);
      if (inputs.length === 0) continue;
      for (const [x, own] of pairs(
        node.results,
        withScope(scope, () => repeated(node)),
      ))
        copies.set(x, own);
    } else if (op.lowering.kind === "calls" || op.lowering.kind === "reduce" || inputs.some((x) => heavy.has(x.node))) {
      heavy.add(node);
    }
  }
  const results = outputs.map(substitute);
  // Of some only another form is read.
  const read = new Set(reachable(results, readsOf).flatMap((node) => node.outputs));
  return { outputs: results, held: held.filter(([own]) => read.has(own)) };
}
