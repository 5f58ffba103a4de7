import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { customOps } from "../../src/autograd/customGradient.js";
import * as ops from "../../src/autograd/ops/index.js";
import type { Device } from "../../src/backend/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { gradcheck } from "../../src/program/gradcheck.js";
import { openWebGpu, withoutWebGpu } from "../webgpu.js";
import { cases, numbersOf, toleranceOf } from "./cases.js";
import "./customOps.js";
import { errorsOn } from "./opErrors.js";

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
  readonly open: readonly (() => Promise<Device>)[];
  readonly without?: string | undefined;
}
const backends: readonly Backend[] = [
  { name: "WASM", open: [() => wasm({ threads: 2, vectors: "simd" }), () => wasm({ threads: 3 })] },
  { name: "WebGPU", open: [openWebGpu], without: withoutWebGpu },
];

for (const { name, open, without } of backends) {
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
          for (const errors of await errorsOn(devices, testCase, shapes))
            for (const [k, error] of errors.entries()) expect(error, `output ${k}`).toBeLessThan(toleranceOf(testCase));
        });
      }
    }
  });
}
