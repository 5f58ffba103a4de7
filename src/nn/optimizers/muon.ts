import { add, mul, reciprocal, sqrt, square, sub } from "../../autograd/ops/elementwise.js";
import { matmul, matmulNT, matmulTN } from "../../autograd/ops/matmul.js";
import { sum } from "../../autograd/ops/reduce.js";
import { checkTensor, constant, scope, type Tensor } from "../../autograd/tensor.js";
import { ShapeError } from "../../base/errors.js";
import { callable, checkOptions, checkValue, flag, partBelowOne, type Rules, whole } from "../../base/options.js";
import { sameShape, showShape } from "../../base/shape.js";
import { checkGradients } from "../checks.js";
import { type AdamWOptions, adamWRules, buildAdamW } from "./adamW.js";
import type { Gradients } from "./gradients.js";
import { grouped, type OptimizerStep, remainderOf, StepBuilder, stack, vanishing } from "./step.js";

/** The quintics x ← a x + b x³ + c x⁵ that bring singular values of 0..1 towards 1, one an iteration: each is the best there is
 *  for what those before it leave. @source Amsel et al., "The Polar Express", arXiv 2505.16932, algorithm 1 */
const quintics = [
  [8.28721201814563, -23.595886519098837, 17.300387312530933],
  [4.107059111542203, -2.9478499167379106, 0.5448431082926601],
  [3.9486908534822946, -2.908902115962949, 0.5518191394370137],
  [3.3184196573706015, -2.488488024314874, 0.51004894012372],
  [2.300652019954817, -1.6689039845747493, 0.4188073119525673],
] as const;
const iterationsRule = whole(1, quintics.length);

/** Options of AdamW are for the parameters that are no matrices; learning rate, decay, guard and average are for all. */
export interface MuonOptions extends AdamWOptions {
  /** Part of the momentum that a step keeps: 0.95 by default. */
  readonly momentum?: number;
  /** Whether the gradient counts once more on top of the momentum; by default it does. */
  readonly nesterov?: boolean;
  /** Iterations of the orthogonalisation, 1 to 5: 3 by default. */
  readonly iterations?: number;
  /** Which parameters are matrices to be orthogonalised, by name and value: by default all with two axes. The rest take AdamW. */
  readonly matrices?: (name: string, parameter: Tensor) => boolean;
}

const rules: Rules<MuonOptions> = {
  ...adamWRules,
  momentum: partBelowOne,
  nesterov: flag,
  iterations: iterationsRule,
  matrices: callable,
};

/**
 * Muon: momentum whose singular values are all brought near 1, so that a step moves a matrix alike in every direction; AdamW for
 * whatever is no matrix. √max(rows, columns) makes a step as large as one of AdamW, whose learning rate it shares.
 *   m ← μm + (1-μ)g,  l = μm + (1-μ)g (l = m without `nesterov`),  p ← p(1 - lr·wd) - lr·√max(rows, columns)·orthogonalised(l)
 * Matrices of one shape are computed together.
 * @source Jordan et al., "Muon: an optimizer for hidden layers in neural networks" (2024); the scale after Liu et al., arXiv 2502.16982
 * @throws ConfigError when an option is unknown or against its rule
 * @throws ShapeError when what is said to be a matrix has not two axes
 */
export function muon(gradients: Gradients, options: MuonOptions): OptimizerStep {
  checkGradients("muon", gradients);
  checkOptions("muon", options, rules);
  const { momentum, nesterov, iterations, matrices = (_, { shape }) => shape.length === 2, ...shared } = options;
  const isMatrix = (name: string, { parameter }: { readonly parameter: Tensor }): boolean => {
    const chosen = matrices(name, parameter);
    if (chosen && parameter.shape.length !== 2)
      throw new ShapeError(
        `muon: "${name}" ${showShape(parameter.shape)} is no matrix. Leave it out of matrices: AdamW takes it.`,
      );
    return chosen;
  };
  const [own, rest] = [true, false].map(
    (which): Gradients => new Map([...gradients].filter(([name, x]) => isMatrix(name, x) === which)),
  );
  const build = new StepBuilder(options);
  buildMuon(build, own, options);
  if (rest.size > 0) buildAdamW(build, rest, shared);
  return build.done();
}

