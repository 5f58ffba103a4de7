import {
  type FusedCall,
  type Instruction,
  type KernelCall,
  kernels,
  opcodes,
  type PlainCall,
  type ReduceCall,
} from "../kernels.js";

const plainNames = Object.keys(kernels);
const opcodeNumbers = new Map(opcodes.map((name, number) => [name, number]));

/** Words of a command under construction: whole numbers, or floats by their bits. */
class Words {
  private readonly list: number[] = [];
  private static readonly bits = new Int32Array(1);
  private static readonly float = new Float32Array(Words.bits.buffer);

  int(...values: readonly number[]): this {
    this.list.push(...values);
    return this;
  }

  floats(...values: readonly number[]): this {
    for (const value of values) {
      Words.float[0] = value;
      this.list.push(Words.bits[0] as number);
    }
    return this;
  }

  code(instructions: readonly Instruction[]): this {
    for (const [opcode, ...operands] of instructions) this.int(opcodeNumbers.get(opcode) as number, ...operands);
    return this;
  }

  /** The command [opcode, bytes, arguments…], padded to whole vectors. */
  command(kernel: number): Int32Array {
    const words = new Int32Array(Math.ceil((2 + this.list.length) / 4) * 4);
    words.set([kernel, words.byteLength]);
    words.set(this.list, 2);
    return words;
  }
}

/** A kernel call as the words that `assembly/program.ts` walks; buffers are byte addresses. */
export function encodeCall(call: KernelCall<number>): Int32Array {
  if (call.kernel === "fused") return encodeFused(call);
  if (call.kernel === "reduce") return encodeReduce(call);
  return encodePlain(call);
}

function encodePlain({ kernel, args }: PlainCall<number>): Int32Array {
  const words = new Words();
  const values = args as Readonly<Record<string, number | null>>;
  for (const [name, role] of Object.entries(kernels[kernel])) {
    if (role === "float") words.floats(values[name] as number);
    else words.int(values[name] ?? 0);
  }
  return words.command(plainNames.indexOf(kernel));
}

/** Layout: see assembly/fused.ts. */
function encodeFused({ dims, reads, constants, writes, temporaries, code }: FusedCall<number>): Int32Array {
  const words = new Words().int(reads.length, constants.length, writes.length, temporaries, code.length, ...dims);
  for (const { buffer, strides } of reads) words.int(buffer, ...strides);
  return words
    .floats(...constants)
    .int(...writes)
    .code(code)
    .command(plainNames.length);
}

/** Layout: see assembly/reduce.ts. */
function encodeReduce({
  mode,
  dims,
  chunk,
  reads,
  constants,
  write,
  temporaries,
  code,
  result,
}: ReduceCall<number>): Int32Array {
  const words = new Words().int(
    mode === "sum" ? 0 : 1,
    ...dims,
    chunk,
    reads.length,
    constants.length,
    temporaries,
    code.length,
    result,
    write,
  );
  for (const { buffer, strides } of reads) words.int(buffer, ...strides);
  return words
    .floats(...constants)
    .code(code)
    .command(plainNames.length + 1);
}
