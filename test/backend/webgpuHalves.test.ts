/** Weights that stay the same in 16 bits, where the device is asked for it. */
import { describe, expect, it } from "vitest";
import { constant, input, parameter } from "../../src/autograd/tensor.js";
import { reference } from "../../src/backend/reference/device.js";
import { webgpuTarget } from "../../src/backend/webgpu/target.js";
import { normalNumbers } from "../../src/base/random.js";
import { linear, matmul, webgpu } from "../../src/index.js";
import { hoist } from "../../src/program/hoist.js";
import { compile } from "../../src/program/program.js";
import { withoutWebGpu } from "../webgpu.js";

const [x, rows] = [input([5, 7]), normalNumbers(35, 1, 0)];
const numbers = normalNumbers(63, 2, 0);
/** What is left of a number in 16 bits: ten places behind the first. */
const rounded = (value: number): number => {
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 10);
  return Math.round(value / unit) * unit;
};
const exact = (values: Float32Array | Float64Array) => {
  const y = linear(matmul(x, constant(values, [7, 9])), constant(values, [7, 9])); // [5, 7]
  return compile(reference(), { inputs: { x }, outputs: { y } }).run({ x: rows });
};
const held = () => {
  const weight = parameter([7, 9], numbers);
  return hoist([linear(matmul(x, weight), weight)], [x], webgpuTarget(2 ** 27, true));
};

describe("weights in 16 bits", () => {
  it("are packed once, however many products read them, and the weights of their nearest halves", async () => {
    const { outputs, held: updates } = held();
    expect(updates.map(([own, value]) => [value.node.op.name, own.shape])).toEqual([["packHalves", [32]]]);
    const device = reference();
    await compile(device, { updates }).run({});
    const { y } = await compile(device, { inputs: { x }, outputs: { y: outputs[0] } }).run({ x: rows });
    expect(y.data).toEqual((await exact(Float64Array.from(numbers, rounded))).y.data);
    expect(y.data).not.toEqual((await exact(numbers)).y.data);
  });

  it.skipIf(withoutWebGpu !== undefined)("are unpacked by the products that read them, on a GPU", async () => {
    const device = await webgpu({ f16: true });
    const { outputs, held: updates } = held();
    await compile(device, { updates }).run({});
    const step = compile(device, { inputs: { x }, outputs: { y: outputs[0] } });
    expect([step.steps.map(({ kernel }) => kernel), step.intervals]).toEqual([
      ["unpackHalves", "matmul", "unpackHalves", "matmul"],
      2,
    ]);
    const { y } = await step.run({ x: rows });
    const truth = (await exact(Float64Array.from(numbers, rounded))).y.data;
    for (const [i, value] of truth.entries()) expect(y.data[i]).toBeCloseTo(value, 4);
    device.close();
  });
});
