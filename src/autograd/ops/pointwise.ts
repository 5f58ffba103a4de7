/** How an elementwise op is defined: its opcode and its gradient rule; broadcasting is the same for all. */
import type { Opcode } from "../../backend/kernels/opcodes.js";
import { broadcastShapes } from "../../base/shape.js";
import { defineOp, type Op } from "../op.js";
import type { Tensor } from "../tensor.js";
import { sumTo } from "./reduce.js";

export type Argument = Tensor | number;

/** The shape that operands have together. */
export const broadcast = (name: string, ...operands: readonly Argument[]): number[] =>
  broadcastShapes(
    operands.flatMap((x) => (typeof x === "number" ? [] : [x.shape])),
    name,
  );

/** The gradient at y's shape, summed to the operand's; a number has none. */
export const summedTo = (x: Argument, dx: Tensor | undefined): Tensor | undefined =>
  typeof x === "number" || !dx ? undefined : sumTo(dx, x.shape);

/** A function beside the op it records. */
export const recording = <F extends (...operands: never[]) => Tensor>(
  { op }: { readonly op: Op },
  f: F,
): F & { readonly op: Op } => Object.assign(f, { op });

export function unary(name: string, opcode: Opcode, derivative: (x: Tensor, dy: Tensor, y: Tensor) => Tensor | undefined) {
  const apply = defineOp()({
    name,
    operands: { x: "needed" },
    results: { y: "always" },
    infer: ({ x }) => ({ y: x.shape }),
    gradient: ({ x, y }, { y: dy }) => ({ x: derivative(x, dy, y) }),
    lowering: { kind: "elementwise", opcode },
  });
  return recording(apply, (x: Tensor): Tensor => apply({ x }).y);
}

export function binary(
  name: string,
  opcode: Opcode,
  rule: (a: Argument, b: Argument, dy: Tensor, y: Tensor) => readonly [Tensor?, Tensor?],
) {
  const apply = defineOp()({
    name,
    operands: { a: "orNumber", b: "orNumber" },
    results: { y: "always" },
    infer: ({ a, b }) => ({ y: broadcast(name, a, b) }),
    gradient: ({ a, b, y }, { y: dy }) => {
      const [da, db] = rule(a, b, dy, y);
      return { a: summedTo(a, da), b: summedTo(b, db) };
    },
    lowering: { kind: "elementwise", opcode },
  });
  return recording(apply, (a: Argument, b: Argument): Tensor => apply({ a, b }).y);
}
