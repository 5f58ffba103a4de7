import { type Instruction, Registers } from "./opcodes.js";

type Axes = readonly [number, number, number, number];

/**
 * Elementwise kernel over a domain of four axes (leading ones may be 1): every read is walked with its own strides (0 =
 * broadcast; the last one is 0 or 1), every write is contiguous over the domain. A write's buffer may be a read's
 * buffer when both have the same layout (in-place update): instructions that read it come before the one that writes it.
 */
export interface FusedCall<B> {
  readonly kernel: "fused";
  readonly dims: Axes;
  readonly reads: readonly { readonly buffer: B; readonly strides: Axes }[];
  readonly constants: readonly number[];
  readonly writes: readonly B[];
  readonly temporaries: number;
  readonly code: readonly Instruction[];
}

/** The truth, in float64. */
export function fused({ dims, reads, constants, writes, temporaries, code }: FusedCall<Float64Array>): void {
  const [d0, d1, d2, length] = dims;
  const firstWrite = reads.length + constants.length;
  const registers = new Registers(firstWrite + writes.length + temporaries, length, constants, reads.length);
  let to = 0;
  for (let a = 0; a < d0; a++)
    for (let b = 0; b < d1; b++)
      for (let c = 0; c < d2; c++, to += length) {
        reads.forEach(({ buffer, strides: [s0, s1, s2, s3] }, i) => registers.load(i, buffer, a * s0 + b * s1 + c * s2, s3));
        registers.run(code);
        writes.forEach((buffer, i) => buffer.set(registers.rows[firstWrite + i], to));
      }
}
