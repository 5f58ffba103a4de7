/** What WebGPU's kernels are held to, in Node and in a worker of a browser. */
import { callBuffers, mapBuffers } from "../../src/backend/calls.js";
import type { Device } from "../../src/backend/device.js";
import { outcomeOn } from "./guarded.js";
import { cases } from "./kernelCases.js";
import { type Case, deviation, expected, type Numbers, sameBits } from "./kernelHarness.js";
import { toleranceOf } from "./kernelTolerances.js";

/** The largest number, and the largest angle whose sine is exact without float64. */
const [largest, largestAngle] = [3.4028234663852886e38, 2 ** 20];

/** A case without NaN and infinities, which WGSL may assume that there are none of: the largest numbers stand for infinities. Angles
 *  end where sines do. */
function finite({ name, call }: Case): Case {
  const limit = /^(fused (sin|cos)|sinusoid)\b/.test(name) ? largestAngle : largest;
  const copies = new Map<Numbers, Numbers>();
  const copy = (buffer: Numbers): Numbers => {
    const data = buffer.data.map((x) => (Number.isNaN(x) ? 0 : Math.max(-limit, Math.min(x, limit))));
    const own = copies.get(buffer) ?? { ...buffer, data };
    copies.set(buffer, own);
    return own;
  };
  return { name, call: mapBuffers(call, copy) };
}
export const webgpuCases = (): Case[] => cases().map(finite);

/** What results are held to: a result that is not finite, in float32, may be anything. */
const held = (want: Float64Array, got: ArrayLike<number>): Float64Array =>
  want.map((x, i) => (Number.isFinite(Math.fround(x)) ? x : got[i]));

/** What is wrong with a call that a device runs twice: numbers that are not the reference's, other bits the second time, words written
 *  beside the buffers. */
export async function faultsOf(device: Device, own: Case): Promise<string[]> {
  const { name, call } = own;
  const [first, second] = [await outcomeOn(device, own), await outcomeOn(device, own)];
  const [relative, absolute] = toleranceOf(call.kernel);
  const want = expected(call);
  const faults = callBuffers(call).flatMap(({ name: argument }, i) => {
    const far = deviation(first.numbers[i], held(want[i], first.numbers[i]), relative, absolute);
    return [
      ...(far <= 1 ? [] : [`${name}: ${argument} is ${far} times the tolerance away`]),
      ...(sameBits(first.numbers[i], second.numbers[i]) ? [] : [`${name}: ${argument} has other bits the second time`]),
    ];
  });
  return first.intact && second.intact ? faults : [...faults, `${name}: words around the buffers were written`];
}
