// An op with a gradient of its own, and its check: npx tsx examples/customGradient.ts
import { add, customGradient, customOps, exp, grad, gradcheck, input, log, mul, sigmoid, sum, type Tensor } from "ptdit";

// ln(1 + eˣ). The chain rule makes ∞/∞ of its slope for large x; the logistic function is the same and stays finite.
const softplus = customGradient({
  name: "softplus",
  forward: (x: Tensor) => log(add(exp(x), 1)),
  gradient: ({ inputs: [x], dy }) => [mul(dy, sigmoid(x))],
  examples: [{ shapes: [[3, 4]] }],
});

const x = input([3]);
const [dx] = grad(sum(softplus(x)), [x]);
console.log("an op like any other:", String(softplus(x)), "with the gradient", String(dx));

// What a test does: every op that gives examples is on the list.
for (const { name, op, examples } of customOps()) {
  for (const { shapes, at } of examples) {
    const { ok, error } = await gradcheck(op, shapes, at ? { at } : {});
    console.log(
      `${name} ${JSON.stringify(shapes)}: ${ok ? "agrees with differences" : "is wrong"}, error ${error.toExponential(1)}`,
    );
  }
}
