/** Kernel calls as the command words that `assembly/program.ts` walks: [opcode, bytes, division, where the counts are, arguments…,
 *  counts of the parts claimed…]; bytes are whole units of 16, and in the low bits what follows the command. A division is parts a
 *  thread in the low byte, and above it the estimated time. */
import { ConfigError } from "../../base/errors.js";
import { type KernelCall, kernelOf, type PlainCall } from "../calls.js";
import type { FusedCall } from "../kernels/fused.js";
import { kernelNames } from "../kernels/index.js";
import { type Instruction, maxOperands, opcodeNames } from "../kernels/opcodes.js";
import type { ReduceCall } from "../kernels/reduce.js";
import { contract } from "./contract.js";
import { type Division, undivided } from "./division.js";
import type { After } from "./schedule.js";

/** What follows a command, in the low bits of its length. */
const afters: readonly After[] = ["meet", "goOn", "chain"];
/** Commands start at multiples of 16 bytes. */
const wordsPerUnit = 4;
/** A division's time: above the parts, in units of so many ns. */
const [timeShift, timeUnit, mostTime] = [8, 64, 2 ** 24 - 1];
/** Bits of a reduction's mode. */
const [max, alongRows] = [1, 2];

type Axes = readonly [number, number, number, number];
type Read = { readonly buffer: number; readonly strides: Axes };

/** Collects words; floats go in by their bits, integers and addresses modulo 2³². */
class Words {
  private readonly words: number[] = [];
  private readonly bits = new DataView(new ArrayBuffer(4));

  integers(...values: readonly number[]): this {
    this.words.push(...values);
    return this;
  }

  float(value: number): this {
    this.bits.setFloat32(0, value);
    this.words.push(this.bits.getInt32(0));
    return this;
  }

  /** The command of these arguments, but for its length and its division. */
  command(opcode: number): Int32Array {
    return Int32Array.of(opcode, 0, 0, 0, ...this.words);
  }
}

/**
 * Encodes one call whose buffers are byte addresses, what follows it, and how threads divide it.
 * @throws ConfigError when a fused kernel has more operands than the machine has room for
 */
export function encodeCall(call: KernelCall<number>, after: After = "meet", division: Division = undivided): Int32Array {
  const words = encoded(call);
  const { parts, threads, ns } = division;
  const command = new Int32Array(Math.ceil((words.length + threads) / wordsPerUnit) * wordsPerUnit);
  command.set(words);
  const time = Math.min(mostTime, Math.ceil(ns / timeUnit));
  command.set([command.byteLength | afters.indexOf(after), parts | (time << timeShift), words.byteLength], 1);
  return command;
}

function encoded(call: KernelCall<number>): Int32Array {
  if (call.kernel === "fused") return encodeFused(call);
  if (call.kernel === "reduce") return encodeReduce(call);
  return encodePlain(call);
}

function encodePlain({ kernel, args }: PlainCall<number>): Int32Array {
  const words = new Words();
  const values: Readonly<Record<string, number | null>> = args;
  const { buffers, numbers } = kernelOf(kernel);
  for (const name of Object.keys(buffers)) words.integers(values[name] ?? 0);
  for (const [name, role] of Object.entries(numbers)) {
    const value = values[name] ?? 0;
    if (role === "float") words.float(value);
    else words.integers(value);
  }
  return words.command(kernelNames.indexOf(kernel));
}

function encodeFused({ dims, reads, constants, writes, temporaries, code }: FusedCall<number>): Int32Array {
  const firstTemporary = reads.length + constants.length + writes.length;
  checkOperands("fused", firstTemporary + temporaries);
  const merged = contract(code, firstTemporary);
  const words = new Words()
    .integers(reads.length, constants.length, writes.length, temporaries, merged.length)
    .integers(...dims)
    .integers(0, 0, 0, 0);
  addOperands(words, reads, constants).integers(...writes);
  return addInstructions(words, merged).command(kernelNames.length);
}

/**
 * A reduction as a walk over [outer, chunks, rows, columns]. With inner elements these are the columns, and rows are reduced.
 * Without, the reduced axis is the columns; the rows are a chunk's only one, or all outer ones where each is one chunk.
 */
function encodeReduce(call: ReduceCall<number>): Int32Array {
  const { mode, dims, reads, constants, write, temporaries, code, result } = call;
  const firstTemporary = reads.length + constants.length;
  checkOperands("reduce", firstTemporary + temporaries);
  const merged = contract(code, firstTemporary, result);
  const [outer, length, inner] = dims;
  const chunk = Math.min(call.chunk, length);
  const chunks = Math.ceil(length / chunk);
  const walk = (domain: Axes, axes: (outer: number, middle: number, inner: number) => Axes) => ({
    domain,
    walked: reads.map(({ buffer, strides }): Read => ({ buffer, strides: axes(...strides) })),
  });
  const along = inner === 1;
  const { domain, walked } = !along
    ? walk([outer, chunks, chunk, inner], (o, m, i) => [o, m * chunk, m, i])
    : chunks === 1
      ? walk([1, 1, outer, chunk], (o, m) => [0, 0, o, m])
      : walk([outer, chunks, 1, chunk], (o, m) => [o, m * chunk, 0, m]);
  const words = new Words()
    .integers(walked.length, constants.length, 0, temporaries, merged.length)
    .integers(...domain)
    .integers(length, result, (mode === "max" ? max : 0) + (along ? alongRows : 0), write);
  return addInstructions(addOperands(words, walked, constants), merged).command(kernelNames.length + 1);
}

function addOperands(words: Words, reads: readonly Read[], constants: readonly number[]): Words {
  for (const { buffer, strides } of reads) words.integers(buffer, ...strides);
  for (const value of constants) words.float(value);
  return words;
}

function addInstructions(words: Words, code: readonly Instruction[]): Words {
  for (const [opcode, ...operands] of code) words.integers(opcodeNames.indexOf(opcode), ...operands);
  return words;
}

function checkOperands(kernel: string, count: number): void {
  if (count > maxOperands) {
    throw new ConfigError(`${kernel}: a kernel has at most ${maxOperands} operands, got ${count}. Split it in two.`);
  }
}
