import { ConfigError } from "../../base/errors.js";

/** What one forward pass of one sample computes, exact whole numbers; a sum of them beyond 2^53 is the nearest number. @units multiply-adds, but `norms` and `parameters` */
export interface Counts {
  /** Dense layers. */
  readonly linear: number;
  readonly convolution: number;
  /** Queries by keys. */
  readonly qk: number;
  /** Probabilities by values. */
  readonly av: number;
  /** Products with constant matrices: the proxies' interpolation. */
  readonly other: number;
  /** What thop counts for plain layer norms. @units 2 an element, 4 with weight and bias */
  readonly norms: number;
}

/** A model counted in both conventions. FLOPs are twice the multiply-adds.
 *  @source the DiT paper (arXiv 2212.09748) counts as `matrix`; `module` is what thop (pytorch-OpCounter) counts */
export interface Complexity extends Counts {
  /** Every product of matrices, those of attention too. Not counted: softmax, norms, activations, modulation, residuals. */
  readonly matrix: number;
  /** Dense layers, convolutions and layer norms: a tool that hooks modules does not see the products of attention. */
  readonly module: number;
  /** Numbers in the weights, biases with them. */
  readonly parameters: number;
  /** The same by parts of the model, all blocks together. */
  readonly parts: Readonly<Record<string, Counts>>;
  /** Block by block, where the model's own graph was counted. */
  readonly blocks?: readonly Counts[];
}

/** Sums of what is counted call by call under names. */
export class Sums {
  readonly counts = new Map<string, Counts>();

  add(name: string, more: Partial<Counts>): void {
    const { linear, convolution, qk, av, other, norms } = this.counts.get(name) ?? noCounts;
    this.counts.set(name, {
      linear: linear + (more.linear ?? 0),
      convolution: convolution + (more.convolution ?? 0),
      qk: qk + (more.qk ?? 0),
      av: av + (more.av ?? 0),
      other: other + (more.other ?? 0),
      norms: norms + (more.norms ?? 0),
    });
  }
}

const noCounts: Counts = { linear: 0, convolution: 0, qk: 0, av: 0, other: 0, norms: 0 };

const exactSum = (...counts: readonly number[]): bigint => counts.reduce((sum, count) => sum + BigInt(count), 0n);

/** Both conventions to the last digit, beyond 2^53 too. */
export const exactOf = ({
  linear,
  convolution,
  qk,
  av,
  other,
  norms,
}: Counts): Readonly<Record<"matrix" | "module", bigint>> => ({
  matrix: exactSum(linear, convolution, qk, av, other),
  module: exactSum(linear, convolution, norms),
});

/** Every product of matrices. */
export const matrixOf = (counts: Counts): number => Number(exactOf(counts).matrix);

/** What is seen by a tool that hooks modules. */
export const moduleOf = (counts: Counts): number => Number(exactOf(counts).module);

/** The whole of what was counted part by part.
 *  @throws ConfigError when a count is no longer exact */
export function complexityOf(parts: ReadonlyMap<string, Counts>, parameters: number): Complexity {
  const whole = new Sums();
  for (const own of parts.values()) whole.add("all", own);
  const all = whole.counts.get("all") ?? noCounts;
  const largest = Math.max(...Object.values(all), parameters);
  if (largest > Number.MAX_SAFE_INTEGER)
    throw new ConfigError(
      `complexity: a count of ${largest.toExponential(3)} is more than 2^53, and would not be exact. Count fewer frames or a smaller picture.`,
    );
  return { ...all, matrix: matrixOf(all), module: moduleOf(all), parameters, parts: Object.fromEntries(parts) };
}
