/** What a WebGPU device makes of limits that are smaller than its adapter's. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { add, mul, square } from "../../src/autograd/ops/elementwise.js";
import { matmul } from "../../src/autograd/ops/matmul.js";
import { sum } from "../../src/autograd/ops/reduce.js";
import { input, type Tensor } from "../../src/autograd/tensor.js";
import type { KernelCall } from "../../src/backend/calls.js";
import type { Device } from "../../src/backend/device.js";
import { reference } from "../../src/backend/reference/device.js";
import { WebGpuDevice } from "../../src/backend/webgpu/device.js";
import type { Place } from "../../src/backend/webgpu/memory.js";
import { webgpuPlanning } from "../../src/backend/webgpu/planning.js";
import type { GpuDevice, GpuLimits } from "../../src/base/gpu.js";
import { normalNumbers } from "../../src/base/random.js";
import { compile } from "../../src/program/program.js";
import { presets } from "../../src/ptdit/presets.js";
import { buildWorkload } from "../../src/ptdit/workload.js";
import { openLimited, withoutWebGpu } from "../webgpu.js";
import { fakeGpu } from "./fakeGpu.js";
import { largestCases, outcomeOf } from "./guarded.js";
import { type Numbers, sameBits } from "./kernelHarness.js";

/** Sums of all keep each value in memory until the last is made. */
const x = input([6000]);
const values = Array.from({ length: 5 }, (_, i) => mul(x, add(sum(x), i)));
const y = values.reduce((all, value) => add(all, mul(value, sum(value))));
const feed = { x: Float32Array.from({ length: 6000 }, (_, i) => (i % 13) / 1e4) };

/** A device on a GPU that computes nothing, and how many buffers its widest dispatch binds. */
function onFakeGpu(limits: Partial<GpuLimits>) {
  const { gpu, adapter } = fakeGpu(limits);
  const bind = vi.spyOn(gpu, "createBindGroup");
  const widest = () => Math.max(...bind.mock.calls.map(([{ entries }]) => entries.length - 1));
  return { device: new WebGpuDevice(gpu, adapter, "a test's"), widest };
}

describe("limits of a made-up GPU", () => {
  it.each(["baseline", "clean"] as const)("where 8 or 10 buffers are bound at once, no dispatch of %s is split", (recipe) => {
    const dispatchesOn = (on: Device, preset: "nano" | "small", mode: "sample" | "train") =>
      buildWorkload(on, presets[preset], { mode, recipe }).program.intervals;
    for (const [most, preset, mode, bar] of [
      [8, "nano", "sample", 150],
      [10, "nano", "sample", 150],
      [8, "nano", "train", 500],
      [8, "small", "train", 500],
    ] as const) {
      const { device, widest } = onFakeGpu({ maxStorageBuffersPerShaderStage: most });
      const dispatches = dispatchesOn(device, preset, mode);
      expect(dispatches).toBeLessThanOrEqual(bar);
      expect(dispatches).toBe(dispatchesOn(webgpuPlanning(), preset, mode));
      expect(widest()).toBeLessThanOrEqual(5);
    }
  });

  it("a program that binds more buffers than the adapter does is refused, with the numbers and the cure", () => {
    expect(() => compile(onFakeGpu({ maxStorageBuffersPerShaderStage: 0 }).device, { inputs: { x }, outputs: { y } })).toThrow(
      /^webgpu: a call of the program uses \d buffers of the device, and the adapter binds 0 at once\. Give inputs as one tensor/,
    );
  });

  it("calls that need more workgroup memory together than there is are not joined, and one that does is refused", () => {
    // By what their files have: 1,920 numbers, 72 pairs, and 72 triples of which each takes 16 bytes.
    const calls = ["attention", "softmaxGrad", "layerNormGrad"].map((kernel) => largestCases(kernel)[0]);
    const bytes = [7680, 576, 1152];
    const together = bytes.reduce((sum, own) => sum + own);
    const dispatchesOf = (maxComputeWorkgroupStorageSize: number) =>
      outcomeOf(onFakeGpu({ maxComputeWorkgroupStorageSize }).device, calls).dispatches;
    expect([16_384, together, together - 1, bytes[0]].map(dispatchesOf)).toEqual([1, 1, 2, 3]);
    expect(() => dispatchesOf(bytes[0] - 1)).toThrow(
      "webgpu: a call of the program needs 7680 bytes of workgroup memory, and the adapter has 7679. Use another adapter, or wasm().",
    );
  });
});

