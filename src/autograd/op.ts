import type { KernelArgs } from "../backend/calls.js";
import type { KernelName } from "../backend/kernels/index.js";
import type { Opcode } from "../backend/kernels/opcodes.js";
import type { ReduceCall } from "../backend/kernels/reduce.js";
import type { Target } from "../backend/target.js";
import type { Shape } from "../base/shape.js";
import type { View } from "./buffer.js";
import { type DType, type Node, record, type Tensor } from "./tensor.js";

/** What an op's `emit` may use: the buffers of its node, scratch buffers, and kernel calls. */
export interface Emitter {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly target: Target;
  /** Buffer of input i; null when the node has fewer inputs (optional operands come last). */
  input(index: number): View;
  output(index: number): View;
  /** A buffer that lives only within this op. */
  temporary(elements: number): View;
  /** The run counter, int32 [1]. */
  runCounter(): View;
  call<K extends KernelName>(kernel: K, args: KernelArgs<K, View>): void;
  reduce(call: Omit<ReduceCall<View>, "kernel">): void;
}

/** Where numbers come into a graph. */
export type LeafKind = "input" | "parameter" | "constant";

/** How an op becomes kernel calls. */
export type Lowering<A> =
  | { readonly kind: "leaf"; readonly leaf: LeafKind }
  /** Output `index` is the first input's memory from element `offset` on. */
  | { readonly kind: "alias"; readonly offset?: (attributes: A, index: number) => number }
  /** One instruction of a fused kernel. */
  | { readonly kind: "elementwise"; readonly opcode: (attributes: A) => Opcode }
  /** Reduction of `axes`; the axes stay with size 1. */
  | { readonly kind: "reduce"; readonly mode: "sum" | "max"; readonly axes: (attributes: A) => readonly number[] }
  | {
      readonly kind: "calls";
      readonly emit: (emitter: Emitter, attributes: A) => void;
      /** Element i of an output needs only element i of the inputs of its size, so that an output may overwrite its input. */
      readonly aligned?: true;
      /** Lists of operands that had better lie side by side in memory, in this order: the call is then one instead of many. */
      readonly together?: (inputs: readonly Tensor[], attributes: A) => readonly (readonly Tensor[])[];
      /** Whether the output is its operands one after the other, so that each may be computed in its place in it. */
      readonly joins?: (inputs: readonly Tensor[], attributes: A) => boolean;
    };

export interface OutputSpec {
  readonly shape: Shape;
  readonly dtype?: DType;
}

/** What a gradient rule sees. In a checkpointed segment inputs and outputs are the recomputed ones. */
export interface GradientContext<A> {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attributes: A;
  /** Gradient of the loss with respect to output i; undefined when that output does not reach the loss. */
  readonly dOutputs: readonly (Tensor | undefined)[];
  /** Gradient with respect to output 0, of an op with one differentiable output. */
  readonly dy: Tensor;
}

/** An op: its shape rule, its gradient and its kernel calls, in one place. `A` are its attributes. */
export interface OpDefinition<A> {
  readonly name: string;
  /** Shapes of the outputs. @throws ShapeError when the inputs break the op's rule */
  readonly infer: (inputs: readonly Tensor[], attributes: A) => readonly OutputSpec[];
  /** Gradients with respect to the inputs, in order; undefined where there is none. Absent: not differentiable. */
  readonly gradient?: (context: GradientContext<A>) => readonly (Tensor | undefined)[];
  readonly lowering: Lowering<A>;
  /** Operands may be i32, and `infer` sees to which; without it all must be f32. */
  readonly takesI32?: true;
  /** The same results in a form that a device likes better; undefined: as it stands. */
  readonly rewrite?: (context: RewriteContext<A>) => readonly Tensor[] | undefined;
}

/** What the choice of a better form sees. */
export interface RewriteContext<A> {
  readonly inputs: readonly Tensor[];
  readonly attributes: A;
  readonly target: Target;
  /** Whether an operand is a parameter that stays the same for many runs. */
  readonly held: (x: Tensor) => boolean;
  /** A form of x that is made once, however many nodes read it; `form` tells it from other forms of x. */
  readonly once: (x: Tensor, form: string, make: () => Tensor) => Tensor;
}

/** An op whose attribute type is known only to itself. */
export type Op = OpDefinition<unknown>;

/** The inputs of a node that its value is computed from; the others of an alias are for its gradient alone. */
export const readsOf = ({ op, inputs }: Node): readonly Tensor[] =>
  op.lowering.kind === "alias" ? inputs.slice(0, 1) : inputs;

/** Makes a definition callable: records a node and returns its outputs. */
export function defineOp<A>(
  definition: OpDefinition<A>,
): ((inputs: readonly Tensor[], attributes: A) => readonly Tensor[]) & { op: Op } {
  const op = definition as unknown as Op;
  return Object.assign((inputs: readonly Tensor[], attributes: A) => record(op, inputs, attributes), { op });
}
