import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { add, mul, sum } from "../../src/autograd/ops/index.js";
import { constant, input, parameter, type Tensor } from "../../src/autograd/tensor.js";
import type { Device } from "../../src/backend/device.js";
import { reference } from "../../src/backend/reference/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { normalNumbers } from "../../src/base/random.js";
import { clipGradients, globalNorm, gradientsOf, muon, orthogonalised } from "../../src/nn/index.js";
import { gradcheck } from "../../src/program/gradcheck.js";
import { readParameter } from "../../src/program/parameters.js";
import { compile, read } from "../../src/program/program.js";

type Numbers = Readonly<Record<string, readonly number[]>>;
interface Case {
  readonly settings: {
    readonly momentum: number;
    readonly nesterov: boolean;
    readonly iterations: number;
    readonly weightDecay: number;
    readonly lr: number;
  };
  readonly average: number;
  readonly clip: number;
  readonly start: Numbers;
  readonly gradients: readonly Numbers[];
  readonly weights: Numbers;
  readonly averages: Numbers;
  readonly momentum: Numbers;
}
interface Fixture {
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly cases: readonly Case[];
}
const { shapes, cases }: Fixture = JSON.parse(readFileSync(new URL("../fixtures/muon.json", import.meta.url), "utf8"));
const names = Object.keys(shapes);

/** The fixture's steps on a device; with `guard` 0 nothing may change. */
async function steps(device: Device, own: Case, guard = 1) {
  const started = (of: string) => parameter([...shapes[of]], Float32Array.from(own.start[of]));
  const parameters = new Map(names.map((name) => [name, started(name)]));
  const averages = new Map(names.map((name) => [name, started(name)]));
  const inputs = Object.fromEntries(names.map((name) => [name, input([...shapes[name]])]));
  // A loss whose gradients are what the fixture gives.
  const loss = [...parameters].map(([name, x]) => sum(mul(x, inputs[name]))).reduce((a, b) => add(a, b));
  const gradients = gradientsOf(loss, parameters);
  const clipped = clipGradients(gradients, globalNorm(gradients), own.clip);
  const { updates, state } = muon(clipped, {
    ...own.settings,
    beta2: 0.99,
    guard: constant(guard),
    average: { weights: averages, decay: own.average },
  });
  const program = compile(device, { inputs, updates });
  for (const given of own.gradients)
    await program.run(Object.fromEntries(names.map((name) => [name, Float32Array.from(given[name])])));
  const all = async (tensors: ReadonlyMap<string, Tensor>) =>
    Object.fromEntries(
      await Promise.all([...tensors].map(async ([name, x]) => [name, [...(await readParameter(device, x))]] as const)),
    );
  return { weights: await all(parameters), averages: await all(averages), state: await all(state), program };
}

describe("muon", () => {
  for (const own of cases) {
    const { iterations, nesterov } = own.settings;
    const what = `${iterations} iterations${nesterov ? ", nesterov" : ""}`;
    for (const [name, device, digits] of [
      ["reference", () => reference(), 6],
      ["wasm", () => wasm({ threads: 2 }), 4],
    ] as const) {
      it(`takes the fixture's steps on ${name}: ${what}`, async () => {
        const { weights, averages, state } = await steps(await device(), own);
        const close = (ours: readonly number[], theirs: readonly number[]) =>
          ours.forEach((x, j) => expect(x).toBeCloseTo(theirs[j], digits));
        for (const of of names) {
          close(weights[of], own.weights[of]);
          close(averages[of], own.averages[of]);
          if (shapes[of].length === 2) close(state[`${of}.momentum`], own.momentum[of]);
        }
        expect(Object.keys(state).sort()).toEqual(
          ["step", "bias.m", "bias.v", ...names.filter((of) => of !== "bias").map((of) => `${of}.momentum`)].sort(),
        );
        expect(state.step).toEqual([3]);
      });
    }
    it(`changes nothing where the guard is 0: ${what}`, async () => {
      const { weights, averages, state } = await steps(reference(), own, 0);
      expect(weights).toEqual(own.start);
      expect(averages).toEqual(own.start);
      expect(
        Object.values(state)
          .flat()
          .every((x) => x === 0),
      ).toBe(true);
    });
  }
  it("gives the same bits on any number of threads", async () => {
    const [one, three] = [await wasm({ threads: 1 }), await wasm({ threads: 3 })];
    const { program: _, ...a } = await steps(one, cases[0]);
    const { program: __, ...b } = await steps(three, cases[0]);
    expect(b).toEqual(a);
  });
  it("refuses a matrix that is none", () => {
    const bias = parameter([3]);
    const gradients = gradientsOf(sum(bias), new Map([["bias", bias]]));
    expect(() => muon(gradients, { lr: 0.1, matrices: () => true })).toThrow('muon: "bias" [3] is no matrix');
    expect(() => muon(gradients, { lr: 0.1, iterations: 6 })).toThrow("iterations");
  });
});

describe("orthogonalised", () => {
  for (const [rows, columns] of [
    [8, 24],
    [24, 8],
    [16, 16],
  ]) {
    it(`brings the singular values of [${rows}, ${columns}] near 1`, async () => {
      const x = normalNumbers(2 * rows * columns, 0, 0);
      const { data } = await read(reference(), orthogonalised(constant(x, [2, rows, columns]), 5));
      const short = Math.min(rows, columns);
      const at = (i: number, j: number) => (rows <= columns ? data[i * columns + j] : data[j * columns + i]);
      for (let i = 0; i < short; i++) {
        // Rows of the shorter side are nearly orthonormal.
        for (let j = 0; j <= i; j++) {
          let dot = 0;
          for (let k = 0; k < Math.max(rows, columns); k++) dot += at(i, k) * at(j, k);
          expect(Math.abs(dot - Number(i === j))).toBeLessThan(0.25);
        }
      }
    });
  }
  it("has a gradient", async () => {
    expect((await gradcheck((x) => orthogonalised(x, 2), [[2, 2, 3]])).ok).toBe(true);
    expect((await gradcheck((x) => orthogonalised(x, 2), [[1, 4, 2]])).ok).toBe(true);
  });
  it("is zero for zero", async () => {
    const { data } = await read(reference(), orthogonalised(constant(new Float32Array(6), [1, 2, 3])));
    expect([...data]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