describe.skipIf(withoutWebGpu !== undefined)("a WebGPU device with small limits", () => {
  const devices: WebGpuDevice[] = [];
  afterEach(() => {
    for (const device of devices.splice(0)) device.close();
  });
  async function open(limits: Partial<GpuLimits>): Promise<WebGpuDevice> {
    const device = await openLimited(limits);
    devices.push(device);
    return device;
  }

  it("cuts an arena into several buffers, of which a dispatch binds more than one", async () => {
    const device = await open({ maxBufferSize: 30_000 });
    const allocate = vi.spyOn(device, "allocate");
    const bind = vi.spyOn(Reflect.get(device, "gpu") as GpuDevice, "createBindGroup");
    const program = compile(device, { inputs: { x }, outputs: { y } });
    expect(program.bytes.arena).toBeGreaterThan(30_000);
    const places = allocate.mock.results.map(({ value }) => (value as { readonly place: Place }).place.buffer);
    const arena = new Set(places.filter((_, i) => allocate.mock.calls[i][2] === "scratch"));
    expect(arena.size).toBeGreaterThan(1);
    for (const { size } of arena) expect(size).toBeLessThanOrEqual(30_000);
    const bound = bind.mock.calls.map(([{ entries }]) => entries.filter(({ resource }) => arena.has(resource.buffer)).length);
    expect(Math.max(...bound)).toBeGreaterThan(1);
    const [got, want] = [await program.run(feed), await compile(reference(), { inputs: { x }, outputs: { y } }).run(feed)];
    got.y.data.forEach((value, i) => expect(value).toBeCloseTo(want.y.data[i], 5));
  });

  it("comes to the same bits where calls that run at once bind too many buffers: they run in several dispatches", async () => {
    // Each operand and each result has a buffer of its own.
    const [inputs, outputs]: Record<string, Tensor>[] = [{}, {}];
    for (let i = 0; i < 3; i++) {
      const [x, w] = [input([48, 60]), input([60, 48])];
      const y = square(add(matmul(x, w), i));
      Object.assign(inputs, { [`x${i}`]: x, [`w${i}`]: w });
      Object.assign(outputs, { [`y${i}`]: y, [`total${i}`]: sum(y) });
    }
    const numbers = Object.keys(inputs).map((name, i) => [name, Float32Array.from(normalNumbers(2880, 3, i))]);
    const outcome = async (limits: Partial<GpuLimits>) => {
      const device = await open({ maxBufferSize: 16_000, ...limits });
      const program = compile(device, { inputs, outputs });
      return { values: await program.run(Object.fromEntries(numbers)), dispatches: program.intervals };
    };
    const many = await outcome({});
    const [portable, few] = [
      await outcome({ maxStorageBuffersPerShaderStage: 8 }),
      await outcome({ maxStorageBuffersPerShaderStage: 4 }),
    ];
    expect(many.dispatches).toBeLessThan(portable.dispatches);
    expect(portable.dispatches).toBeLessThan(few.dispatches);
    expect(portable.values).toEqual(many.values);
    expect(few.values).toEqual(many.values);
    expect(many.values.y2.data.some((value) => value > 1)).toBe(true);
  });

  it("folds rows, products, attention and joins that have more workgroups than a dimension", async () => {
    const [usual, folding] = [await open({}), await open({ maxComputeWorkgroupsPerDimension: 3 })];
    const rows = ["attention", "layerNorm", "softmaxGrad"].map((kernel) => largestCases(kernel)[0]);
    const products = ["matmul", "layerNormSums", "reduce"].map((kernel) => largestCases(kernel)[0]);
    const dispatched = vi.spyOn(Reflect.get(folding, "loader") as { fold(groups: number): readonly number[] }, "fold");
    const lists: (readonly KernelCall<Numbers>[])[] = [...rows, ...products].map((call) => [call]);
    for (const calls of [...lists, rows, products]) {
      const [got, want] = [outcomeOf(folding, calls), outcomeOf(usual, calls)];
      expect(got.dispatches).toBe(want.dispatches);
      const [words, wanted] = [await got.words(), await want.words()];
      expect(words.map((own, i) => sameBits(own, wanted[i]))).toEqual(wanted.map(() => true));
    }
    const grids = dispatched.mock.results.map(({ value }) => value as readonly [number, number]);
    expect(grids.filter(([, height]) => height > 1).length).toBe(grids.length);
    for (const [width] of grids) expect(width).toBeLessThanOrEqual(3);
  });
});
