import { reachable } from "../autograd/grad.js";
import { type Emitter, readsOf, type View } from "../autograd/op.js";
import { emitCopy } from "../autograd/ops/copy.js";
import { isParameter, type Node, type Tensor } from "../autograd/tensor.js";
import { callBuffers, type KernelCall, type PlainCall } from "../backend/calls.js";
import type { Target } from "../backend/target.js";
import { ShapeError } from "../base/errors.js";
import { broadcastStrides, mergeAxes, type Shape, sizeOf, stridesOf } from "../base/shape.js";
import { assemble } from "./assemble.js";
import { fitsFourAxes, fuse, type Group, reduceDims, reduceStrides, type Step, sourceOf } from "./fuse.js";
import { stretches } from "./stretches.js";

/** A parameter and the value it takes at the end of a run. */
export type Update = readonly [parameter: Tensor, value: Tensor];

/** A kernel call and where in the model it comes from. */
export interface LoweredCall {
  readonly call: KernelCall<View>;
  readonly op: string;
  readonly scope: string;
}

/** A graph as a list of kernel calls over symbolic buffers. */
export interface Lowered {
  readonly calls: readonly LoweredCall[];
  readonly viewOf: (tensor: Tensor) => View;
  /** Elements of every buffer that the arena must hold. */
  readonly arena: ReadonlyMap<symbol, number>;
  /** Buffers of whole numbers. */
  readonly integers: ReadonlySet<symbol>;
  /** Leaves that are used, and their buffers. */
  readonly leaves: ReadonlyMap<Tensor, symbol>;
  readonly runCounter: symbol;
}

/** Turns the graph of `outputs` and `updates` into kernel calls: what nothing needs is dropped, elementwise chains are fused, unless
 *  they are to be kept `apart`. */
export function lower(outputs: readonly Tensor[], updates: readonly Update[], target: Target, apart = false): Lowered {
  const roots = new Set([...outputs, ...updates.map(([, value]) => value)]);
  const nodes = reachable(roots, readsOf);
  const lowering = new Lowering(target);
  // A parameter may be set without being read.
  const written = updates.map(([parameter]) => parameter.node);
  for (const node of new Set([...nodes, ...written])) if (node.op.lowering.kind === "leaf") lowering.leaf(node);
  const steps = fuse(nodes, neededOutside(nodes, roots), target.group, apart);
  const late = lowering.placeUpdates(updates, nodes, steps);
  lowering.aliases(nodes);
  for (const step of steps) lowering.step(step);
  lowering.copyUpdates(late);
  return lowering.result();
}

/** Whether element i of what a step writes needs only element i of what it reads. */
function isAligned(step: Step): boolean {
  if (step.kind === "group") return step.reduce === undefined;
  const { lowering } = step.node.op;
  return lowering.kind === "calls" && lowering.aligned === true;
}

/** Roots, and values that an alias of them makes visible: both must be in memory. */
function neededOutside(nodes: readonly Node[], roots: ReadonlySet<Tensor>): Set<Tensor> {
  const needed = new Set(roots);
  for (const node of nodes) if (node.op.lowering.kind === "alias") needed.add(node.inputs[0]);
  return needed;
}

class Lowering {
  private readonly views = new Map<Tensor, View>();
  private readonly leaves = new Map<Tensor, symbol>();
  private readonly arena = new Map<symbol, number>();
  private readonly integers = new Set<symbol>();
  private readonly calls: LoweredCall[] = [];
  private readonly runCounter = Symbol("run counter");
  private origin = { op: "", scope: "" };

  constructor(private readonly target: Target) {}

  leaf(node: Node): void {
    const [tensor] = node.outputs as [Tensor];
    const value = Symbol(node.op.name);
    this.leaves.set(tensor, value);
    this.views.set(tensor, { value, offset: 0 });
  }

  result(): Lowered {
    const { calls, arena, integers, leaves, runCounter } = this;
    return {
      calls,
      arena,
      integers,
      leaves,
      runCounter,
      viewOf: (tensor) => this.view(tensor),
    };
  }

  private view(tensor: Tensor): View {
    const known = this.views.get(tensor);
    if (known) return known;
    const { node } = tensor;
    const { lowering } = node.op;
    let view: View;
    if (lowering.kind === "alias") {
      const base = this.view(node.inputs[0]);
      view = { value: base.value, offset: base.offset + (lowering.offset?.(node.attributes) ?? 0) };
    } else {
      view = this.fresh(tensor.size, node.op.name);
      if (tensor.dtype === "i32") this.integers.add(view.value);
    }
    this.views.set(tensor, view);
    return view;
  }

  private fresh(elements: number, name: string): View {
    const value = Symbol(name);
    this.arena.set(value, elements);
    return { value, offset: 0 };
  }

