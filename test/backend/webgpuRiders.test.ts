import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { input, type Tensor } from "../../src/autograd/tensor.js";
import type { KernelCall } from "../../src/backend/calls.js";
import type { Slot } from "../../src/backend/device.js";
import { reference } from "../../src/backend/reference/device.js";
import type { WebGpuDevice } from "../../src/backend/webgpu/device.js";
import { ofSlots } from "../../src/backend/webgpu/places.js";
import { ridersOf as ridersAt } from "../../src/backend/webgpu/riders.js";
import { add, gelu, linear, matmul, mul, permuteRows, sum, transpose } from "../../src/index.js";
import { openWebGpu, withoutWebGpu } from "../webgpu.js";
import { callsOf, resultsOf } from "./smallPrograms.js";

const ridersOf = (calls: readonly KernelCall<Slot>[]) => ridersAt(calls, ofSlots);
const shown = (calls: readonly KernelCall<Slot>[]) => ridersOf(calls).map((rider, i) => [calls[i].kernel, rider?.output]);

const [x, w, b] = [input([20, 24]), input([32, 24]), input([32])];
const row = input([1, 32]);

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
    expect(shown(callsOf(out))).toEqual(riders);
  });

  it("reads its result in order, and nothing else that the call writes", () => {
    const turned = callsOf(add(transpose(matmul(x, transpose(w))), 1));
    expect(ridersOf(turned).filter(Boolean)).toEqual([]);
    // A column of sums over the product: as many elements, another walk.
    const calls = callsOf(add(linear(x, w), sum(linear(x, w), 0)));
    const last = calls[calls.length - 1];
    expect(ridersOf(calls)[calls.length - 2]).toBeUndefined();
    expect(last.kernel).toBe("fused");
  });

  it("writes nothing that others may still read", () => {
    const storage = { elements: 4096 };
    const at = (offset: number): Slot => ({ storage, offset });
    const sizes = { batch: 1, m: 4, n: 4, k: 4, strideA: 0, strideB: 0, strideC: 0 };
    const product = (c: number): KernelCall<Slot> => {
      const [found] = callsOf(linear(x, w));
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

describe.skipIf(withoutWebGpu !== undefined)("on a GPU", () => {
  let device: WebGpuDevice;
  beforeAll(async () => {
    device = await openWebGpu();
  });
  afterAll(() => device.close());

  it.each(Object.entries(programs))("%s gives the reference's numbers in fewer dispatches", async (_, { out, riders }) => {
    const own = await resultsOf(device, out);
    const truth = await resultsOf(reference(), out);
    expect(own.intervals).toBe(riders.length - 1);
    for (const [i, value] of truth.data.entries()) expect(own.data[i]).toBeCloseTo(value, 4);
  });
});
