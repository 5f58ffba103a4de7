import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callBuffers, type KernelCall, mapBuffers } from "../../src/backend/calls.js";
import type { Executable, Slot } from "../../src/backend/device.js";
import { ReferenceDevice, reference, referenceTarget } from "../../src/backend/reference/device.js";
import type { Target } from "../../src/backend/target.js";
import type { WebGpuDevice } from "../../src/backend/webgpu/device.js";
import { joinsOf } from "../../src/backend/webgpu/joins.js";
import { ofSlots } from "../../src/backend/webgpu/places.js";
import { webgpuPlanning } from "../../src/backend/webgpu/planning.js";
import { scheduled } from "../../src/backend/webgpu/schedule.js";
import { readParameter, releaseParameters } from "../../src/program/parameters.js";
import { compile } from "../../src/program/program.js";
import { presets } from "../../src/ptdit/presets.js";
import { buildWorkload } from "../../src/ptdit/workload.js";
import { type RandomGraph, randomGraph } from "../program/randomGraphs.js";
import { openWebGpu, withoutWebGpu } from "../webgpu.js";
import { guarded, margin } from "./guarded.js";
import { cases } from "./kernelCases.js";
import { type Numbers, sameBits } from "./kernelHarness.js";

/** Runs what is joined backwards, but for what is made again of another's result, which is read here: as good an order as any, if nothing
 *  of it waits for anything else of it. */
class BackwardsDevice extends ReferenceDevice {
  override readonly target: Target = { ...referenceTarget, schedule: scheduled };
  joined = 0;

  override load(calls: readonly KernelCall<Slot>[]): Executable {
    const joins = joinsOf(calls, ofSlots);
    this.joined += joins.filter(({ length }) => length > 1).length;
    const backwards = joins.flatMap((join) => [
      ...join.filter(({ sources }) => sources.size === 0).reverse(),
      ...join.filter(({ sources }) => sources.size > 0),
    ]);
    return super.load(backwards.flatMap(({ call, rider }) => (rider ? [call, rider.call] : [call])));
  }
}

describe("calls that run at once", () => {
  it("come after what they read and before what overwrites it, and share no memory: random graphs give the same bits", async () => {
    const [straight, backwards] = [reference(), new BackwardsDevice()];
    const outcome = async (device: ReferenceDevice, { inputs, feed, outputs, updates }: RandomGraph) => {
      const program = compile(device, { inputs, outputs, updates });
      const results = await program.run(feed);
      const parameters = updates.map(([parameter]) => parameter);
      const values = await Promise.all(parameters.map((parameter) => readParameter(device, parameter)));
      program.dispose();
      releaseParameters(device, parameters);
      return [...Object.values(results).map(({ data }) => data), ...values];
    };
    await fc.assert(
      fc.asyncProperty(randomGraph, async (graph) => {
        expect(await outcome(backwards, graph)).toEqual(await outcome(straight, graph));
      }),
      { numRuns: 500 },
    );
    expect(backwards.joined).toBeGreaterThan(100);
  });

  it.each([
    ["baseline", 305, 315],
    ["clean", 315, 325],
  ] as const)("are one dispatch: half of a step of %s are saved, and one of five in sampling", (recipe, nano, small) => {
    const dispatches = (preset: "nano" | "small", mode: "train" | "sample") =>
      buildWorkload(webgpuPlanning(), presets[preset], { mode, recipe }).program.intervals;
    expect(dispatches("nano", "train")).toBeLessThanOrEqual(nano);
    expect(dispatches("small", "train")).toBeLessThanOrEqual(small);
    expect(dispatches("nano", "sample")).toBeLessThanOrEqual(150);
  });
});

describe.skipIf(withoutWebGpu !== undefined)("joined calls on a GPU", () => {
  let device: WebGpuDevice;
  beforeAll(async () => {
    device = await openWebGpu();
  });
  afterAll(() => device.close());

  /** What calls leave in their buffers and around them, loaded one by one or all at once, each with memory of its own. */
  async function outcome(calls: readonly KernelCall<Numbers>[], atOnce: boolean) {
    const slots: { readonly slot: Slot; readonly elements: number }[] = [];
    const bound = calls.map((call) => {
      const places = new Map<Numbers, Slot>();
      return mapBuffers(call, (buffer) => {
        const known = places.get(buffer);
        if (known) return known;
        const slot = guarded(device, buffer);
        places.set(buffer, slot);
        slots.push({ slot: { ...slot, offset: 0 }, elements: buffer.data.length + 2 * margin });
        return slot;
      });
    });
    const executables = atOnce ? [device.load(bound)] : bound.map((call) => device.load([call]));
    for (const executable of executables) executable.run();
    const words = await Promise.all(slots.map(({ slot, elements }) => device.read(slot, elements, "i32")));
    for (const executable of executables) executable.dispose();
    for (const { slot } of slots) device.release(slot.storage);
    return {
      words: words.map((own) => own as Int32Array),
      dispatches: executables.reduce((sum, { intervals }) => sum + intervals, 0),
    };
  }

  const all = cases().map(({ call }) => call);
  /** The calls of a kernel that need the most memory. */
  const largest = (kernel: string, count = 1) =>
    all
      .filter((call) => call.kernel === kernel)
      .map((call) => ({ call, elements: callBuffers(call).reduce((sum, { elements }) => sum + elements, 0) }))
      .sort((a, b) => b.elements - a.elements)
      .slice(0, count)
      .map(({ call }) => call);

  it.each([
    ["rows of 64 lanes", ["attention", "softmax", "softmaxGrad", "layerNorm", "layerNormGrad", "rmsNorm", "gatherRows"]],
    ["gradients of attention and norms", ["attentionGrad", "attention", "layerNormGrad", "softmaxGrad", "layerNorm"]],
    ["products, sums and elements of 256 lanes", ["matmul", "reduce", "layerNormSums", "fused", "gatherRows", "adamW"]],
    ["elements", ["uniform", "normal", "sinusoid", "copyStrided", "fill", "toF32", "argMax", "fold"]],
  ])("of %s leave the bits that each leaves by itself, and nothing else", async (_, kernels) => {
    const calls = kernels.flatMap((kernel) => largest(kernel));
    const [together, apart] = [await outcome(calls, true), await outcome(calls, false)];
    expect(together.dispatches).toBe(1);
    expect(apart.dispatches).toBe(calls.length);
    expect(together.words.map((words, i) => sameBits(words, apart.words[i]))).toEqual(apart.words.map(() => true));
  });

  it("of one shader share its text, and leave the bits that each leaves by itself", async () => {
    const [product, other] = largest("matmul", 2);
    const calls = [product, other, product, ...largest("layerNormSums"), product];
    const [together, apart] = [await outcome(calls, true), await outcome(calls, false)];
    expect(together.dispatches).toBe(1);
    expect(together.words.map((words, i) => sameBits(words, apart.words[i]))).toEqual(apart.words.map(() => true));
  });
});
