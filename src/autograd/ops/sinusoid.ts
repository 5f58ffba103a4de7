import { checkValue, positive, whole } from "../../base/options.js";
import { defineOp } from "../op.js";
import { checkTensor, constant, type Tensor } from "../tensor.js";
import { concat, slice } from "./copy.js";
import { mul, neg } from "./elementwise.js";
import { sum } from "./reduce.js";
import { reshape } from "./reshape.js";
import { times } from "./vanishing.js";

const sinusoidOp = defineOp<{ readonly half: number; readonly maxPeriod: number }>()({
  name: "sinusoid",
  operands: { t: "needed" },
  results: { y: "always" },
  infer: ({ t }, { half }) => ({ y: [...t.shape, 2 * half] }),
  gradient: ({ t, y }, { y: dy }, { half, maxPeriod }) => {
    // d cos(t f) = -f sin(t f) dt, d sin(t f) = f cos(t f) dt, and both functions are in y already.
    const frequencies = constant(Float64Array.from({ length: half }, (_, k) => maxPeriod ** (-k / half)));
    const [cosines, sines] = [slice(y, -1, 0, half), slice(y, -1, half, 2 * half)];
    const slopes = concat([mul(neg(sines), frequencies), mul(cosines, frequencies)], -1);
    return { t: reshape(sum(times(dy, slopes), -1), t.shape) };
  },
  lowering: {
    kind: "calls",
    emit: (e, { y, t }, { t: { size: n } }, { half, maxPeriod }) => e.call("sinusoid", { y, t, n, half, maxPeriod }),
  },
});

/** Sinusoidal features [cos(t f_k)…, sin(t f_k)…], f_k = maxPeriod^(-k/half), width = 2 half, within 2e-7: for angles of any size, on WebGPU
 *  up to 2²⁰.
 *  @shape t [...] -> [..., width]
 *  @units t on the 0..1000 scale of timesteps
 *  @throws ConfigError when width is odd */
export function sinusoid(t: Tensor, width = 256, maxPeriod = 10000): Tensor {
  checkTensor("sinusoid", "t", t);
  const even = { text: "an even number of at least 2", holds: (value: unknown) => whole(1).holds(Number(value) / 2) };
  checkValue("sinusoid", "width", width, even);
  checkValue("sinusoid", "maxPeriod", maxPeriod, positive);
  return sinusoidOp({ t }, { half: width / 2, maxPeriod }).y;
}

export default { sinusoid: sinusoidOp };
