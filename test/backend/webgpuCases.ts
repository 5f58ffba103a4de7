/** What WebGPU's kernels are held to, in Node and in a worker of a browser. */
import { callBuffers } from "../../src/backend/calls.js";
import type { Device } from "../../src/backend/device.js";
import { outcomeOn } from "./guarded.js";
import { cases } from "./kernelCases.js";
import { type Case, deviation, expected, sameBits } from "./kernelHarness.js";
import { toleranceOf } from "./kernelTolerances.js";

/** WGSL may assume that numbers are finite. */
const isPlain = ({ call }: Case): boolean =>
  callBuffers(call).every(({ buffer }) => buffer.data.every((x) => Number.isFinite(x))) &&
  expected(call).every((numbers) => numbers.every((x) => Number.isFinite(x)));
/** Without float64, angles are exact up to 2²⁰; times end at 1000. */
const isReducible = ({ name }: Case): boolean => !name.startsWith("sinusoid of large times");
export const webgpuCases = (): Case[] => cases().filter((own) => isPlain(own) && isReducible(own));

/** What is wrong with a call that a device runs twice: numbers that are not the reference's, other bits the second time, words written
 *  beside the buffers. */
export async function faultsOf(device: Device, own: Case): Promise<string[]> {
  const { name, call } = own;
  const [first, second] = [await outcomeOn(device, own), await outcomeOn(device, own)];
  const [relative, absolute] = toleranceOf(call.kernel);
  const want = expected(call);
  const faults = callBuffers(call).flatMap(({ name: argument }, i) => {
    const far = deviation(first.numbers[i], want[i], relative, absolute);
    return [
      ...(far <= 1 ? [] : [`${name}: ${argument} is ${far} times the tolerance away`]),
      ...(sameBits(first.numbers[i], second.numbers[i]) ? [] : [`${name}: ${argument} has other bits the second time`]),
    ];
  });
  return first.intact && second.intact ? faults : [...faults, `${name}: words around the buffers were written`];
}
