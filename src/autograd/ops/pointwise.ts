/** How an elementwise op is defined: its opcode and its gradient rule; broadcasting is the same for all. */
import type { Opcode } from "../../backend/kernels/opcodes.js";
import { broadcastShapes, type Shape } from "../../base/shape.js";
import { defineOp, type GradientContext } from "../op.js";
import { checkTensor, Tensor } from "../tensor.js";
import { sumTo } from "./reduce.js";

/** Where an operand comes from: input i of the node, or a number. */
export type Operand = { readonly input: number } | { readonly number: number };

/** Attributes of every elementwise node. */
export interface ElementwiseAttributes {
  readonly operands: readonly Operand[];
  /** Set by `broadcastTo` only: the shape to stretch to. */
  readonly shape?: Shape;
}

export type Argument = Tensor | number;
/** Gradient with respect to each operand, at the output's shape, before it is summed to the operand's. */
type Rule = (arguments_: readonly Argument[], dy: Tensor, y: Tensor) => readonly (Tensor | undefined)[];

export function elementwise(name: string, opcode: Opcode, rule: Rule) {
  const op = defineOp<ElementwiseAttributes>({
    name,
    infer: (inputs, { shape }) => [
      { shape: broadcastShapes([...inputs.map((x) => x.shape), ...(shape ? [shape] : [])], name) },
    ],
    gradient: ({ inputs, outputs, attributes, dy }: GradientContext<ElementwiseAttributes>) => {
      const arguments_ = attributes.operands.map((o) => ("number" in o ? o.number : inputs[o.input]));
      const gradients = rule(arguments_, dy, outputs[0]);
      const result: (Tensor | undefined)[] = inputs.map(() => undefined);
      attributes.operands.forEach((operand, i) => {
        const dx = gradients[i];
        if ("number" in operand || !dx) return;
        result[operand.input] = sumTo(dx, inputs[operand.input].shape);
      });
      return result;
    },
    lowering: { kind: "elementwise", opcode: () => opcode },
  });
  return (arguments_: readonly Argument[], shape?: Shape): Tensor => {
    const inputs: Tensor[] = [];
    const operands = arguments_.map((x, i): Operand => {
      if (typeof x === "number") return { number: x };
      if (!(x instanceof Tensor)) checkTensor(name, `operand ${i}`, x);
      return { input: inputs.push(x) - 1 };
    });
    return op(inputs, shape ? { operands, shape } : { operands })[0];
  };
}

export function unary(name: string, opcode: Opcode, derivative: (x: Tensor, dy: Tensor, y: Tensor) => Tensor | undefined) {
  const apply = elementwise(name, opcode, ([x], dy, y) => [derivative(x as Tensor, dy, y)]);
  return (x: Tensor): Tensor => apply([x]);
}

export function binary(
  name: string,
  opcode: Opcode,
  rule: (a: Argument, b: Argument, dy: Tensor, y: Tensor) => readonly [Tensor?, Tensor?],
) {
  const apply = elementwise(name, opcode, ([a, b], dy, y) => rule(a, b, dy, y));
  return (a: Argument, b: Argument): Tensor => apply([a, b]);
}
