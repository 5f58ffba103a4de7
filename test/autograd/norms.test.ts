import { expect, it } from "vitest";
import { input, layerNorm, modulatedRmsNorm, rmsNorm } from "../../src/index.js";

const x = input([2, 3, 5]);

it.each([
  [() => rmsNorm(x, { weight: input([4]) }), "rmsNorm: the weight must be [5], got [4]."],
  [() => rmsNorm(x, { weight: input([2, 1, 5]) }), "rmsNorm: the weight must be [5], got [2, 1, 5]."],
  [() => rmsNorm(input([]), { weight: input([5]) }), "rmsNorm: needs at least one axis, got a single number."],
  [() => layerNorm(x, { weight: input([4]) }), "layerNorm: weight must be [5], or the leading axes of x"],
  [() => layerNorm(x, { bias: input([4]) }), "layerNorm: bias must be [5], or the leading axes of x"],
  [() => modulatedRmsNorm(x, input([3, 1, 5]), input([3, 1, 5])), "rmsNorm: scale must be [5], or the leading axes of x"],
])("a norm says which operand does not fit, by the name that it was given: %#", (make, message) => {
  expect(make).toThrow(message);
});
