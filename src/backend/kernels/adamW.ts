import { kernel, type Numbers, optional, read, write } from "../kernel.js";

const numbers = { n: "int", beta1: "float", beta2: "float", eps: "float" } as const;
const all = ({ n }: Numbers<typeof numbers>): number => n;
const one = (): number => 1;

/** The smallest normal float32. */
const smallest = 2 ** -126;

/** One step of AdamW on n numbers, and of their average e (null: none). factor, stepSize, rootCorrection, remainder, guard and
 *  rate are [1]. With g = factor·g: v1 = β₂v + (1-β₂)g², 0 below 2⁻¹²⁶ (float32's smallest normal number); m1 = β₁m + (1-β₁)g, 0
 *  where it is below 1e-30 or v1 is 0; p1 = remainder·p - stepSize·m1 / (rootCorrection·√v1 + eps), 0/0 being 0;
 *  e1 = e + rate·(p1 - e). Where guard is 0, what was stays.
 *  Outputs may be the inputs' own memory. */
export const adamW = kernel(numbers)({
  buffers: {
    p1: write("f32", all),
    m1: write("f32", all),
    v1: write("f32", all),
    e1: optional(write("f32", all)),
    p: read("f32", all),
    g: read("f32", all),
    m: read("f32", all),
    v: read("f32", all),
    e: optional(read("f32", all)),
    factor: read("f32", one),
    stepSize: read("f32", one),
    rootCorrection: read("f32", one),
    remainder: read("f32", one),
    guard: read("f32", one),
    rate: optional(read("f32", one)),
  },
  work: (a) => ({ elementOps: 12 * a.n }),
  reference: ({ p1, m1, v1, e1, p, g, m, v, e, n, beta1, beta2, eps, ...single }) => {
    const [factor, stepSize, rootCorrection] = [single.factor[0], single.stepSize[0], single.rootCorrection[0]];
    const [remainder, stays, rate] = [single.remainder[0], single.guard[0] === 0, single.rate?.[0]];
    for (let i = 0; i < n; i++) {
      const [weight, m0, v0] = [p[i], m[i], v[i]];
      const gradient = g[i] * factor;
      const sum = beta2 * v0 + (1 - beta2) * gradient * gradient;
      const square = sum < smallest ? 0 : sum;
      const mean = beta1 * m0 + (1 - beta1) * gradient;
      const moment = Math.abs(mean) <= 1e-30 || square === 0 ? 0 : mean;
      const step = moment === 0 ? 0 : (moment * stepSize) / (Math.sqrt(square) * rootCorrection + eps);
      m1[i] = stays ? m0 : moment;
      v1[i] = stays ? v0 : square;
      p1[i] = stays ? weight : weight * remainder - step;
      if (e1 && e && rate !== undefined) e1[i] = e[i] + (stays ? 0 : rate * (p1[i] - e[i]));
    }
  },
});
