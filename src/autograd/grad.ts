import { ShapeError } from "../base/errors.js";
import { showShape } from "../base/shape.js";
import { mapTensors, pairs } from "./operands.js";
import { add } from "./ops/elementwise.js";
import { checkTensor, checkTensorList, constant, type Node, record, type Tensor, withScope } from "./tensor.js";

/** Every node that `tensors` need, in the order of recording: all they are made of, or what they are computed from. */
export function reachable(tensors: Iterable<Tensor>, inputsOf = (node: Node): readonly Tensor[] => node.inputs): Node[] {
  const seen = new Set<Node>();
  const open = [...tensors].map((t) => t.node);
  for (let node = open.pop(); node; node = open.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    for (const x of inputsOf(node)) open.push(x.node);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

/**
 * Adds the backward graph of `loss` and returns its gradient with respect to each of `wrt`; zeros where the loss does not
 * depend on it. Contributions are summed in a fixed order.
 * @shape loss [] or [1], wrt any shapes -> the same shapes
 * @throws ShapeError when the loss is not one number, or an op on the way has no gradient
 */
export function grad(loss: Tensor, wrt: readonly Tensor[]): Tensor[] {
  checkTensor("grad", "the loss", loss);
  checkTensorList("grad", wrt);
  for (const x of [loss, ...wrt])
    if (x.dtype !== "f32") throw new ShapeError(`grad: whole numbers have no derivative, got ${x}. Use f32 tensors.`);
  if (loss.size !== 1)
    throw new ShapeError(`grad: the loss must be one number, got ${showShape(loss.shape)}. Take its mean or sum.`);
  const nodes = reachable([loss]);
  const wanted = new Set(wrt);
  const active = new Set<Node>();
  for (const node of nodes) {
    if (node.outputs.some((t) => wanted.has(t)) || node.inputs.some((x) => active.has(x.node))) active.add(node);
  }
  const gradients = new Map<Tensor, Tensor>([[loss, constant(Float64Array.of(1), loss.shape)]]);
  const recomputed = new Map<number, Map<Tensor, Tensor>>();

  for (const node of [...nodes].reverse()) {
    if (!active.has(node) || node.inputs.length === 0 || !node.outputs.some((t) => gradients.has(t))) continue;
    const { gradient, name } = node.op;
    if (!gradient)
      throw new ShapeError(`grad: ${lacking(name)} (in ${node.scope || "the graph"}). Put stopGradient in front of it.`);
    withScope(node.scope, () => {
      if (node.segment !== 0 && !recomputed.has(node.segment)) recomputed.set(node.segment, recompute(nodes, node.segment));
      const again = recomputed.get(node.segment);
      const value = (t: Tensor): Tensor => again?.get(t) ?? t;
      const dOperands = gradient(
        { ...mapTensors(node.operands, value), ...mapTensors(node.results, value) },
        mapTensors(node.results, (t) => gradients.get(t)),
        node.attributes,
      );
      for (const [x, dx] of pairs(node.operands, dOperands)) {
        if (!active.has(x.node)) continue;
        const sum = gradients.get(x);
        gradients.set(x, sum ? add(sum, dx) : dx);
      }
    });
  }
  return wrt.map((x) => gradients.get(x) ?? constant(new Float64Array(x.size), x.shape));
}

/** What an op without a gradient rule lacks; that of an op's gradient would be the op's second derivative. */
function lacking(name: string): string {
  const differentiated = name.replace(/Grad$/, "");
  return differentiated === name
    ? `${name} has no gradient`
    : `${differentiated} has no second derivative: ${name} has no gradient`;
}

/** Records a checkpointed segment once more; from its first value to the last, each as late as the backward pass allows. */
function recompute(nodes: readonly Node[], segment: number): Map<Tensor, Tensor> {
  const copies = new Map<Tensor, Tensor>();
  for (const node of nodes) {
    if (node.segment !== segment) continue;
    const operands = mapTensors(node.operands, (x) => copies.get(x) ?? x);
    const again = withScope(node.scope, () => record(node.op, operands, node.attributes));
    node.outputs.forEach((t, i) => copies.set(t, again.outputs[i]));
  }
  return copies;
}
