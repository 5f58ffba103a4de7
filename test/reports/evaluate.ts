/** Values of a function of tensors, on a device. */

import { input, type Tensor } from "../../src/autograd/tensor.js";
import type { Device } from "../../src/backend/device.js";
import { reference } from "../../src/backend/reference/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { sizeOf } from "../../src/base/shape.js";
import { compile } from "../../src/program/program.js";

/** An argument: its shape and its numbers; one number alone fills it. */
export type Argument = readonly [shape: readonly number[], numbers: number | ArrayLike<number>];

/** The float64 reference, and the WASM kernels with and without fused multiply-add. */
export const everyDevice = async (): Promise<Device[]> => [
  reference(),
  await wasm({ threads: 1, vectors: "simd" }),
  await wasm({ threads: 2, vectors: "relaxed" }),
];

export async function evaluate(
  device: Device,
  f: (...x: Tensor[]) => Tensor | readonly Tensor[],
  ...given: readonly Argument[]
): Promise<number[][]> {
  const inputs = given.map(([shape]) => input(shape));
  const result = f(...inputs);
  const outputs = Array.isArray(result) ? result : [result];
  const named = <T>(list: readonly T[]) => Object.fromEntries(list.map((x, i) => [`${i}`, x]));
  const program = compile(device, { inputs: named(inputs), outputs: named(outputs) });
  const numbers = given.map(([shape, own]) => (typeof own === "number" ? new Float64Array(sizeOf(shape)).fill(own) : own));
  const values = await program.run(named(numbers));
  program.dispose();
  return outputs.map((_, i) => Array.from(values[`${i}`].data));
}
