import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { input, type Tensor } from "../../src/autograd/tensor.js";
import type { KernelCall } from "../../src/backend/calls.js";
import type { Device, Slot } from "../../src/backend/device.js";
import { PlanningDevice } from "../../src/backend/planning.js";
import { reference } from "../../src/backend/reference/device.js";
import type { WebGpuDevice } from "../../src/backend/webgpu/device.js";
import { ofSlots } from "../../src/backend/webgpu/places.js";
import { ridersOf as ridersAt } from "../../src/backend/webgpu/riders.js";
import { webgpuTarget } from "../../src/backend/webgpu/target.js";
import { normalNumbers } from "../../src/base/random.js";
import { add, compile, gelu, linear, matmul, mul, permuteRows, sum, transpose } from "../../src/index.js";
import { openWebGpu, withoutWebGpu } from "../webgpu.js";

/** Calls of a program, with the places that a GPU would have for them. */
function callsOf(
  outputs: Readonly<Record<string, Tensor>>,
  inputs: Readonly<Record<string, Tensor>>,
): readonly KernelCall<Slot>[] {
  let found: readonly KernelCall<Slot>[] = [];
  const intervals = (calls: readonly KernelCall<Slot>[]) => {
    found = calls;
    return calls.length;
  };
  compile(new PlanningDevice({ name: "webgpu", bytesPerElement: 4, target: webgpuTarget(2 ** 27), intervals }), {
    inputs,
    outputs,
  });
  return found;
}
const ridersOf = (calls: readonly KernelCall<Slot>[]) => ridersAt(calls, ofSlots);
const shown = (calls: readonly KernelCall<Slot>[]) => ridersOf(calls).map((rider, i) => [calls[i].kernel, rider?.output]);

const [x, w, b] = [input([20, 24]), input([32, 24]), input([32])];
const row = input([1, 32]);
const numbers = (shape: readonly number[], stream: number) =>
  Float32Array.from(
    normalNumbers(
      shape.reduce((n, size) => n * size, 1),
      3,
      stream,
    ),
  );

/** Programs, and what rides in them. */
const programs: Readonly<
  Record<string, { readonly out: Tensor; readonly riders: readonly (readonly [string, string | undefined])[] }>
> = {
  "an activation with its product": {
    out: gelu(linear(x, w, b)),
    riders: [
      ["matmul", "c"],
      ["fused", undefined],
    ],
  },
  "a row that is broadcast over a product": {
    out: mul(linear(x, w, b), row),
    riders: [
      ["matmul", "c"],
      ["fused", undefined],
    ],
  },
  "a product beside itself": {
    out: mul(linear(x, w), linear(x, w)),
    riders: [
      ["matmul", undefined],
      ["matmul", "c"],
      ["fused", undefined],
    ],
  },
  "a sum and what follows": {
    out: mul(sum(x, 0), 0.5),
    riders: [
      ["reduce", "write"],
      ["fused", undefined],
    ],
  },
  "rows in another order": {
    out: add(permuteRows(input([2, 3, 8]), Int32Array.of(2, 0, 1)), 1),
    riders: [
      ["gatherRows", "y"],
      ["fused", undefined],
    ],
  },
};

describe("what rides with the call before", () => {
  it.each(Object.entries(programs))("is %s", (_, { out, riders }) => {
    const inputs = Object.fromEntries([...leavesOf(out)].map((leaf, i) => [`x${i}`, leaf]));
    expect(shown(callsOf({ out }, inputs))).toEqual(riders);
  });

  it("reads its result in order, and nothing else that the call writes", () => {
    const turned = callsOf({ out: add(transpose(matmul(x, transpose(w))), 1) }, { x, w });
    expect(ridersOf(turned).filter(Boolean)).toEqual([]);
    // A column of sums over the product: as many elements, another walk.
    const calls = callsOf({ out: add(linear(x, w), sum(linear(x, w), 0)) }, { x, w });
    const last = calls[calls.length - 1];
    expect(ridersOf(calls)[calls.length - 2]).toBeUndefined();
    expect(last.kernel).toBe("fused");
  });

  it("writes nothing that others may still read", () => {
    const storage = { elements: 4096 };
    const at = (offset: number): Slot => ({ storage, offset });
    const sizes = { batch: 1, m: 4, n: 4, k: 4, strideA: 0, strideB: 0, strideC: 0 };
    const product = (c: number): KernelCall<Slot> => {
      const [found] = callsOf({ out: linear(x, w) }, { x, w });
      if (found.kernel !== "matmul") throw new Error("not a product");
      return { kernel: "matmul", args: { ...found.args, ...sizes, a: at(0), b: at(16), c: at(c), bias: null, sums: null } };
    };
    const following = (from: number, to: number): KernelCall<Slot> => ({
      ...{ kernel: "fused", dims: [1, 1, 1, 16], constants: [], temporaries: 0 },
      ...{ reads: [{ buffer: at(from), strides: [0, 0, 0, 1] }], writes: [at(to)], code: [["gelu", 1, 0, 0, 0]] },
    });
    const rides = (from: number, to: number) => ridersOf([product(32), following(from, to)])[0] !== undefined;
    expect(rides(32, 64)).toBe(true); // elsewhere
    expect(rides(32, 32)).toBe(true); // in place
    expect(rides(32, 0)).toBe(false); // over an operand
    expect(rides(32, 24)).toBe(false); // over the end of one
    expect(rides(32, 40)).toBe(false); // beside itself: over other lanes' elements
    expect(rides(31, 64)).toBe(false); // other elements
  });
});

/** Inputs that a tensor is made of. */
function leavesOf(tensor: Tensor, found = new Set<Tensor>()): Set<Tensor> {
  if (tensor.node.op.name === "input") found.add(tensor);
  for (const operand of tensor.node.inputs) leavesOf(operand, found);
  return found;
}

describe.skipIf(withoutWebGpu !== undefined)("on a GPU", () => {
  let device: WebGpuDevice;
  beforeAll(async () => {
    device = await openWebGpu();
  });
  afterAll(() => device.close());

  const results = async (on: Device, out: Tensor) => {
    const leaves = [...leavesOf(out)];
    const inputs = Object.fromEntries(leaves.map((leaf, i) => [`x${i}`, leaf]));
    const program = compile(on, { inputs, outputs: { out } });
    const feed = Object.fromEntries(leaves.map(({ shape }, i) => [`x${i}`, numbers(shape, i)]));
    const { data } = (await program.run(feed)).out;
    const { intervals } = program;
    program.dispose();
    return { data, intervals };
  };

  it.each(Object.entries(programs))("%s gives the reference's numbers in fewer dispatches", async (_, { out, riders }) => {
    const own = await results(device, out);
    const truth = await results(reference(), out);
    expect(own.intervals).toBe(riders.length - 1);
    for (const [i, value] of truth.data.entries()) expect(own.data[i]).toBeCloseTo(value, 4);
  });
});
