import { describe, expect, it } from "vitest";
import { concat, split } from "../../src/autograd/ops/copy.js";
import { add, exp, mul, neg } from "../../src/autograd/ops/elementwise.js";
import { linear, matmul, matmulTN } from "../../src/autograd/ops/matmul.js";
import { randomNormal } from "../../src/autograd/ops/random.js";
import { input, parameter } from "../../src/autograd/tensor.js";
import { reference } from "../../src/backend/reference/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { wasmTarget } from "../../src/backend/wasm/target.js";
import { hoist } from "../../src/program/hoist.js";
import { readParameter } from "../../src/program/parameters.js";
import { compile } from "../../src/program/program.js";

describe("programs", () => {
  it("set a parameter that they do not read", async () => {
    const device = reference();
    const [x, kept] = [input([3]), parameter([3])];
    await compile(device, { inputs: { x }, updates: [[kept, mul(x, 2)]] }).run({ x: [1, 2, 3] });
    expect([...(await readParameter(device, kept))]).toEqual([2, 4, 6]);
  });

  it("sets parameters that lie side by side by the parts of one value, without a copy", async () => {
    const device = reference();
    const parts = [parameter([2, 2], [1, 2, 3, 4]), parameter([2, 2], [5, 6, 7, 8])];
    const halves = split(mul(concat(parts, 0), 10), 0, 2);
    const program = compile(device, { updates: parts.map((own, i) => [own, halves[i]] as const) });
    expect(program.steps.map(({ kernel }) => kernel)).toEqual(["fused"]);
    await program.run({});
    expect([...(await readParameter(device, parts[0]))]).toEqual([10, 20, 30, 40]);
    expect([...(await readParameter(device, parts[1]))]).toEqual([50, 60, 70, 80]);
  });

  it("shows a part of joined parameters as it was before they are set", async () => {
    const device = reference();
    const [a, b] = [parameter([2], [1, 2]), parameter([2], [3, 4])];
    const joined = concat([a, b], 0);
    const [, part] = split(joined, 0, 2);
    const halves = split(mul(joined, 10), 0, 2);
    const program = await compile(device, {
      outputs: { part },
      updates: [
        [a, halves[0]],
        [b, halves[1]],
      ],
    });
    expect([...(await program.run({})).part.data]).toEqual([3, 4]);
    expect([...(await readParameter(device, b))]).toEqual([30, 40]);
  });

  it("does not overwrite what it has yet to read: parameters that overlap others by one", async () => {
    const device = await wasm({ threads: 1 });
    const n = 5000; // more than a kernel reads at once
    const [a, b, c] = [1, 2, 3].map((own) => parameter([n], new Float32Array(n).fill(own)));
    const halves = split(neg(concat([a, b], 0)), 0, 2);
    // Who joins them first lays them side by side.
    compile(device, { outputs: { all: mul(concat([a, b, c], 0), 1) } });
    await compile(device, { updates: [[b, halves[0]] as const, [c, halves[1]] as const] }).run({});
    expect(new Set(await readParameter(device, b))).toEqual(new Set([-1]));
    expect(new Set(await readParameter(device, c))).toEqual(new Set([-2]));
  });
});

describe("products over many rows", () => {
  it("are summed in parts where the device likes it and the parts are equal, to the same sums", async () => {
    const device = await wasm({ threads: 1 });
    for (const [rows, kernels] of [
      [2050, ["matmul"]],
      [2052, ["matmul", "reduce"]],
    ] as const) {
      const [a, b] = [input([rows, 2]), input([rows, 3])];
      const program = compile(device, { inputs: { a, b }, outputs: { c: matmulTN(a, b) } });
      expect(program.steps.map(({ kernel }) => kernel)).toEqual(kernels);
      const feed = {
        a: Array.from({ length: 2 * rows }, (_, i) => i % 7),
        b: Array.from({ length: 3 * rows }, (_, i) => i % 5),
      };
      const sums = [0, 1].flatMap((i) =>
        [0, 1, 2].map((j) => {
          let sum = 0;
          for (let row = 0; row < rows; row++) sum += feed.a[2 * row + i] * feed.b[3 * row + j];
          return sum;
        }),
      );
      expect([...(await program.run(feed)).c.data]).toEqual(sums);
      program.dispose();
    }
    device.close();
  });
});

describe("hoist", () => {
  const weight = parameter([2, 3], Float64Array.from([1, 2, 3, 4, 5, 6]));
  const [condition, u] = [input([4, 3]), input([4, 2])];
  const feed = { condition: Array.from({ length: 12 }, (_, i) => i / 10), u: Array.from({ length: 8 }, (_, i) => i - 3) };

  it("computes once what does not vary, and the rest as before", async () => {
    const device = reference();
    const y = mul(exp(linear(condition, weight)), u); // [4, 2]
    const { outputs, held } = hoist([y], [u], wasmTarget);
    expect(held.map(([, value]) => value.node.op.name)).toEqual(["exp"]);
    await compile(device, { inputs: { condition }, updates: held }).run({ condition: feed.condition });
    const step = compile(device, { inputs: { u }, outputs: { y: outputs[0] } });
    const whole = compile(device, { inputs: { condition, u }, outputs: { y } });
    expect(step.steps.map(({ kernel }) => kernel)).toEqual(["fused"]);
    expect((await step.run({ u: feed.u })).y.data).toEqual((await whole.run(feed)).y.data);
  });

  it("packs the weights of products once, in every form they are used in", async () => {
    const square = parameter([2, 2], Float64Array.from([1, 2, 3, 4]));
    const y = add(linear(linear(u, square), square), matmul(u, square)); // [4, 2]
    const { outputs, held } = hoist([y], [u], wasmTarget);
    expect(held.map(([, value]) => value.node.op.name)).toEqual(["packPanels", "packPanels"]);
    const device = reference();
    await compile(device, { updates: held }).run({});
    const step = compile(device, { inputs: { u }, outputs: { y: outputs[0] } });
    const whole = compile(device, { inputs: { u }, outputs: { y } });
    expect((await step.run({ u: feed.u })).y.data).toEqual((await whole.run({ u: feed.u })).y.data);
  });

  it("leaves elementwise work on leaves in its place, and draws anew in every run", () => {
    const y = add(mul(add(condition, 1), randomNormal([4, 3], { seed: 1 })), 0);
    expect(hoist([y], [], wasmTarget).held).toEqual([]);
  });
});
