import { ConfigError } from "../../base/errors.js";

/** What one forward pass of one sample computes, exact whole numbers. @units multiply-adds, but `norms` and `parameters` */
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
}

export const noCounts: Counts = { linear: 0, convolution: 0, qk: 0, av: 0, other: 0, norms: 0 };

export const addCounts = (a: Counts, b: Partial<Counts>): Counts => ({
  linear: a.linear + (b.linear ?? 0),
  convolution: a.convolution + (b.convolution ?? 0),
  qk: a.qk + (b.qk ?? 0),
  av: a.av + (b.av ?? 0),
  other: a.other + (b.other ?? 0),
  norms: a.norms + (b.norms ?? 0),
});

/** Every product of matrices. */
export const matrixOf = ({ linear, convolution, qk, av, other }: Counts): number => linear + convolution + qk + av + other;

/** What is seen by a tool that hooks modules. */
export const moduleOf = ({ linear, convolution, norms }: Counts): number => linear + convolution + norms;

/** The whole of what was counted part by part.
 *  @throws ConfigError when a sum is no longer exact */
export function complexityOf(parts: ReadonlyMap<string, Counts>, parameters: number): Complexity {
  const all = [...parts.values()].reduce((sum, own) => addCounts(sum, own), noCounts);
  const [matrix, module] = [matrixOf(all), moduleOf(all)];
  if (Math.max(matrix, module, parameters) > Number.MAX_SAFE_INTEGER)
    throw new ConfigError(
      `complexity: ${Math.max(matrix, module).toExponential(3)} multiply-adds are more than 2^53, and would not be exact. Count fewer frames or a smaller picture.`,
    );
  return { ...all, matrix, module, parameters, parts: Object.fromEntries(parts) };
}