/** Adds a step for matrices to what an optimiser does. */
function buildMuon(build: StepBuilder, gradients: Gradients, options: MuonOptions): void {
  const { lr, momentum = 0.95, nesterov = true, iterations = 3, weightDecay = 0.01 } = options;
  const matrices = build.parts(gradients, weightDecay).map((part) => {
    const { name, weight } = part;
    return { ...part, m: build.state(`${name}.momentum`, weight.shape) };
  });
  scope("muon", () => {
    for (const group of grouped(matrices, (a, b) => sameShape(a.weight.shape, b.weight.shape))) {
      const [{ factor, decay, averages, weight }] = group;
      const g = mul(stack(group.map(({ gradient }) => gradient)), mul(factor, 1 - momentum)); // [n, rows, columns]
      const momenta = group.map(({ m }) => m);
      const m = vanishing(add(mul(stack(momenta), momentum), g)); // [n, rows, columns]
      const direction = orthogonalised(nesterov ? add(mul(m, momentum), g) : m, iterations); // [n, rows, columns]
      const weights = group.map((own) => own.weight);
      const step = mul(direction, mul(constant(Math.sqrt(Math.max(...weight.shape))), lr)); // [n, rows, columns]
      build.updateAll(momenta, m);
      const next = build.updateAll(weights, sub(mul(stack(weights), remainderOf(lr, decay)), step));
      for (const i of averages.keys())
        build.move(
          group.map((own) => own.averages[i]),
          [next],
        );
    }
  });
}

/**
 * Matrices with the singular vectors of x, and singular values near 1: in 0.18..1.87 after 3 iterations, 0.43..1.57 after 4, 0.87..1.13
 * after 5, for those above a hundredth of ‖x‖ (a thousandth after 5). Computed on the side that is shorter.
 *   x ← x / ‖x‖,  then for every quintic (a, b, c):  s = x xᵀ,  x ← (a I + b s + c s²) x
 * @shape x [n, rows, columns] -> the same; every matrix by itself
 * @throws ConfigError when the iterations are not 1 to 5
 * @source Jordan et al. (2024); the quintics by Amsel et al., arXiv 2505.16932
 */
export function orthogonalised(x: Tensor, iterations = 3): Tensor {
  checkTensor("orthogonalised", "x", x);
  checkValue("orthogonalised", "iterations", iterations, iterationsRule);
  const [, rows, columns] = x.shape;
  if (x.shape.length !== 3) throw new ShapeError(`orthogonalised: x must be [n, rows, columns], got ${showShape(x.shape)}.`);
  const norm = sqrt(sum(square(x), [1, 2], true)); // [n, 1, 1]
  let y = mul(x, reciprocal(add(norm, 1e-12))); // [n, rows, columns]
  const isWide = rows <= columns;
  const short = Math.min(rows, columns);
  for (const [a, b, c] of quintics.slice(0, iterations)) {
    const s = isWide ? matmulNT(y, y) : matmulTN(y, y); // [n, short, short]
    // s is symmetric: written as s sᵀ, its square is one of the products of which kernels compute half.
    const factor = add(add(mul(s, b), mul(matmulNT(s, s), c)), diagonal(short, a)); // [n, short, short]
    y = isWide ? matmul(factor, y) : matmul(y, factor); // [n, rows, columns]
  }
  return y;
}

/** The identity times a number. @shape -> [n, n] */
function diagonal(n: number, value: number): Tensor {
  const numbers = new Float64Array(n * n);
  for (let i = 0; i < n; i++) numbers[i * n + i] = value;
  return constant(numbers, [n, n]);
}
