/** Programs of few calls: what a GPU would run of them, and what they come to. */
import type { Tensor } from "../../src/autograd/tensor.js";
import type { KernelCall } from "../../src/backend/calls.js";
import type { Device, Slot } from "../../src/backend/device.js";
import { PlanningDevice } from "../../src/backend/planning.js";
import { webgpuTarget } from "../../src/backend/webgpu/target.js";
import { normalNumbers } from "../../src/base/random.js";
import { compile } from "../../src/index.js";

/** The inputs that a tensor is made of, by names. */
function inputsOf(tensor: Tensor): Readonly<Record<string, Tensor>> {
  const found = new Set<Tensor>();
  const collect = (one: Tensor): void => {
    if (one.node.op.name === "input") found.add(one);
    for (const operand of one.node.inputs) collect(operand);
  };
  collect(tensor);
  return Object.fromEntries([...found].map((leaf, i) => [`x${i}`, leaf]));
}

/** Calls of a program, with the places that a GPU would have for them. */
export function callsOf(out: Tensor): readonly KernelCall<Slot>[] {
  let found: readonly KernelCall<Slot>[] = [];
  const intervals = (calls: readonly KernelCall<Slot>[]) => {
    found = calls;
    return calls.length;
  };
  const device = new PlanningDevice({ name: "webgpu", bytesPerElement: 4, target: webgpuTarget(2 ** 27), intervals });
  compile(device, { inputs: inputsOf(out), outputs: { out } });
  return found;
}

/** What a program comes to, of normal numbers, and in how many dispatches. */
export async function resultsOf(device: Device, out: Tensor) {
  const inputs = inputsOf(out);
  const program = compile(device, { inputs, outputs: { out } });
  const feed = Object.entries(inputs).map(([name, { shape }], i) => {
    const elements = shape.reduce((product, size) => product * size, 1);
    return [name, Float32Array.from(normalNumbers(elements, 3, i))];
  });
  const { data } = (await program.run(Object.fromEntries(feed))).out;
  const { intervals } = program;
  program.dispose();
  return { data, intervals };
}
