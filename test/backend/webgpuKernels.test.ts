import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callBuffers } from "../../src/backend/calls.js";
import { kernelNames } from "../../src/backend/kernels/index.js";
import type { WebGpuDevice } from "../../src/backend/webgpu/device.js";
import { openPlainly, openWebGpu, withoutWebGpu } from "../webgpu.js";
import { outcomeOn } from "./guarded.js";
import { cases } from "./kernelCases.js";
import { type Case, deviation, expected, sameBits } from "./kernelHarness.js";
import { type Name, toleranceOf } from "./kernelTolerances.js";

const names: readonly Name[] = [...kernelNames, "fused", "reduce"];
/** WGSL may assume that numbers are finite. */
const isPlain = ({ call }: Case): boolean =>
  callBuffers(call).every(({ buffer }) => buffer.data.every((x) => Number.isFinite(x))) &&
  expected(call).every((numbers) => numbers.every((x) => Number.isFinite(x)));
/** Without float64, angles are exact up to 2²⁰; times end at 1000. */
const isReducible = ({ name }: Case): boolean => !name.startsWith("sinusoid of large times");
const all = cases().filter((own) => isPlain(own) && isReducible(own));

/** Kernels whose lanes put together what each has, by subgroups where the adapter has them. */
const shared: readonly Name[] = ["softmax", "softmaxGrad", "layerNorm", "layerNormGrad", "rmsNorm", "reduce"];

describe.skipIf(withoutWebGpu !== undefined).each([
  { how: "", kernels: names, open: openWebGpu },
  { how: ", in workgroup memory alone", kernels: shared, open: () => openPlainly({ subgroups: false }) },
])("WebGPU kernels$how", ({ kernels, open }) => {
  let device: WebGpuDevice;
  beforeAll(async () => {
    device = await open();
  });
  afterAll(() => device.close());

  for (const kernel of kernels) {
    it(`${kernel}: the reference's numbers, the same bits again, and nothing else written`, async () => {
      const own = all.filter(({ call }) => call.kernel === kernel);
      expect(own).not.toEqual([]);
      // All at once: their shaders compile beside each other.
      const outcomes = await Promise.all(
        own.map(async (testCase) => [await outcomeOn(device, testCase), await outcomeOn(device, testCase)]),
      );
      for (const [index, { name, call }] of own.entries()) {
        const [first, second] = outcomes[index];
        const [relative, absolute] = toleranceOf(kernel);
        const want = expected(call);
        callBuffers(call).forEach(({ name: argument }, i) => {
          const far = deviation(first.numbers[i], want[i], relative, absolute);
          expect(far, `${name}: ${argument}, in units of the tolerance`).toBeLessThanOrEqual(1);
          expect(sameBits(first.numbers[i] as Float32Array, second.numbers[i] as Float32Array), name).toBe(true);
        });
        expect([first.intact, second.intact], `${name}: words around the buffers`).toEqual([true, true]);
      }
    });
  }
});
