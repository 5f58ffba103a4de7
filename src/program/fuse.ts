import { readsOf } from "../autograd/op.js";
import { isConstant, type Node, type Tensor } from "../autograd/tensor.js";
import { maxOperands, type Opcode } from "../backend/kernels/opcodes.js";
import type { Target } from "../backend/target.js";
import { broadcastStrides, mergeAxes, type Shape, sameShape } from "../base/shape.js";
import { sourceOf } from "./sources.js";

/** One step of a program: an op with kernel calls of its own, or a group of elementwise nodes computed in one pass. */
export type Step = { readonly kind: "op"; readonly node: Node } | Group;

/** Elementwise nodes over one domain, in order; with `reduce`, their last value is reduced on the fly. */
export interface Group {
  readonly kind: "group";
  readonly domain: Shape;
  readonly nodes: Node[];
  /** Values read from memory. */
  reads: ReadonlySet<Tensor>;
  /** Values needed outside the group. */
  readonly writes: Tensor[];
  readonly reduce: Node | undefined;
}

export const opcodeOf = (node: Node): Opcode => {
  const { lowering } = node.op;
  if (lowering.kind !== "elementwise") throw new Error(`${node.op.name} is not elementwise`);
  return lowering.opcode;
};

/** A constant of one element becomes an immediate number. */
export const isImmediate = (x: Tensor): boolean => isConstant(x) && x.size === 1;

/** The reduced run of axes as [outer, reduce, inner] of a shape. */
export function reduceDims(node: Node): [number, number, number] {
  const { lowering } = node.op;
  if (lowering.kind !== "reduce") throw new Error(`${node.op.name} is not a reduction`);
  const { shape } = node.inputs[0];
  const axes = lowering.axes(node.attributes).filter((axis) => shape[axis] !== 1);
  const first = axes[0] ?? shape.length;
  const last = axes.at(-1) ?? shape.length - 1;
  const size = (from: number, to: number) => shape.slice(from, to).reduce((product, n) => product * n, 1);
  return [size(0, first), size(first, last + 1), size(last + 1, shape.length)];
}

/** Strides of reads over [outer, reduce, inner]; undefined when an operand does not walk those three as one axis each. */
export function reduceStrides(
  domain: Shape,
  dims: readonly [number, number, number],
  shape: Shape,
): [number, number, number] | undefined {
  const strides = broadcastStrides(shape, domain);
  const result: [number, number, number] = [0, 0, 0];
  let axis = 0;
  for (const [part, total] of dims.entries()) {
    const start = axis;
    for (let size = 1; size < total; axis++) size *= domain[axis];
    const merged = mergeAxes(domain.slice(start, axis), [strides.slice(start, axis)]);
    if (merged.domain.length > 1) return undefined;
    result[part] = merged.strides[0]?.[0] ?? 0;
  }
  return result;
}

/** Whether operands of these shapes can be walked over the domain with the four axes a fused kernel has. */
export function fitsFourAxes(domain: Shape, shapes: readonly Shape[]): boolean {
  const all = [domain, ...shapes].map((shape) => broadcastStrides(shape, domain));
  return mergeAxes(domain, all).domain.length <= 4;
}

/** The values a group would read from memory if `node`, whose value it uses, were computed within it. */
function readsWith(node: Node, reads: ReadonlySet<Tensor>): Set<Tensor> {
  const all = new Set(reads);
  all.delete(node.outputs[0]);
  for (const x of node.inputs) if (!isImmediate(x)) all.add(x);
  return all;
}

/**
 * Groups elementwise nodes: a node joins the group of its consumers when all of them are in one group over the same domain.
 * Steps come in an order of execution. `limits` is what the device lets a group hold; `apart` keeps every node to itself, to see what fusing saves.
 */
export function fuse(nodes: readonly Node[], roots: ReadonlySet<Tensor>, limits: Target["group"], apart = false): Step[] {
  const consumers = new Map<Tensor, Set<Node>>();
  for (const node of nodes) {
    for (const x of readsOf(node)) {
      const users = consumers.get(x) ?? new Set();
      consumers.set(x, users.add(node));
    }
  }
  const home = new Map<Node, Group>();
  const steps: Step[] = [];
  for (const node of [...nodes].reverse()) {
    const { kind } = node.op.lowering;
    if (kind === "leaf" || kind === "alias") continue;
    const y = node.outputs[0];
    if (kind === "reduce") {
      const [x] = node.inputs;
      const reads = new Set(isImmediate(x) ? [] : [x]);
      const group: Group = { kind: "group", domain: x.shape, nodes: [], reads, writes: [y], reduce: node };
      home.set(node, group);
      steps.push(group);
    } else if (kind === "elementwise") {
      const users = [...(consumers.get(y) ?? [])];
      const [target] = users.map((user) => home.get(user));
      const joined =
        !apart && target && users.every((user) => home.get(user) === target) && joins(node, target, limits, roots.has(y));
      if (joined) {
        target.reads = joined;
        target.nodes.unshift(node);
        if (roots.has(y)) target.writes.unshift(y);
        home.set(node, target);
      } else {
        const reads = readsWith(node, new Set());
        const group: Group = { kind: "group", domain: y.shape, nodes: [node], reads, writes: [y], reduce: undefined };
        home.set(node, group);
        steps.push(group);
      }
    } else {
      steps.push({ kind: "op", node });
    }
  }
  return afterTheirProducts(steps.reverse());
}

/**
 * Moves an elementwise group up to right behind the op that makes the last of what it reads: what the op made is still in the
 * cache, and a matrix product can be followed row by row.
 */
function afterTheirProducts(steps: readonly Step[]): Step[] {
  const makers = new Map<Tensor, number>();
  steps.forEach((step, i) => {
    for (const y of step.kind === "op" ? step.node.outputs : step.writes) makers.set(y, i);
  });
  const followers = new Map<number, Step>();
  const moved = new Set<Step>();
  for (const step of steps) {
    if (step.kind === "op" || step.reduce) continue;
    const last = Math.max(...[...step.reads].map((x) => makers.get(sourceOf(x)) ?? -1));
    if (steps[last]?.kind !== "op" || followers.has(last)) continue;
    followers.set(last, step);
    moved.add(step);
  }
  return steps.flatMap((step, i) => {
    if (moved.has(step)) return [];
    const follower = followers.get(i);
    return follower ? [step, follower] : [step];
  });
}

/** What a group reads once an elementwise node is computed within it, or undefined where its axes or operand counts forbid it. */
function joins(node: Node, group: Group, limits: Target["group"], isRoot: boolean): Set<Tensor> | undefined {
  const y = node.outputs[0];
  if (!sameShape(y.shape, group.domain) || group.nodes.length >= limits.nodes) return undefined;
  if (group.reduce && isRoot) return undefined;
  const reads = readsWith(node, group.reads);
  if (reads.size > limits.reads || reads.size + limits.nodes + group.writes.length > maxOperands) return undefined;
  const shapes = [...reads].map((x) => x.shape);
  const { reduce, domain } = group;
  if (reduce) {
    const dims = reduceDims(reduce);
    return shapes.every((shape) => reduceStrides(domain, dims, shape) !== undefined) ? reads : undefined;
  }
  return fitsFourAxes(domain, shapes) ? reads : undefined;
}
