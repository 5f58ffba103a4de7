import type { View } from "../autograd/buffer.js";
import { reachable } from "../autograd/grad.js";
import { type Emitter, readsOf } from "../autograd/op.js";
import { mapTensors } from "../autograd/operands.js";
import { emitCopy } from "../autograd/ops/copy.js";
import type { Node, Tensor } from "../autograd/tensor.js";
import type { KernelCall, PlainCall } from "../backend/calls.js";
import type { Target } from "../backend/target.js";
import { broadcastStrides, mergeAxes, type Shape, sizeOf, stridesOf } from "../base/shape.js";
import { assemble } from "./assemble.js";
import { fitsFourAxes, fuse, type Group, reduceDims, reduceStrides, type Step } from "./fuse.js";
import { stretches } from "./stretches.js";
import { layTogether, wishes } from "./together.js";
import { placeUpdates, type Update } from "./updates.js";
import { apartFromEachOther, Views } from "./views.js";

/** A kernel call and where in the model it comes from. */
export interface LoweredCall {
  readonly call: KernelCall<View>;
  readonly op: string;
  readonly scope: string;
}

/** Calls `first`..`last`, which the device runs at once. */
export interface Interval {
  readonly first: number;
  readonly last: number;
}

/** A graph as a list of kernel calls over buffers. */
export interface Lowered {
  readonly calls: readonly LoweredCall[];
  /** Of every call the interval that it is in. */
  readonly intervals: readonly Interval[];
  readonly viewOf: (tensor: Tensor) => View;
  /** Leaves that are used. */
  readonly leaves: readonly Tensor[];
  readonly views: Views;
}

/** Says where parameters lie, given those of a graph and which of them some op would rather have side by side. */
export type Parameters = (leaves: readonly Tensor[], together: readonly (readonly Tensor[])[]) => ReadonlyMap<Tensor, View>;

export interface LowerOptions {
  /** By default each has a buffer of its own. */
  readonly parameters?: Parameters;
  /** Keeps elementwise ops apart, as if there were no fusion. */
  readonly apart?: boolean;
}

/** Turns the graph of `outputs` and `updates` into kernel calls: what nothing needs is dropped, elementwise chains are fused. */
export function lower(
  outputs: readonly Tensor[],
  updates: readonly Update[],
  target: Target,
  { parameters = apartFromEachOther, apart = false }: LowerOptions = {},
): Lowered {
  const roots = new Set([...outputs, ...updates.map(([, value]) => value)]);
  const nodes = reachable(roots, readsOf);
  // A parameter may be set without being read.
  const written = updates.map(([parameter]) => parameter.node);
  const leaves = [...new Set([...nodes, ...written])].filter(isLeafNode).map((node) => node.outputs[0]);
  const wished = nodes.flatMap(wishes);
  const views = new Views(leaves, parameters(leaves, wished), target.alignmentBytes / 4);
  const steps = fuse(nodes, neededOutside(nodes, roots), target.group, apart);
  const late = placeUpdates(updates, nodes, steps, views);
  layTogether(nodes, roots, views);
  const lowering = new Lowering(target, views);
  for (const node of nodes) if (node.op.lowering.kind === "alias") for (const tensor of node.outputs) views.of(tensor);
  for (const step of steps) lowering.step(step);
  lowering.copyUpdates(late);
  return { ...inOrder(lowering.calls, target), viewOf: (tensor) => views.of(tensor), leaves, views };
}

/** Calls in the order that the device likes. */
function inOrder(calls: readonly LoweredCall[], target: Target): Pick<Lowered, "calls" | "intervals"> {
  const locate = ({ buffer, offset }: View) => ({ memory: buffer, offset });
  const given = calls.map(({ call }) => call);
  const lists = target.schedule?.(given, locate) ?? calls.map((_, i) => [i]);
  const order = lists.flat();
  let first = 0;
  const intervals = lists.flatMap((list) => {
    const own = { first, last: first + list.length - 1 };
    first += list.length;
    return list.map(() => own);
  });
  return { calls: order.map((i) => calls[i]), intervals };
}

const isLeafNode = ({ op }: Node): boolean => op.lowering.kind === "leaf";

/** Roots, and values that an alias of them makes visible: both must be in memory. */
function neededOutside(nodes: readonly Node[], roots: ReadonlySet<Tensor>): Set<Tensor> {
  const needed = new Set(roots);
  for (const node of nodes) if (node.op.lowering.kind === "alias") needed.add(node.inputs[0]);
  return needed;
}

class Lowering {
  readonly calls: LoweredCall[] = [];
  private origin = { op: "", scope: "" };

  private readonly emitter: Emitter;

  constructor(
    private readonly target: Target,
    private readonly views: Views,
  ) {
    this.emitter = {
      target,
      temporary: (elements) => views.fresh("temporary", elements),
      runCounter: () => ({ buffer: views.counter, offset: 0 }),
      call: (kernel, args) => this.push({ kernel, args } as PlainCall<View>),
      reduce: (call) => this.push({ kernel: "reduce", ...call }),
    };
  }

