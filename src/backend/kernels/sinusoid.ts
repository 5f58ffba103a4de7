import { kernel, read, write } from "../kernel.js";

/** y [n, 2·half] = [cos(t f_k)…, sin(t f_k)…], f_k = maxPeriod^(-k/half), angles and functions in float64. */
export const sinusoid = kernel({ n: "int", half: "int", maxPeriod: "float" })({
  buffers: { y: write("f32", (a) => a.n * 2 * a.half), t: read("f32", (a) => a.n) },
  work: (a) => ({ elementOps: 20 * a.n * a.half }),
  reference: ({ y, t, n, half, maxPeriod }) => {
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < half; k++) {
        const angle = t[i] * maxPeriod ** (-k / half);
        y[i * 2 * half + k] = Math.cos(angle);
        y[i * 2 * half + half + k] = Math.sin(angle);
      }
    }
  },
});
