import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { customOps } from "../../src/autograd/customGradient.js";
import { grad } from "../../src/autograd/grad.js";
import * as ops from "../../src/autograd/ops/index.js";
import { constant, input, type Tensor } from "../../src/autograd/tensor.js";
import type { Device } from "../../src/backend/device.js";
import { reference } from "../../src/backend/reference/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { normalNumbers } from "../../src/base/random.js";
import { gradcheck } from "../../src/program/gradcheck.js";
import { compile } from "../../src/program/program.js";
import { openWebGpu, withoutWebGpu } from "../webgpu.js";
import { cases, numbersOf } from "./cases.js";
import "./customOps.js";

it("has a case for every op", () => {
  expect([...new Set(cases.map(({ op }) => op))].sort()).toEqual(Object.keys(ops).sort());
});

describe("gradients, and gradients of gradients, against central differences", () => {
  for (const [i, testCase] of cases.entries()) {
    if (testCase.flat) continue;
    for (const shapes of testCase.shapes) {
      const elements = shapes.reduce((sum, shape) => sum + shape.reduce((n, size) => n * size, 1), 0);
      // Thousands of elements say nothing new about a gradient rule; they are for the float32 comparison below.
      if (elements > 400) continue;
      it(`${testCase.op} ${i} ${JSON.stringify(shapes)}`, async () => {
        const at = numbersOf(testCase, shapes);
        const result = await gradcheck(testCase.f, shapes, { at, order: testCase.once ? 1 : 2 });
        expect(result, JSON.stringify(result)).toMatchObject({ ok: true, wrong: 0 });
        if (testCase.once)
          await expect(gradcheck(testCase.f, shapes, { at, order: 2 })).rejects.toThrow("no second derivative");
      });
    }
  }
});

describe("gradients of ops with a gradient of their own, at the examples they give", () => {
  // Imported for what they register: test/autograd/customOps.ts.
  for (const { name, op, examples } of customOps()) {
    for (const { shapes, at } of examples) {
      it(`${name} ${JSON.stringify(shapes)}`, async () => {
        const result = await gradcheck(op, shapes, at ? { at } : {});
        expect(result, JSON.stringify(result)).toMatchObject({ ok: true });
      });
    }
  }
});

interface Backend {
  readonly name: string;
  /** Allowed errors over those of WASM: sums are made in another order, and functions of the driver's may be less exact. */
  readonly factor: number;
  readonly open: readonly (() => Promise<Device>)[];
  readonly without?: string | undefined;
}
const backends: readonly Backend[] = [
  { name: "WASM", factor: 1, open: [() => wasm({ threads: 2, vectors: "simd" }), () => wasm({ threads: 3 })] },
  { name: "WebGPU", factor: 2, open: [openWebGpu], without: withoutWebGpu },
];

for (const { name, factor, open, without } of backends) {
  describe.skipIf(without !== undefined)(`values and gradients on ${name} against the reference`, () => {
    const devices: Device[] = [];
    beforeAll(async () => {
      for (const own of open) devices.push(await own());
    });
    afterAll(() => {
      for (const device of devices) device.close();
    });
    for (const [i, testCase] of cases.entries()) {
      for (const shapes of testCase.shapes) {
        it(`${testCase.op} ${i} ${JSON.stringify(shapes)}`, async () => {
          const inputs = shapes.map((shape) => input(shape));
          const y = testCase.f(...inputs);
          // Weights keep a gradient from vanishing by symmetry, as that of a norm's sum of squares does.
          const loss = () => ops.sum(ops.mul(y, constant(normalNumbers(y.size, 3, 4), y.shape)));
          const gradients = testCase.flat ? [] : grad(loss(), inputs);
          const want = await run(reference(), inputs, [y, ...gradients], numbersOf(testCase, shapes));
          for (const device of devices) {
            const got = await run(device, inputs, [y, ...gradients], numbersOf(testCase, shapes));
            for (const [k, values] of want.entries())
              expect(errorOf(got[k], values), `output ${k}`).toBeLessThan(factor * (testCase.tolerance ?? 2e-6));
          }
        });
      }
    }
  });
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
