import type { KernelArgs } from "../../kernels.js";

/** The smallest normal float32. */
const smallest = 2 ** -126;

/** See `kernels.adamW`. */
export function adamW(args: KernelArgs<"adamW", Float64Array>): void {
  const { p1, m1, v1, e1, p, g, m, v, e, factor, stepSize, rootCorrection, remainder, guard, rate, n, beta1, beta2, eps } =
    args;
  const first = (x: Float64Array): number => x[0] as number;
  const stays = first(guard) === 0;
  for (let i = 0; i < n; i++) {
    const [weight, m0, v0] = [p[i] as number, m[i] as number, v[i] as number];
    const gradient = (g[i] as number) * first(factor);
    const sum = beta2 * v0 + (1 - beta2) * gradient * gradient;
    const square = sum < smallest ? 0 : sum;
    const mean = beta1 * m0 + (1 - beta1) * gradient;
    const moment = Math.abs(mean) <= 1e-30 || square === 0 ? 0 : mean;
    const step = moment === 0 ? 0 : (moment * first(stepSize)) / (Math.sqrt(square) * first(rootCorrection) + eps);
    m1[i] = stays ? m0 : moment;
    v1[i] = stays ? v0 : square;
    p1[i] = stays ? weight : weight * first(remainder) - step;
    if (e1 && e && rate) e1[i] = (e[i] as number) + (stays ? 0 : first(rate) * ((p1[i] as number) - (e[i] as number)));
  }
}