  copyUpdates(late: readonly Update[]): void {
    this.origin = { op: "update", scope: "" };
    for (const [parameter, value] of late) {
      emitCopy(this.emitter, this.views.of(parameter), this.views.of(value), [value.size], [1], [1]);
    }
  }

  step(step: Step): void {
    if (step.kind === "op") {
      const { node } = step;
      this.origin = { op: node.op.name, scope: node.scope };
      const { lowering } = node.op;
      if (lowering.kind !== "calls") return;
      const { operands, results } = node;
      const view = (x: Tensor) => this.views.of(x);
      lowering.emit(
        this.emitter,
        { ...mapTensors(operands, view), ...mapTensors(results, view) },
        { ...operands, ...results },
        node.attributes,
      );
    } else {
      const node = step.reduce ?? step.nodes[step.nodes.length - 1];
      this.origin = {
        op: [...step.nodes, ...(step.reduce ? [step.reduce] : [])].map((n) => n.op.name).join("+"),
        scope: node.scope,
      };
      if (step.reduce) this.reduction(step, step.reduce);
      else this.fused(step);
    }
  }

  private push(call: KernelCall<View>): void {
    this.calls.push({ call, ...this.origin });
  }

  /** An elementwise group as one kernel call. */
  private fused(group: Group): void {
    const { domain } = group;
    const fits = fitsFourAxes(
      domain,
      [...group.reads].map(({ shape }) => shape),
    );
    const reads = [...group.reads].map((tensor) => {
      const view = this.views.of(tensor);
      if (fits || tensor.size === sizeOf(domain)) return { tensor, view, shape: tensor.shape };
      return { tensor, view: this.stretched(view, tensor.shape, domain), shape: domain };
    });
    const merged = mergeAxes(
      domain,
      [domain, ...reads.map(({ shape }) => shape)].map((shape) => broadcastStrides(shape, domain)),
    );
    const lead = new Array<number>(4 - merged.domain.length);
    const four = (fill: number, own: readonly number[]) => {
      const [a, b, c, d] = [...lead.fill(fill), ...own];
      return [a, b, c, d] as const;
    };
    const writes = group.writes.map((tensor) => this.views.of(tensor));
    this.push({
      kernel: "fused",
      dims: four(1, merged.domain),
      reads: reads.map(({ view }, i) => ({ buffer: view, strides: four(0, merged.strides[i + 1] ?? []) })),
      writes,
      ...assemble(
        group,
        reads.map(({ tensor }) => tensor),
        reads.map(({ view }) => view),
        writes,
      ),
    });
  }

  /** A full-size copy of a broadcast operand, for the rare pattern of more axes than a kernel walks. */
  private stretched(view: View, shape: Shape, domain: Shape): View {
    let [current, own] = [view, [...new Array<number>(domain.length - shape.length).fill(1), ...shape]];
    for (const next of stretches(own, domain)) {
      const y = this.views.fresh("stretched", sizeOf(next));
      emitCopy(this.emitter, y, current, next, stridesOf(next), broadcastStrides(own, next));
      [current, own] = [y, next];
    }
    return current;
  }

  /** A reduction with its elementwise prologue: partial sums of chunks, then the sum of those. */
  private reduction(group: Group, node: Node): void {
    const dims = reduceDims(node);
    const [outer, rows, inner] = dims;
    const [y] = node.outputs;
    const mode = node.op.lowering.kind === "reduce" ? node.op.lowering.mode : "sum";
    const tensors = [...group.reads];
    const reads = tensors.map((x) => {
      const strides = reduceStrides(group.domain, dims, x.shape);
      if (strides) return { buffer: this.views.of(x), strides };
      return { buffer: this.stretched(this.views.of(x), x.shape, group.domain), strides: [rows * inner, inner, 1] as const };
    });
    const chunk = this.target.chunkRows(outer, rows, inner);
    const chunks = Math.ceil(rows / chunk);
    const write = this.views.of(y);
    const partials = chunks === 1 ? write : this.views.fresh("partials", outer * chunks * inner);
    const result = node.inputs[0];
    const { constants, code, temporaries, operandOf } = assemble(group, tensors, [], []);
    this.push({
      kernel: "reduce",
      mode,
      dims,
      chunk,
      reads,
      constants,
      write: partials,
      temporaries,
      code,
      result: operandOf(result),
    });
    if (chunks === 1) return;
    this.push({
      kernel: "reduce",
      mode,
      dims: [outer, chunks, inner],
      chunk: chunks,
      reads: [{ buffer: partials, strides: [chunks * inner, inner === 1 ? 1 : inner, inner === 1 ? 0 : 1] }],
      constants: [],
      write,
      temporaries: 0,
      code: [],
      result: 0,
    });
  }
}
