import { isParameter, type Node, type Tensor } from "../autograd/tensor.js";
import { ShapeError } from "../base/errors.js";
import type { Step } from "./fuse.js";
import { originOf, sourcesOf } from "./sources.js";
import type { Views } from "./views.js";

/** A parameter and the value it takes at the end of a run. */
export type Update = readonly [parameter: Tensor, value: Tensor];

/** Whether element i of what a step writes needs only element i of what it reads. */
function isAligned(step: Step): boolean {
  if (step.kind === "group") return step.reduce === undefined;
  const { lowering } = step.node.op;
  return lowering.kind === "calls" && lowering.aligned === true;
}

/** What a run computes straight into parameters: a value that sets one, or whose parts in a row set several that lie side by side. */
interface Placement {
  readonly value: Tensor;
  readonly updates: readonly Update[];
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
  /** Whether nothing reads the parameters any more once the value is being written. */
  const isFree = ({ value, updates: own }: Placement): boolean => {
    const step = stepOf.get(value.node);
    const parameters = own.map(([parameter]) => parameter);
    const readsBefore = (node: Node): boolean => {
      const at = stepOf.get(node) ?? 0;
      if (at !== step) return step !== undefined && at < step;
      return isAligned(steps[at]) && node.inputs.every((x) => isApart(x, parameters) || isSame(x, value, parameters));
    };
    return step !== undefined && parameters.every((one) => [...(readers.get(one) ?? [])].every(readsBefore));
  };
  const late: Update[] = [];
  const taken = new Set<Tensor>();
  for (const placement of placements(updates, views)) {
    const { value, updates: own } = placement;
    if (!taken.has(value) && isFree(placement)) {
      taken.add(value);
      views.put(value, views.of(own[0][0]));
    } else {
      late.push(...own.filter(([parameter]) => value !== parameter));
    }
  }
  return late;
}

/** Whether a tensor is none of the parameters' memory. */
const isApart = (x: Tensor, parameters: readonly Tensor[]): boolean => !sourcesOf(x).some((own) => parameters.includes(own));

/** Whether element i of a tensor is what element i of the value replaces. */
function isSame(x: Tensor, value: Tensor, parameters: readonly Tensor[]): boolean {
  const own = sourcesOf(x).filter(isParameter);
  return x.size === value.size && own.length === parameters.length && own.every((one, i) => one === parameters[i]);
}

/** Updates by the value that they are, or are parts of.
 *  @throws ShapeError when one is another parameter's memory */
function placements(updates: readonly Update[], views: Views): Placement[] {
  const bySource = new Map<Tensor, Update[]>();
  for (const update of updates) {
    const [parameter, value] = update;
    const { source } = originOf(value);
    if (isParameter(source) && source !== parameter) {
      throw new ShapeError(
        `compile: the update of a parameter is another parameter's memory (${source}). Compute it with an op, e.g. mul(x, 1).`,
      );
    }
    bySource.set(source, [...(bySource.get(source) ?? []), update]);
  }
  return [...bySource].flatMap(([source, own]) => {
    if (tiles(source, own, views)) return [{ value: source, updates: own }];
    return own.map((update) => ({ value: update[1], updates: [update] }));
  });
}

/** Whether the updates are a value's parts from its first element to its last, and their parameters lie as they do. */
function tiles(source: Tensor, updates: readonly Update[], views: Views): boolean {
  const first = views.of(updates[0][0]);
  let covered = 0;
  for (const [parameter, value] of updates) {
    const { buffer, offset } = views.of(parameter);
    if (originOf(value).offset !== covered || buffer !== first.buffer || offset !== first.offset + covered) return false;
    covered += value.size;
  }
  return covered === source.size;
}
