import { expect, it } from "vitest";
import { grad } from "../../src/autograd/grad.js";
import { attention, concat, crossAttention, mul, selfAttention, sum } from "../../src/autograd/ops/index.js";
import { constant, type Tensor } from "../../src/autograd/tensor.js";
import { reference } from "../../src/backend/reference/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { ShapeError } from "../../src/base/errors.js";
import { normalNumbers } from "../../src/base/random.js";
import { compile } from "../../src/program/program.js";

const numbers = (shape: number[], seed: number) =>
  constant(
    normalNumbers(
      shape.reduce((n, size) => n * size, 1),
      seed,
      0,
    ),
    shape,
  );
const [q, k, v] = [0, 1, 2].map((seed) => numbers([3, 7, 16], seed)) as [Tensor, Tensor, Tensor];
const weight = numbers([3, 7, 16], 3);

it.each(["reference", "wasm"])(
  "queries, keys and values in one tensor, in two or in three give the same bits: %s",
  async (name) => {
    const device = name === "wasm" ? await wasm({ threads: 1 }) : reference();
    const forms = [attention(q, k, v, 2), selfAttention(concat([q, k, v], 2), 2), crossAttention(q, concat([k, v], 2), 2)];
    const outputs = forms.flatMap((o) => [o, ...grad(sum(mul(o, weight)), [q, k, v])]);
    const program = compile(device, { outputs: Object.fromEntries(outputs.map((x, i) => [`x${i}`, x])) });
    const values = Object.values(await program.run({})).map(({ data }) => Array.from(data));
    for (let i = 0; i < 4; i++) {
      expect(values[i + 4]).toEqual(values[i]);
      expect(values[i + 8]).toEqual(values[i]);
    }
    device.close();
  },
);

it("columns that are no whole parts are refused", () => {
  expect(() => selfAttention(numbers([1, 2, 16], 0), 2)).toThrow(ShapeError);
  expect(() => crossAttention(q, numbers([3, 5, 16], 0), 2)).toThrow(/kv \[G, Lk, 2D\] must share G and D/);
});
