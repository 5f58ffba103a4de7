/** Ops with gradients of their own, as a user would define them. */
import { customGradient } from "../../src/autograd/customGradient.js";
import { add, exp, log, matmul, mul, reciprocal, sigmoid, sub, transpose } from "../../src/autograd/ops/index.js";
import type { Tensor } from "../../src/autograd/tensor.js";

/** ln(1 + eˣ); the chain rule would give eˣ / (1 + eˣ), which is NaN for large x. */
export const softplus = customGradient({
  name: "softplus",
  forward: (x: Tensor) => log(add(exp(x), 1)),
  gradient: ({ inputs: [x], dy }) => [mul(dy, sigmoid(x))],
  examples: [{ shapes: [[5]] }, { shapes: [[2, 3]], at: [[-3, -1, 0, 0.5, 2, 4]] }],
});

/** A product whose gradient reuses what it kept. */
export const scaledProduct = customGradient({
  name: "scaledProduct",
  forward: (a: Tensor, b: Tensor) => {
    const scale = reciprocal(add(exp(a), 1)); // [m, k]
    return [matmul(mul(a, scale), b), scale];
  },
  gradient: ({ inputs: [a, b], kept: [scale], dy }) => {
    const own = scale;
    const dScaled = matmul(dy, transpose(b)); // [m, k]
    const slope = sub(own, mul(mul(a, own), sub(1, own))); // d(a s)/da, s' = -s (1 - s)
    return [mul(dScaled, slope), matmul(transpose(mul(a, own)), dy)];
  },
  examples: [
    {
      shapes: [
        [3, 4],
        [4, 2],
      ],
    },
  ],
});