  /**
   * Lets an update be computed straight into its parameter where nothing reads the old numbers afterwards; returns the
   * updates that must be copied at the end instead.
   */
  placeUpdates(updates: readonly Update[], nodes: readonly Node[], steps: readonly Step[]): Update[] {
    const stepOf = new Map<Node, number>();
    steps.forEach((step, i) => {
      for (const node of step.kind === "op" ? [step.node] : [...step.nodes, ...(step.reduce ? [step.reduce] : [])])
        stepOf.set(node, i);
    });
    const readers = new Map<Tensor, Node[]>();
    for (const node of nodes) {
      if (node.op.lowering.kind === "alias") continue;
      for (const x of node.inputs) {
        const own = sourceOf(x);
        if (isParameter(own)) readers.set(own, [...(readers.get(own) ?? []), node]);
      }
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
      const inPlace =
        step !== undefined &&
        !taken.has(value) &&
        (readers.get(parameter) ?? []).every((node) => {
          const own = stepOf.get(node) as number;
          const sameStep = own === step && isAligned(steps[step]);
          return (
            own < step || (sameStep && node.inputs.every((x) => sourceOf(x) !== parameter || sizeOf(x.shape) === value.size))
          );
        });
      if (inPlace) {
        taken.add(value);
        this.views.set(value, this.view(parameter));
      } else if (from !== parameter) {
        late.push(update);
      }
    }
    return late;
  }

  aliases(nodes: readonly Node[]): void {
    for (const node of nodes) if (node.op.lowering.kind === "alias") for (const tensor of node.outputs) this.view(tensor);
  }

  copyUpdates(late: readonly Update[]): void {
    this.origin = { op: "update", scope: "" };
    for (const [parameter, value] of late) {
      emitCopy(this.emitter([value], []), this.view(parameter), this.view(value), [value.size], [1], [1]);
    }
  }

  step(step: Step): void {
    if (step.kind === "op") {
      const { node } = step;
      this.origin = { op: node.op.name, scope: node.scope };
      const { lowering } = node.op;
      if (lowering.kind === "calls") lowering.emit(this.emitter(node.inputs, node.outputs), node.attributes);
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

  private emitter(inputs: readonly Tensor[], outputs: readonly Tensor[]): Emitter {
    return {
      inputs,
      outputs,
      target: this.target,
      input: (i) => this.view(inputs[i]),
      output: (i) => this.view(outputs[i]),
      temporary: (elements) => this.fresh(elements, "temporary"),
      runCounter: () => ({ value: this.runCounter, offset: 0 }),
      call: (kernel, args) => this.push({ kernel, args } as PlainCall<View>),
      reduce: (call) => this.push({ kernel: "reduce", ...call }),
    };
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
      const view = this.view(tensor);
      if (fits || tensor.size === sizeOf(domain)) return { tensor, view, shape: tensor.shape };
      return { tensor, view: this.stretched(view, tensor.shape, domain), shape: domain };
    });
    const merged = mergeAxes(
      domain,
      [domain, ...reads.map(({ shape }) => shape)].map((shape) => broadcastStrides(shape, domain)),
    );
    const lead = new Array<number>(4 - merged.domain.length);
    const four = (fill: number, own: readonly number[]) =>
      [...lead.fill(fill), ...own] as unknown as readonly [number, number, number, number];
    const writes = group.writes.map((tensor) => this.view(tensor));
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
      const y = this.fresh(sizeOf(next), "stretched");
      emitCopy(this.emitter([], []), y, current, next, stridesOf(next), broadcastStrides(own, next));
      [current, own] = [y, next];
    }
    return current;
  }

  /** A reduction with its elementwise prologue: partial sums of chunks, then the sum of those. */
  private reduction(group: Group, node: Node): void {
    const dims = reduceDims(node);
    const [outer, rows, inner] = dims;
    const [y] = node.outputs as [Tensor];
    const mode = node.op.lowering.kind === "reduce" ? node.op.lowering.mode : "sum";
    const tensors = [...group.reads];
    const reads = tensors.map((x) => {
      const strides = reduceStrides(group.domain, dims, x.shape);
      if (strides) return { buffer: this.view(x), strides };
      return { buffer: this.stretched(this.view(x), x.shape, group.domain), strides: [rows * inner, inner, 1] as const };
    });
    const chunk = this.target.chunkRows(outer, rows, inner);
    const chunks = Math.ceil(rows / chunk);
    const write = this.view(y);
    const partials = chunks === 1 ? write : this.fresh(outer * chunks * inner, "partials");
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

/** First and last call that use each arena buffer; where the device does parts of the next call meanwhile, that one uses it too.
 *  Outputs live to the end. */
export function lifetimes(
  lowered: Lowered,
  outputs: readonly Tensor[],
  target: Target,
): Map<symbol, { first: number; last: number }> {
  const lives = new Map<symbol, { first: number; last: number }>();
  const same = (a: View, b: View) => a.value === b.value && a.offset === b.offset;
  lowered.calls.forEach(({ call }, index) => {
    const next = lowered.calls[index + 1]?.call;
    const last = next && target.keepsOperands(call, next, same) ? index + 1 : index;
    for (const { buffer } of callBuffers(call)) {
      if (!lowered.arena.has(buffer.value)) continue;
      const life = lives.get(buffer.value);
      if (life) life.last = last;
      else lives.set(buffer.value, { first: index, last });
    }
  });
  for (const tensor of outputs) {
    const life = lives.get(lowered.viewOf(tensor).value);
    if (life) life.last = lowered.calls.length;
  }
  return lives;
}
