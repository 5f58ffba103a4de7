import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { KernelCall } from "../../src/backend/calls.js";
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
import { largestCases, outcomeOf } from "./guarded.js";
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

  /** What calls leave in their buffers and around them, loaded one by one or all at once. */
  async function outcome(calls: readonly KernelCall<Numbers>[], atOnce: boolean) {
    const all = (atOnce ? [calls] : calls.map((call) => [call])).map((list) => outcomeOf(device, list));
    const words = (await Promise.all(all.map((own) => own.words()))).flat();
    return { words, dispatches: all.reduce((sum, { dispatches }) => sum + dispatches, 0) };
  }

  it.each([
    ["rows of 64 lanes", ["attention", "softmax", "softmaxGrad", "layerNorm", "layerNormGrad", "gatherRows"]],
    ["gradients of attention and norms", ["attentionGrad", "attention", "layerNormGrad", "softmaxGrad", "layerNorm"]],
    ["products, sums and elements of 256 lanes", ["matmul", "reduce", "layerNormSums", "fused", "gatherRows", "adamW"]],
    ["elements", ["uniform", "normal", "sinusoid", "copyStrided", "fill", "toF32", "argMax", "fold"]],
  ])("of %s leave the bits that each leaves by itself, and nothing else", async (_, kernels) => {
    const calls = kernels.flatMap((kernel) => largestCases(kernel));
    const [together, apart] = [await outcome(calls, true), await outcome(calls, false)];
    expect(together.dispatches).toBe(1);
    expect(apart.dispatches).toBe(calls.length);
    expect(together.words.map((words, i) => sameBits(words, apart.words[i]))).toEqual(apart.words.map(() => true));
  });

  it("of one shader share its text, and leave the bits that each leaves by itself", async () => {
    const [product, other] = largestCases("matmul", 2);
    const calls = [product, other, product, ...largestCases("layerNormSums"), product];
    const [together, apart] = [await outcome(calls, true), await outcome(calls, false)];
    expect(together.dispatches).toBe(1);
    expect(together.words.map((words, i) => sameBits(words, apart.words[i]))).toEqual(apart.words.map(() => true));
  });
});
