/** Holds a device to the reference, op by op: in Node, and in a worker of a browser. */
import { grad } from "../../src/autograd/grad.js";
import { mul, sum } from "../../src/autograd/ops/index.js";
import { constant, input, type Tensor } from "../../src/autograd/tensor.js";
import type { Device } from "../../src/backend/device.js";
import { reference } from "../../src/backend/reference/device.js";
import { normalNumbers } from "../../src/base/random.js";
import type { Shape } from "../../src/base/shape.js";
import { compile } from "../../src/program/program.js";
import { numbersOf, type OpCase } from "./cases.js";

/** Errors of a case's value and of its gradients on each device. */
export async function errorsOn(devices: readonly Device[], own: OpCase, shapes: readonly Shape[]): Promise<number[][]> {
  const inputs = shapes.map((shape) => input(shape));
  const y = own.f(...inputs);
  // Weights keep a gradient from vanishing by symmetry, as that of a norm's sum of squares does.
  const loss = () => sum(mul(y, constant(normalNumbers(y.size, 3, 4), y.shape)));
  const outputs = [y, ...(own.flat ? [] : grad(loss(), inputs))];
  const numbers = numbersOf(own, shapes);
  const want = await run(reference(), inputs, outputs, numbers);
  const errors: number[][] = [];
  for (const device of devices) {
    const got = await run(device, inputs, outputs, numbers);
    errors.push(want.map((values, k) => errorOf(got[k], values)));
  }
  return errors;
}

async function run(device: Device, inputs: Tensor[], outputs: Tensor[], numbers: Float64Array[]): Promise<ArrayLike<number>[]> {
  const named = (list: Tensor[]) => Object.fromEntries(list.map((x, i) => [`${i}`, x]));
  const program = compile(device, { inputs: named(inputs), outputs: named(outputs) });
  const result = await program.run(Object.fromEntries(numbers.map((own, i) => [`${i}`, Float32Array.from(own)])));
  program.dispose();
  return outputs.map((_, i) => result[`${i}`].data);
}

/** max|a - b| / max(0.01, max|b|): what is smaller is the difference of terms of size 1 and carries their rounding. */
function errorOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [worst, scale] = [0, 0.01];
  for (let i = 0; i < b.length; i++) {
    const error = Math.abs(a[i] - b[i]);
    worst = Number.isFinite(error) ? Math.max(worst, error) : Number.POSITIVE_INFINITY;
    scale = Math.max(scale, Math.abs(b[i]));
  }
  return worst / scale;
}
