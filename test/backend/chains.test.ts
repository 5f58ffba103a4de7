import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { View } from "../../src/autograd/buffer.js";
import { add, gelu, matmul, matmulNT, mul, reshape } from "../../src/autograd/ops/index.js";
import { input, parameter, type Tensor } from "../../src/autograd/tensor.js";
import type { Device } from "../../src/backend/device.js";
import { reference } from "../../src/backend/reference/device.js";
import { mayFollow } from "../../src/backend/wasm/chains.js";
import { type WasmDevice, wasm } from "../../src/backend/wasm/device.js";
import { wasmTarget } from "../../src/backend/wasm/target.js";
import { normalNumbers } from "../../src/base/random.js";
import { lower } from "../../src/program/lower.js";
import { readParameter } from "../../src/program/parameters.js";
import { compile } from "../../src/program/program.js";

const weight = (shape: number[], stream: number): Tensor =>
  parameter(
    shape,
    normalNumbers(
      shape.reduce((product, n) => product * n, 1),
      3,
      stream,
    ),
  );

/** Products and what goes on with them: [name, x [batch·rows, k], y of x]. */
const cases: [name: string, shape: readonly [number, number, number], y: (x: Tensor) => Tensor][] = [];
for (const [batch, rows, k, n] of [
  [1, 40, 7, 5],
  [2, 100, 64, 64],
  [3, 70, 400, 33],
  [2, 700, 8, 1040],
] as const) {
  const w = weight([n, k], 1);
  const residual = weight([batch, rows, n], 2);
  const gate = weight([batch, 1, n], 3);
  const name = `${batch} x ${rows} x ${k} -> ${n}`;
  const product = (x: Tensor) => matmulNT(x, w);
  cases.push([`gelu, ${name}`, [batch, rows, k], (x) => gelu(product(x))]);
  cases.push([`residual and gate, ${name}`, [batch, rows, k], (x) => add(residual, mul(gate, product(x)))]);
  cases.push([`in two parts, ${name}`, [batch, rows, k], (x) => gelu(reshape(product(x), [batch * rows, n]))]);
}
for (const [k, n] of [
  [33, 40],
  [600, 130],
] as const) {
  const own = weight([9, k, n], 1);
  cases.push([`a weight a batch, ${k} -> ${n}`, [9, n, k], (x) => gelu(matmul(x, own))]);
  cases.push([`with itself, ${k} -> ${n}`, [9, n, k], (x) => add(mul(matmulNT(x, x), 0.5), weight([1, n, n], 2))]);
}

describe("products that elementwise calls follow row by row", () => {
  const devices: WasmDevice[] = [];
  beforeAll(async () => {
    for (const threads of [1, 2, 3]) devices.push(await wasm({ threads }));
  });
  afterAll(() => {
    for (const device of devices) device.close();
  });

  for (const [name, shape, f] of cases) {
    it(`gives what the calls give one after the other: ${name}`, async () => {
      const x = input(shape);
      const y = f(x);
      const numbers = normalNumbers(x.size, 3, 9);
      const program = (device: Device, kept: Tensor) => compile(device, { inputs: { x }, updates: [[kept, y]] });
      const exact = parameter(y.shape);
      const oracle = reference();
      await program(oracle, exact).run({ x: numbers });
      const want = await readParameter(oracle, exact);
      const all: ArrayLike<number>[] = [];
      for (const device of devices) {
        const [whole, parts] = [parameter(y.shape), parameter(y.shape)];
        const own = program(device, whole);
        expect(own.steps.map(({ kernel }) => kernel)).toEqual(["matmul", "fused"]);
        expect(own.intervals, "a chain ends in one meeting").toBe(1);
        await own.run({ x: numbers });
        all.push(await readParameter(device, whole));
        // A profile runs call by call: nothing is followed there.
        await program(device, parts).profile({ x: numbers });
        all.push(await readParameter(device, parts));
      }
      const [first] = all as [ArrayLike<number>];
      // Far quicker than toEqual on a million numbers.
      const differing = all.map((got) => Array.from(got).findIndex((value, i) => value !== first[i]));
      expect(differing).toEqual(all.map(() => -1));
      let [scale, worst] = [0, 0];
      for (const [i, value] of want.entries()) {
        scale = Math.max(scale, Math.abs(value));
        worst = Math.max(worst, Math.abs(first[i] - value));
      }
      expect(worst).toBeLessThan(2e-6 * scale);
    });
  }

  const same = (a: View, b: View) => a.buffer === b.buffer && a.offset === b.offset;
  const chained = (...outputs: Tensor[]) => {
    const calls = lower(outputs, [], wasmTarget).calls.map(({ call }) => call);
    return calls.map((call, i) => mayFollow(call, calls[i + 1], same));
  };

  it("are tall and read in order", () => {
    const [x, w] = [input([64, 8]), weight([8, 16], 1)];
    const y = matmul(x, w);
    expect(chained(gelu(y))).toEqual([true, false]);
    expect(chained(gelu(matmul(input([8, 64]), weight([64, 16], 1)))), "wide").toEqual([false, false]);
    expect(chained(gelu(reshape(y, [4, 256]))), "reshaped").toEqual([true, false]);
    expect(chained(add(input([4, 64, 16]), y)), "repeated").toEqual([false, false]);
    expect(chained(gelu(matmul(input([3, 64, 8]), input([3, 8, 16])))), "batches").toEqual([true, false]);
  });
});
