/** How dispatches are put into submits, on a GPU that is made up. */
import { expect, it } from "vitest";
import { type KernelCall, mapBuffers } from "../../src/backend/calls.js";
import type { Slot, Storage } from "../../src/backend/device.js";
import { WebGpuDevice } from "../../src/backend/webgpu/device.js";
import { fakeGpu } from "./fakeGpu.js";
import { cases } from "./kernelCases.js";
import type { Numbers } from "./kernelHarness.js";

type Product<B> = Extract<KernelCall<B>, { readonly kernel: "matmul" }>;
const [plain] = cases().flatMap(({ call }): Product<Numbers>[] => (call.kernel === "matmul" ? [call] : []));

/** A device whose pipelines have compiled, what runs of calls submit, and in how many dispatches they are loaded. */
function opened() {
  const { gpu, adapter, events } = fakeGpu({ maxStorageBuffersPerShaderStage: 16 });
  const quick = { ...gpu, createComputePipelineAsync: async () => ({ label: "dispatch" }) };
  const device = new WebGpuDevice(quick, adapter, "a test's");
  const submitsOf = async (calls: readonly KernelCall<Slot>[]) => {
    const executable = device.load(calls);
    await device.settled();
    events.length = 0;
    executable.run();
    return { submits: events.map((event) => event.split("dispatch").length - 1), dispatches: executable.intervals };
  };
  const operand = device.allocate(3000 ** 2, "an operand");
  /** A square product, of memory of its own that it writes. */
  const product = (side: number, c: Storage): KernelCall<Slot> => {
    const { kernel, args } = plain;
    const sizes = { m: side, n: side, k: side, batch: 1, strideA: side * side, strideB: side * side, strideC: side * side };
    return mapBuffers(
      { kernel, args: { ...args, ...sizes, sums: null } },
      (buffer): Slot => ({ storage: buffer === args.c ? c : operand, offset: 0 }),
    );
  };
  return { device, submitsOf, product };
}

// A slow GPU takes 18 ms for a product of 1,500 rows and columns, as `loader.ts` guesses, and 140 ms for one of 3,000.

it("what would take a slow GPU more than 100 ms is cut into several", async () => {
  const { device, submitsOf, product } = opened();
  const c = device.allocate(1500 ** 2, "a result");
  const one = product(1500, c);
  expect(await submitsOf(Array.from({ length: 5 }, () => one))).toEqual({ submits: [5], dispatches: 5 });
  expect(await submitsOf(Array.from({ length: 12 }, () => one))).toEqual({ submits: [5, 5, 2], dispatches: 12 });
});

it("a call that takes longer than that has one of its own", async () => {
  const { device, submitsOf, product } = opened();
  const c = device.allocate(3000 ** 2, "a result");
  const fill: KernelCall<Slot> = { kernel: "fill", args: { y: { storage: c, offset: 0 }, n: 64, value: 1 } };
  expect(await submitsOf([fill, product(3000, c), fill, fill])).toEqual({ submits: [1, 1, 2], dispatches: 4 });
});

it("calls that could run at once are not joined where they would take longer than that", async () => {
  const { device, submitsOf, product } = opened();
  const independent = (count: number) =>
    Array.from({ length: count }, () => product(1500, device.allocate(1500 ** 2, "a result")));
  expect(await submitsOf(independent(4))).toEqual({ submits: [1], dispatches: 1 });
  expect(await submitsOf(independent(8))).toEqual({ submits: [1, 1], dispatches: 2 });
});
