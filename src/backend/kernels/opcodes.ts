/** Opcodes of the fused kernels: how many operands each has, and what it computes. Comparisons give 1 or 0; `…Grad` is a derivative. */
import { keysOf } from "../../base/options.js";

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

interface OpcodeSpec {
  readonly arity: 1 | 2 | 3;
  /** In float64. */
  readonly formula: (a: number, b: number, c: number) => number;
}
// Functions like Math.min would take operands that an instruction does not have.
const unary = (formula: (a: number) => number): OpcodeSpec => ({ arity: 1, formula: (a) => formula(a) });
const binary = (formula: (a: number, b: number) => number): OpcodeSpec => ({ arity: 2, formula: (a, b) => formula(a, b) });
const ternary = (formula: OpcodeSpec["formula"]): OpcodeSpec => ({ arity: 3, formula });

/** In the order of their numbers; `assembly/operations.ts` has a class of each name. */
export const opcodes = {
  copy: unary((a) => a),
  neg: unary((a) => -a),
  abs: unary(Math.abs),
  sign: unary(Math.sign),
  floor: unary(Math.floor),
  sqrt: unary(Math.sqrt),
  reciprocal: unary((a) => 1 / a),
  square: unary((a) => a * a),
  exp: unary(Math.exp),
  expm1: unary(Math.expm1),
  log: unary(Math.log),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  tanh: unary(Math.tanh),
  sigmoid: unary(sigmoid),
  erf: unary(erf),
  /** The tanh approximation. */
  gelu: unary((a) => (a === Number.NEGATIVE_INFINITY ? 0 : 0.5 * a * (1 + Math.tanh(geluRoot * (a + geluCubic * a ** 3))))),
  geluGrad: unary((a) => {
    const x = within(a, 40);
    const t = Math.tanh(geluRoot * (x + geluCubic * x ** 3));
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * geluRoot * (1 + 3 * geluCubic * x * x);
  }),
  geluErf: unary((a) => (a === Number.NEGATIVE_INFINITY ? 0 : 0.5 * a * (1 + erf(a * Math.SQRT1_2)))),
  geluErfGrad: unary((a) => {
    const x = within(a, 40);
    return 0.5 * (1 + erf(x * Math.SQRT1_2)) + x * Math.exp(-0.5 * x * x) * inverseRootTwoPi;
  }),
  silu: unary((a) => (a === Number.NEGATIVE_INFINITY ? 0 : a * sigmoid(a))),
  siluGrad: unary((a) => {
    const x = within(a, 800);
    return sigmoid(x) * (1 + x * (1 - sigmoid(x)));
  }),
  softplus: unary((a) => Math.log1p(Math.exp(-Math.abs(a))) + Math.max(a, 0)),
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b),
  div: binary((a, b) => a / b),
  /** a·b, but 0 where a or b is 0, even if the other is not finite. */
  mulOrZero: binary((a, b) => (a === 0 || b === 0 ? 0 : a * b)),
  /** a/b, but 0 where a is 0, whatever b is. */
  divOrZero: binary((a, b) => (a === 0 ? 0 : a / b)),
  min: binary(Math.min),
  max: binary(Math.max),
  greater: binary((a, b) => Number(a > b)),
  greaterEqual: binary((a, b) => Number(a >= b)),
  equal: binary((a, b) => Number(a === b)),
  mulAdd: ternary((a, b, c) => a * b + c),
  /** `mulAdd`, but c where a or b is 0. */
  mulOrZeroAdd: ternary((a, b, c) => (a === 0 || b === 0 ? c : a * b + c)),
  /** a ≠ 0 ? b : c */
  select: ternary((a, b, c) => (a !== 0 ? b : c)),
} as const satisfies Readonly<Record<string, OpcodeSpec>>;

export type Opcode = keyof typeof opcodes;
/** Names in the order of their numbers. */
export const opcodeNames = keysOf(opcodes);

/** One instruction of a fused kernel: [opcode, destination, a, b, c]; unused operands are 0. Operand numbers count reads, then
 *  constants, then writes, then temporaries. */
export type Instruction = readonly [Opcode, number, number, number, number];

/** Most operands (reads + constants + writes + temporaries) a fused kernel may have. */
export const maxOperands = 64;

/** Values of a row's operands; instructions run over whole rows. */
export class Registers {
  readonly rows: Float64Array[];

  constructor(operands: number, length: number, constants: readonly number[], firstConstant: number) {
    this.rows = Array.from({ length: operands }, () => new Float64Array(length));
    constants.forEach((value, i) => this.rows[firstConstant + i].fill(value));
  }

  /** Loads a row: contiguous (stride 1), strided, or one number repeated (stride 0). */
  load(operand: number, x: Float64Array, at: number, stride: number): void {
    const row = this.rows[operand];
    if (stride === 1) row.set(x.subarray(at, at + row.length));
    else if (stride === 0) row.fill(x[at]);
    else for (let i = 0; i < row.length; i++) row[i] = x[at + i * stride];
  }

  run(code: readonly Instruction[]): void {
    for (const [opcode, to, a, b, c] of code) {
      const { formula }: OpcodeSpec = opcodes[opcode];
      const [y, p, q, r] = [to, a, b, c].map((operand) => this.rows[operand]);
      for (let i = 0; i < y.length; i++) y[i] = formula(p[i], q[i], r[i]);
    }
  }
}
