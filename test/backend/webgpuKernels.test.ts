import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { callBuffers, mapBuffers } from "../../src/backend/calls.js";
import type { Slot } from "../../src/backend/device.js";
import { kernelNames } from "../../src/backend/kernels/index.js";
import type { WebGpuDevice } from "../../src/backend/webgpu/device.js";
import { openWebGpu, withoutWebGpu } from "../webgpu.js";
import { canary, guarded, margin } from "./guarded.js";
import { cases } from "./kernelCases.js";
import { type Case, deviation, expected, type Numbers, sameBits } from "./kernelHarness.js";
import { type Name, toleranceOf } from "./kernelTolerances.js";

const names: readonly Name[] = [...kernelNames, "fused", "reduce"];
/** WGSL may assume that numbers are finite. */
const isPlain = ({ call }: Case): boolean =>
  callBuffers(call).every(({ buffer }) => buffer.data.every((x) => Number.isFinite(x))) &&
  expected(call).every((numbers) => numbers.every((x) => Number.isFinite(x)));
/** Without float64, angles are exact up to 2²⁰; times end at 1000. */
const isReducible = ({ name }: Case): boolean => !name.startsWith("sinusoid of large times");
const all = cases().filter((own) => isPlain(own) && isReducible(own));

describe.skipIf(withoutWebGpu !== undefined)("WebGPU kernels", () => {
  let device: WebGpuDevice;
  beforeAll(async () => {
    device = await openWebGpu();
  });
  afterAll(() => device.close());

  /** What a call leaves in its buffers, and whether the words around them are as they were. */
  async function outcome({
    call,
  }: Case): Promise<{ readonly numbers: readonly ArrayLike<number>[]; readonly intact: boolean }> {
    const places = new Map<Numbers, Slot>();
    const place = (buffer: Numbers): Slot => {
      const slot = places.get(buffer) ?? guarded(device, buffer);
      places.set(buffer, slot);
      return slot;
    };
    const executable = device.load([mapBuffers(call, place)]);
    executable.run();
    const numbers = await Promise.all(
      callBuffers(call).map(({ buffer }) => device.read(place(buffer), buffer.data.length, buffer.type)),
    );
    const around = await Promise.all(
      [...places].flatMap(([{ data }, { storage, offset }]) => [
        device.read({ storage, offset: 0 }, margin, "f32"),
        device.read({ storage, offset: offset + data.length }, margin, "f32"),
      ]),
    );
    executable.dispose();
    for (const { storage } of places.values()) device.release(storage);
    return { numbers, intact: around.every((words) => words.every((word) => word === canary)) };
  }

  for (const kernel of names) {
    it(`${kernel}: the reference's numbers, the same bits again, and nothing else written`, async () => {
      const own = all.filter(({ call }) => call.kernel === kernel);
      expect(own).not.toEqual([]);
      // All at once: their shaders compile beside each other.
      const outcomes = await Promise.all(own.map(async (testCase) => [await outcome(testCase), await outcome(testCase)]));
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
