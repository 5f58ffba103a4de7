import type { Instruction, Opcode } from "../kernels/opcodes.js";

/** Products, and what they are together with a sum. */
const contracted: Partial<Record<Opcode, Opcode>> = { mul: "mulAdd", mulOrZero: "mulOrZeroAdd" };

/**
 * Merges a product with the sum that uses it into one instruction, where nothing else needs the product. Every instruction is a pass
 * over a tile, so this is worth a third of a typical kernel's time; and where the engine fuses the two, it rounds once less.
 * @param firstTemporary operands from here on are temporaries: nobody outside the kernel sees them
 * @param result the operand a reduction reads at the end, if there is one
 */
export function contract(code: readonly Instruction[], firstTemporary: number, result?: number): Instruction[] {
  const merged: Instruction[] = [];
  for (let i = 0; i < code.length; i++) {
    const product = code[i];
    const sum = code[i + 1];
    const [opcode, temporary, a, b] = product;
    // Neighbours only: between the two, a and b could change.
    const addend = sum?.[0] === "add" ? otherOperand(sum, temporary) : undefined;
    const together = contracted[opcode];
    const mergeable = together && temporary >= firstTemporary && sum && addend !== undefined;
    if (mergeable && isDead(temporary, [["copy", sum[1], 0, 0, 0], ...code.slice(i + 2)], result)) {
      merged.push([together, sum[1], a, b, addend]);
      i++;
    } else {
      merged.push(product);
    }
  }
  return merged;
}

/** What a sum adds to an operand, if that operand is one side of it. */
function otherOperand([, , a, b]: Instruction, operand: number): number | undefined {
  if (a === b) return undefined;
  return a === operand ? b : b === operand ? a : undefined;
}

/** Whether an operand is written before it is read again. Unused places of an instruction are 0, which is never a temporary. */
function isDead(operand: number, code: readonly Instruction[], result: number | undefined): boolean {
  for (const [, to, ...operands] of code) {
    if (operands.includes(operand)) return false;
    if (to === operand) return true;
  }
  return operand !== result;
}
