import { type Instruction, Registers } from "./opcodes.js";

type Axes = readonly [number, number, number];

/**
 * Elementwise kernel followed by a reduction of the middle axis: domain [outer, reduce, inner], the middle axis cut into
 * chunks of `chunk` rows (the last may be shorter): write [outer, chunks, inner]. `result` is the operand that is reduced.
 * With inner = 1 the reads' middle strides are 0 or 1; otherwise their inner strides are 0 or 1. The order of summation within a chunk
 * is fixed, so results do not depend on the number of threads, and sums are of sums, so that rounding errors grow little with length.
 */
export interface ReduceCall<B> {
  readonly kernel: "reduce";
  readonly mode: "sum" | "max";
  readonly dims: Axes;
  readonly chunk: number;
  readonly reads: readonly { readonly buffer: B; readonly strides: Axes }[];
  readonly constants: readonly number[];
  readonly write: B;
  readonly temporaries: number;
  readonly code: readonly Instruction[];
  readonly result: number;
}

/** The truth, in float64. */
export function reduce(call: ReduceCall<Float64Array>): void {
  const { mode, dims, chunk, reads, constants, write, temporaries, code, result } = call;
  const [outer, rows, inner] = dims;
  const chunks = Math.ceil(rows / chunk);
  const registers = new Registers(reads.length + constants.length + temporaries, inner, constants, reads.length);
  for (let o = 0; o < outer; o++) {
    for (let part = 0; part < chunks; part++) {
      const sums = write.subarray((o * chunks + part) * inner, (o * chunks + part + 1) * inner);
      sums.fill(mode === "sum" ? 0 : Number.NEGATIVE_INFINITY);
      for (let r = part * chunk; r < Math.min(rows, (part + 1) * chunk); r++) {
        reads.forEach(({ buffer, strides: [s0, s1, s2] }, i) => registers.load(i, buffer, o * s0 + r * s1, s2));
        registers.run(code);
        const row = registers.rows[result];
        for (let j = 0; j < inner; j++) sums[j] = mode === "sum" ? sums[j] + row[j] : Math.max(sums[j], row[j]);
      }
    }
  }
}
