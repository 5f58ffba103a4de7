/** Results that are made again where they are read, instead of being waited for. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { input, type Tensor } from "../../src/autograd/tensor.js";
import { reference } from "../../src/backend/reference/device.js";
import type { WebGpuDevice } from "../../src/backend/webgpu/device.js";
import { joinsOf } from "../../src/backend/webgpu/joins.js";
import { ofSlots } from "../../src/backend/webgpu/places.js";
import { add, fold, layerNorm, matmul, mul, permuteRows, sinusoid, slice, softmax, sum, transpose } from "../../src/index.js";
import { openWebGpu, withoutWebGpu } from "../webgpu.js";
import { callsOf, resultsOf } from "./smallPrograms.js";

const [x, w] = [input([20, 24]), input([24, 32])];
const rows = input([2, 3, 8]);
const order = Int32Array.of(2, 0, 1);
/** Two halves of a copy. */
const halves = (copy: Tensor) => mul(slice(copy, 0, 0, 12), slice(copy, 0, 12, 24));

/** Programs, and the kernels of each dispatch; those that make again what they read have a star. */
const programs: Readonly<Record<string, { readonly out: Tensor; readonly joins: readonly string[] }>> = {
  "rows in another order, of a norm": { out: layerNorm(permuteRows(rows, order)), joins: ["gatherRows layerNorm*"] },
  "short sums, of a product": {
    out: matmul(sum(input([20, 4, 24]), 1), w),
    joins: ["reduce matmul*"],
  },
  "the halves of a copy, one of which begins within it": {
    out: halves(transpose(x)),
    joins: ["copyStrided fused*"],
  },
  "times that are scaled, of sinusoids": { out: sinusoid(mul(input([5]), 1000)), joins: ["fused sinusoid*"] },
  "pictures of patches that overlap": {
    out: layerNorm(fold(input([1, 4, 32]), [4, 4], [4, 4], { stride: 2, padding: 1 })),
    joins: ["fold layerNorm*"],
  },
  "what is itself of what is made again": {
    out: layerNorm(permuteRows(mul(rows, 2), order)),
    joins: ["fused gatherRows* layerNorm*"],
  },
};

/** Programs whose last call waits for the one before. */
const waiting: Readonly<Record<string, Tensor>> = {
  "sums of many rows": layerNorm(sum(input([200, 24]), 0, true)),
  "a norm, which needs its whole row for every element": matmul(layerNorm(x), w),
  "what a softmax reads, who reads it again and again": softmax(transpose(x)),
};

const joinsIn = (out: Tensor) =>
  joinsOf(callsOf(out), ofSlots).map((join) =>
    join.map(({ call, sources }) => call.kernel + (sources.size > 0 ? "*" : "")).join(" "),
  );

describe("what is made again where it is read", () => {
  it.each(Object.entries(programs))("is %s", (_, { out, joins }) => {
    expect(joinsIn(out)).toEqual(joins);
  });

  it.each(Object.entries(waiting))("is not %s", (_, out) => {
    expect(joinsIn(out).length).toBe(2);
  });
});

describe.skipIf(withoutWebGpu !== undefined)("on a GPU", () => {
  let device: WebGpuDevice;
  beforeAll(async () => {
    device = await openWebGpu();
  });
  afterAll(() => device.close());

  it.each(Object.entries(programs))("%s: the reference's numbers in one dispatch", async (_, { out }) => {
    const own = await resultsOf(device, out);
    const truth = await resultsOf(reference(), out);
    expect(own.intervals).toBe(1);
    for (const [i, value] of truth.data.entries()) expect(own.data[i]).toBeCloseTo(value, 4);
  });

  it("leaves what others read of it in its place", async () => {
    const copy = transpose(x);
    const out = add(sum(halves(copy)), sum(softmax(copy)));
    const [own, truth] = [await resultsOf(device, out), await resultsOf(reference(), out)];
    expect(own.data[0]).toBeCloseTo(truth.data[0], 3);
  });
});
