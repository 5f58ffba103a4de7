import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { kernelNames } from "../../src/backend/kernels/index.js";
import type { WebGpuDevice } from "../../src/backend/webgpu/device.js";
import { openPlainly, openWebGpu, withoutWebGpu } from "../webgpu.js";
import type { Name } from "./kernelTolerances.js";
import { faultsOf, webgpuCases } from "./webgpuCases.js";

const names: readonly Name[] = [...kernelNames, "fused", "reduce"];
const all = webgpuCases();

/** Kernels whose lanes put together what each has, by subgroups where the adapter has them. */
const shared: readonly Name[] = ["softmax", "softmaxGrad", "layerNorm", "layerNormGrad", "reduce"];

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
      const faults = await Promise.all(own.map((one) => faultsOf(device, one)));
      expect(faults.flat()).toEqual([]);
    });
  }
});
