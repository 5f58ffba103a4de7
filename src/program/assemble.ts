import type { View } from "../autograd/buffer.js";
import { hostData, type Node, Tensor } from "../autograd/tensor.js";
import type { Instruction } from "../backend/kernels/opcodes.js";
import { type Group, isImmediate, opcodeOf } from "./fuse.js";

/** Instructions of a group. Temporaries are reused as soon as their value is dead. */
export function assemble(group: Group, reads: readonly Tensor[], readViews: readonly View[], writes: readonly View[]) {
  const constants: number[] = [];
  const place = new Map<Tensor, number>(reads.map((x, i) => [x, i]));
  /** The operand that holds a number: 0 and -0 are two. */
  const constantOperand = (number: number): number => {
    const known = constants.findIndex((constant) => Object.is(constant, number));
    return reads.length + (known >= 0 ? known : constants.push(number) - 1);
  };
  const operandOf = (x: Tensor): number => (isImmediate(x) ? constantOperand(numberOf(x)) : (place.get(x) as number));
  const operands = ({ operands: own, op }: Node): number[] =>
    Object.values(own).map((x) => {
      if (x instanceof Tensor) return operandOf(x);
      if (typeof x === "number") return constantOperand(x);
      throw new Error(`${op.name}: an operand of an elementwise op is a tensor or a number`);
    });
  // All constants are met before what stands behind them gets its place; a reduced value may be one itself.
  const reduced = group.reduce?.inputs[0];
  for (const node of group.nodes) operands(node);
  if (reduced) operandOf(reduced);

  const firstWrite = reads.length + constants.length;
  const firstTemporary = firstWrite + (group.reduce ? 0 : writes.length);
  const lastUse = new Map<Tensor, number>();
  group.nodes.forEach((node, i) => {
    for (const x of node.inputs) lastUse.set(x, i);
  });
  if (reduced) lastUse.set(reduced, group.nodes.length);

  const free: number[] = [];
  let temporaries = 0;
  const temporary = () => free.pop() ?? firstTemporary + temporaries++;
  const code: Instruction[] = [];
  const copies: Instruction[] = [];
  group.nodes.forEach((node, i) => {
    const [y] = node.outputs;
    const [a = 0, b = 0, c = 0] = operands(node);
    const slot = group.reduce ? -1 : group.writes.indexOf(y);
    // Writing over a parameter must wait until the last instruction that reads its old numbers.
    const overwrites =
      slot >= 0 &&
      readViews.some(
        (view, r) =>
          view.buffer === writes[slot]?.buffer && view.offset === writes[slot]?.offset && (lastUse.get(reads[r]) ?? -1) > i,
      );
    for (const x of new Set(node.inputs)) {
      const own = place.get(x);
      if (own !== undefined && own >= firstTemporary && lastUse.get(x) === i) free.push(own);
    }
    const target = slot >= 0 && !overwrites ? firstWrite + slot : temporary();
    place.set(y, target);
    if (overwrites) {
      copies.push(["copy", firstWrite + slot, target, 0, 0]);
      lastUse.set(y, Number.POSITIVE_INFINITY);
    }
    code.push([opcodeOf(node), target, a, b, c]);
  });
  return { constants, code: [...code, ...copies], temporaries, operandOf } as const;
}

const numberOf = (x: Tensor): number => hostData(x)[0];
