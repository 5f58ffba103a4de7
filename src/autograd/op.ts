import type { KernelArgs } from "../backend/calls.js";
import type { KernelName } from "../backend/kernels/index.js";
import type { Opcode } from "../backend/kernels/opcodes.js";
import type { ReduceCall } from "../backend/kernels/reduce.js";
import type { Target } from "../backend/target.js";
import type { DType } from "../base/elements.js";
import type { Shape } from "../base/shape.js";
import type { View } from "./buffer.js";
import type { All, Given, Operands, Passed, ResultGradients, Results } from "./operands.js";
import { type Node, record, type Tensor } from "./tensor.js";

/** What an op's `emit` may use beside its own operands and results. */
export interface Emitter {
  readonly target: Target;
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
export type Lowering<A, I extends Operands, R extends Results> =
  | { readonly kind: "leaf"; readonly leaf: LeafKind }
  /** The results are the first operand's memory, result `index` from element `offset` on; other operands are there for the gradient
   *  alone. */
  | { readonly kind: "alias"; readonly offset?: (attributes: A, index: number) => number }
  /** One instruction of a fused kernel. */
  | { readonly kind: "elementwise"; readonly opcode: Opcode }
  /** Reduction of `axes`; the axes stay with size 1. */
  | { readonly kind: "reduce"; readonly mode: "sum" | "max"; readonly axes: (attributes: A) => readonly number[] }
  | {
      readonly kind: "calls";
      /** Kernel calls on the places `v` of operands and results; `t` has their shapes. */
      readonly emit: (e: Emitter, v: All<I, R, View>, t: All<I, R, Tensor>, attributes: A) => void;
      /** Element i of a result needs only element i of the operands of its size, so that a result may overwrite its operand. */
      readonly aligned?: true;
      /** Lists of operands that had better lie side by side in memory, in this order: the call is then one instead of many. */
      readonly together?: (x: Given<I, Tensor>, attributes: A) => readonly (readonly Tensor[])[];
      /** Whether the result is its operands one after the other, so that each may be computed in its place in it. */
      readonly joins?: (x: Given<I, Tensor>, attributes: A) => boolean;
    };

/** What is known of a result before it is computed: its shape, and its type where that is not f32. */
export type Inferred = Shape | { readonly shape: Shape; readonly dtype?: DType };

/** An op: operands and results by name, shape rule, gradient and kernel calls, in one place. `A` are its attributes. */
export interface OpDefinition<A, I extends Operands, R extends Results> {
  readonly name: string;
  /** In their order: gradients are summed in it. */
  readonly operands: I;
  readonly results: R;
  /** What the results will be: an optional one is there where it has a shape, a list is as long as that of its shapes.
   *  @throws ShapeError when the operands break the op's rule */
  readonly infer: (x: Given<I, Tensor>, attributes: A) => Given<R, Inferred>;
  /** Gradients by operand, from the operands and results (in a checkpointed segment the recomputed ones) and the gradients `d` of the
   *  results, undefined for one that does not reach the loss. An operand left out has none. Absent: not differentiable. */
  readonly gradient?: (
    x: All<I, R, Tensor>,
    d: ResultGradients<R, Tensor>,
    attributes: A,
  ) => { readonly [P in keyof I]?: (I[P] extends "list" ? readonly (Tensor | undefined)[] : Tensor) | undefined };
  readonly lowering: Lowering<A, I, R>;
  /** Operands may be i32, and `infer` sees to which; without it all must be f32. */
  readonly takesI32?: true;
  /** The same results in a form that a device likes better; undefined: as it stands. */
  readonly rewrite?: (x: Given<I, Tensor>, attributes: A, by: RewriteContext) => Given<R, Tensor> | undefined;
}

/** What the choice of a better form sees beside the op's operands. */
export interface RewriteContext {
  readonly target: Target;
  /** Whether an operand is a parameter that stays the same for many runs. */
  readonly held: (x: Tensor) => boolean;
  /** A form of x that is made once, however many nodes read it; `form` tells it from other forms of x. */
  readonly once: (x: Tensor, form: string, make: (x: Tensor) => Tensor) => Tensor;
}

/** An op whose types are known only to itself. */
export type Op = OpDefinition<unknown, Operands, Results>;

/** A definition that can be called: it records a node and gives its results. */
export interface Recorder<A, I extends Operands, R extends Results> {
  (operands: Passed<I, Tensor>, ...attributes: undefined extends A ? [] : [attributes: A]): Given<R, Tensor>;
  readonly op: Op;
}

/** The inputs of a node that its value is computed from; the others of an alias are for its gradient alone. */
export const readsOf = ({ op, inputs }: Node): readonly Tensor[] =>
  op.lowering.kind === "alias" ? inputs.slice(0, 1) : inputs;

/** Makes a definition callable. Attributes are typed by the caller, operands and results are read off the definition:
 *  `defineOp<{ eps: number }>()({ name, operands, results, … })`. */
export const defineOp =
  <A = undefined>() =>
  <const I extends Operands, const R extends Results>(definition: OpDefinition<A, I, R>): Recorder<A, I, R> => {
    const op = definition as unknown as Op;
    const apply = (operands: Given<Operands, Tensor>, attributes?: unknown) => record(op, operands, attributes).results;
    return Object.assign(apply, { op }) as Recorder<A, I, R>;
  };
