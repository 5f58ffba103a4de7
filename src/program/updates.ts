import { isParameter, type Node, type Tensor } from "../autograd/tensor.js";
import { ShapeError } from "../base/errors.js";
import { type Step, sourceOf, sourcesOf } from "./fuse.js";
import type { Views } from "./views.js";

/** A parameter and the value it takes at the end of a run. */
export type Update = readonly [parameter: Tensor, value: Tensor];

/** Whether element i of what a step writes needs only element i of what it reads. */
function isAligned(step: Step): boolean {
  if (step.kind === "group") return step.reduce === undefined;
  const { lowering } = step.node.op;
  return lowering.kind === "calls" && lowering.aligned === true;
}

/**
 * Lets an update be computed straight into its parameter where nothing reads the old numbers afterwards; returns the updates that must
 * be copied at the end instead.
 * @throws ShapeError when the update of a parameter is another parameter
 */
export function placeUpdates(
  updates: readonly Update[],
  nodes: readonly Node[],
  steps: readonly Step[],
  views: Views,
): Update[] {
  const stepOf = new Map<Node, number>();
  steps.forEach((step, i) => {
    for (const node of step.kind === "op" ? [step.node] : [...step.nodes, ...(step.reduce ? [step.reduce] : [])])
      stepOf.set(node, i);
  });
  const readers = new Map<Tensor, Set<Node>>();
  for (const node of nodes) {
    if (node.op.lowering.kind === "alias") continue;
    for (const own of node.inputs.flatMap(sourcesOf))
      if (isParameter(own)) readers.set(own, (readers.get(own) ?? new Set()).add(node));
  }
  const late: Update[] = [];
  const taken = new Set<Tensor>();
  for (const update of updates) {
    const [parameter, value] = update;
    const step = stepOf.get(value.node);
    const from = sourceOf(value);
    if (isParameter(from) && from !== parameter) {
      throw new ShapeError(
        `compile: the update of a parameter is another parameter's memory (${from}). Compute it with an op, e.g. mul(x, 1).`,
      );
    }
    /** Whether a node reads nothing of the parameter once the value is being written. */
    const readsBefore = (node: Node): boolean => {
      const own = stepOf.get(node) ?? 0;
      if (own !== step) return step !== undefined && own < step;
      return isAligned(steps[own]) && node.inputs.every((x) => !sourcesOf(x).includes(parameter) || x.size === value.size);
    };
    if (step !== undefined && !taken.has(value) && [...(readers.get(parameter) ?? [])].every(readsBefore)) {
      taken.add(value);
      views.put(value, views.of(parameter));
    } else if (from !== parameter) {
      late.push(update);
    }
  }
  return late;
}
