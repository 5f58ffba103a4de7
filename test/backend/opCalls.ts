/** Calls that the ops' cases come down to, with the numbers that they meet there. */
import type { Buffer, View } from "../../src/autograd/buffer.js";
import { grad } from "../../src/autograd/grad.js";
import { mul, sum } from "../../src/autograd/ops/index.js";
import { constant, hostData, input } from "../../src/autograd/tensor.js";
import { callBuffers, mapBuffers, runReference } from "../../src/backend/calls.js";
import { wasmTarget } from "../../src/backend/wasm/target.js";
import { normalNumbers } from "../../src/base/random.js";
import type { Shape } from "../../src/base/shape.js";
import { lower } from "../../src/program/lower.js";
import { cases, numbersOf, type OpCase } from "../autograd/cases.js";
import { type Case, f32, i32, type Numbers } from "./kernelHarness.js";

/** Calls of these kernels, in values and in gradients. */
export const opCalls = (kernels: readonly string[]): Case[] =>
  kernels.length === 0 ? [] : cases.flatMap((own) => own.shapes.flatMap((shapes) => callsOf(own, shapes, kernels)));

function callsOf(own: OpCase, shapes: readonly Shape[], kernels: readonly string[]): Case[] {
  const inputs = shapes.map((shape) => input(shape));
  const y = own.f(...inputs);
  const loss = () => sum(mul(y, constant(normalNumbers(y.size, 3, 4), y.shape)));
  const { calls, views } = lower([y, ...(own.flat ? [] : grad(loss(), inputs))], [], wasmTarget);
  if (!calls.some(({ call }) => kernels.includes(call.kernel))) return [];
  const memory = new Map<Buffer, Float64Array>();
  const at = ({ buffer, offset }: View, elements: number): Float64Array => {
    const array = memory.get(buffer) ?? new Float64Array(buffer.elements);
    memory.set(buffer, array);
    return array.subarray(offset, offset + elements);
  };
  for (const [x, buffer] of views.inputs) at({ buffer, offset: 0 }, x.size).set(numbersOf(own, shapes)[inputs.indexOf(x)]);
  for (const { constant, ...place } of views.constants.contents) at(place, constant.size).set(hostData(constant));
  return calls.flatMap(({ call }, i) => {
    const types = new Map(callBuffers(call).map(({ buffer, type }) => [buffer, type]));
    const copy = (view: View, elements: number): Numbers => {
      const numbers = at(view, elements);
      return types.get(view) === "i32" ? i32(numbers) : f32(numbers);
    };
    const before = mapBuffers(call, copy);
    runReference(mapBuffers(call, at));
    return kernels.includes(call.kernel)
      ? [{ name: `${call.kernel} of ${own.op} ${JSON.stringify(shapes)}, call ${i}`, call: before }]
      : [];
  });
}
