import type { FusedCall, Instruction, Opcode, ReduceCall } from "../../kernels.js";

/** √(2/π) and the cubic coefficient of the tanh approximation of GELU. */
const [geluRoot, geluCubic] = [Math.sqrt(2 / Math.PI), 0.044715];
const inverseRootTwoPi = 1 / Math.sqrt(2 * Math.PI);

/** erf to double precision: its Taylor series near 0, the continued fraction of erfc beyond.
 *  @source Abramowitz and Stegun, 7.1.6 and 7.1.14 */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x)) return x;
  if (size > 6) return Math.sign(x);
  if (size < 2.5) {
    let [term, sum] = [x, x];
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  }
  let fraction = 0;
  for (let n = 120; n >= 1; n--) fraction = n / 2 / (size + fraction);
  return Math.sign(x) * (1 - Math.exp(-x * x) / (Math.sqrt(Math.PI) * (size + fraction)));
}

const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a));
/** x, but not beyond where a derivative has reached its limit: there ∞·0 would be NaN. */
const within = (x: number, limit: number): number => Math.max(-limit, Math.min(x, limit));

/** What every opcode computes: the specification of the fused kernels. */
export const formulas: { readonly [K in Opcode]: (a: number, b: number, c: number) => number } = {
  copy: (a) => a,
  neg: (a) => -a,
  abs: Math.abs,
  sign: Math.sign,
  floor: Math.floor,
  sqrt: Math.sqrt,
  reciprocal: (a) => 1 / a,
  square: (a) => a * a,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  sigmoid,
  erf,
  gelu: (a) => (a === Number.NEGATIVE_INFINITY ? 0 : 0.5 * a * (1 + Math.tanh(geluRoot * (a + geluCubic * a ** 3)))),
  geluGrad: (a) => {
    const x = within(a, 40);
    const t = Math.tanh(geluRoot * (x + geluCubic * x ** 3));
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * geluRoot * (1 + 3 * geluCubic * x * x);
  },
  geluErf: (a) => (a === Number.NEGATIVE_INFINITY ? 0 : 0.5 * a * (1 + erf(a * Math.SQRT1_2))),
  geluErfGrad: (a) => {
    const x = within(a, 40);
    return 0.5 * (1 + erf(x * Math.SQRT1_2)) + x * Math.exp(-0.5 * x * x) * inverseRootTwoPi;
  },
  silu: (a) => (a === Number.NEGATIVE_INFINITY ? 0 : a * sigmoid(a)),
  siluGrad: (a) => {
    const x = within(a, 800);
    return sigmoid(x) * (1 + x * (1 - sigmoid(x)));
  },
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  mulOrZero: (a, b) => (a === 0 || b === 0 ? 0 : a * b),
  divOrZero: (a, b) => (a === 0 ? 0 : a / b),
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
  greater: (a, b) => Number(a > b),
  greaterEqual: (a, b) => Number(a >= b),
  equal: (a, b) => Number(a === b),
  mulAdd: (a, b, c) => a * b + c,
  mulOrZeroAdd: (a, b, c) => (a === 0 || b === 0 ? c : a * b + c),
  select: (a, b, c) => (a !== 0 ? b : c),
};

/** Values of a row's operands; instructions run over whole rows. */
class Registers {
  readonly rows: Float64Array[];

  constructor(operands: number, length: number, constants: readonly number[], firstConstant: number) {
    this.rows = Array.from({ length: operands }, () => new Float64Array(length));
    constants.forEach((value, i) => this.rows[firstConstant + i]?.fill(value));
  }

  /** Loads a row: contiguous (stride 1), strided, or one number repeated (stride 0). */
  load(operand: number, x: Float64Array, at: number, stride: number): void {
    const row = this.rows[operand] as Float64Array;
    if (stride === 1) row.set(x.subarray(at, at + row.length));
    else if (stride === 0) row.fill(x[at] as number);
    else for (let i = 0; i < row.length; i++) row[i] = x[at + i * stride] as number;
  }

  run(code: readonly Instruction[]): void {
    for (const [opcode, to, a, b, c] of code) {
      const formula = formulas[opcode];
      const [y, p, q, r] = [this.rows[to], this.rows[a], this.rows[b], this.rows[c]] as [
        Float64Array,
        Float64Array,
        Float64Array,
        Float64Array,
      ];
      for (let i = 0; i < y.length; i++) y[i] = formula(p[i] as number, q[i] as number, r[i] as number);
    }
  }
}

/** See `FusedCall`. */
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
        writes.forEach((buffer, i) => buffer.set(registers.rows[firstWrite + i] as Float64Array, to));
      }
}

/** See `ReduceCall`. */
export function reduce({
  mode,
  dims,
  chunk,
  reads,
  constants,
  write,
  temporaries,
  code,
  result,
}: ReduceCall<Float64Array>): void {
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
        const row = registers.rows[result] as Float64Array;
        for (let j = 0; j < inner; j++) {
          const value = row[j] as number;
          sums[j] = mode === "sum" ? (sums[j] as number) + value : Math.max(sums[j] as number, value);
        }
      }
    }
  }
}
