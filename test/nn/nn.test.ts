import { describe, expect, it } from "vitest";
import { grad } from "../../src/autograd/grad.js";
import { mean, mul, square, sum } from "../../src/autograd/ops/index.js";
import { constant, input, parameter } from "../../src/autograd/tensor.js";
import { reference } from "../../src/backend/reference/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import {
  adamW,
  Conv2d,
  clipGradients,
  GroupNorm,
  globalNorm,
  gradientsOf,
  Linear,
  MLP,
  Seed,
  sgd,
  warmupConstant,
  warmupCosine,
  xavierUniform,
} from "../../src/nn/index.js";
import { readParameter } from "../../src/program/parameters.js";
import { compile, read } from "../../src/program/program.js";

describe("modules", () => {
  it("name their parameters by their place", () => {
    const model = new MLP({ width: 2, hidden: 3, out: 1 }, new Seed(0));
    expect([...model.parameters().keys()]).toEqual(["first.weight", "first.bias", "second.weight", "second.bias"]);
    expect(model.parameterCount).toBe(2 * 3 + 3 + 3 + 1);
  });
  it("load what they saved, and refuse what does not fit", async () => {
    const device = reference();
    const [a, b] = [new Linear(3, 2, new Seed(1)), new Linear(3, 2, new Seed(2))];
    b.load(await a.state(device), device);
    expect((await b.state(device)).get("weight")?.data).toEqual((await a.state(device)).get("weight")?.data);
    expect(() => b.load(new Map())).toThrow('parameter "weight" [2, 3] is missing');
    expect(() =>
      new Linear(4, 2, new Seed(0)).load(new Map([["weight", { shape: [2, 3], data: new Float32Array(6) }]])),
    ).toThrow("the model expects [2, 4]");
  });
  it("start from numbers that depend on seed and name alone", () => {
    expect(xavierUniform([3, 3], 5, "a")).toEqual(xavierUniform([3, 3], 5, "a"));
    expect(xavierUniform([3, 3], 5, "b")).not.toEqual(xavierUniform([3, 3], 5, "a"));
    expect(Math.max(...xavierUniform([100, 50], 0, "w"))).toBeLessThanOrEqual(Math.sqrt(6 / 150));
  });
  it("make a small convolutional autoencoder's parts", async () => {
    const x = constant(
      Float32Array.from({ length: 2 * 4 * 16 }, (_, i) => Math.sin(i)),
      [2, 4, 4, 4],
    );
    const y = new GroupNorm(2, 8, new Seed(0)).forward(new Conv2d(4, 8, 3, new Seed(0), { stride: 2, padding: 1 }).forward(x));
    const { shape, data } = await read(reference(), y);
    expect(shape).toEqual([2, 8, 2, 2]);
    expect(Float64Array.from(data).reduce((sum, v) => sum + v, 0)).toBeCloseTo(0, 6);
  });
});

describe("optimisers", () => {
  it("sgd with momentum follows PyTorch's rule", async () => {
    const device = reference();
    const p = parameter([1], Float64Array.of(1));
    const loss = mean(square(p));
    const step = compile(device, { updates: sgd(gradientsOf(loss, new Map([["p", p]])), { lr: 0.1, momentum: 0.9 }).updates });
    let [x, b] = [1, 0];
    for (let i = 0; i < 5; i++) {
      await step.run({});
      b = 0.9 * b + 2 * x;
      x -= 0.1 * b;
    }
    expect((await readParameter(device, p))[0]).toBeCloseTo(x, 12);
  });
  it("an average of the weights warms up", async () => {
    const device = reference();
    const [p, average] = [parameter([1], Float64Array.of(1)), parameter([1], Float64Array.of(1))];
    const weights = new Map([["p", average]]);
    const gradients = gradientsOf(mean(square(p)), new Map([["p", p]]));
    const program = compile(device, { updates: sgd(gradients, { lr: 0.1, average: { weights, decay: 0.999 } }).updates });
    await program.run({});
    expect((await readParameter(device, p))[0]).toBeCloseTo(0.8, 12);
    expect((await readParameter(device, average))[0]).toBeCloseTo(1 + (1 - 2 / 11) * (0.8 - 1), 12);
  });
});

describe("AdamW", () => {
  /** A clipped, guarded, averaged step on both backends beside the rule written out. */
  it("clips, decays, averages and keeps still as told", async () => {
    for (const device of [reference(), await wasm({ threads: 2 })]) {
      const [p, e] = [parameter([3], Float64Array.of(1, -2, 3)), parameter([3], Float64Array.of(0, 0, 0))];
      const allowed = input([]);
      const gradients = gradientsOf(sum(mul(p, constant([3, 0, 4]))), new Map([["p", p]])); // norm 5
      const clipped = clipGradients(gradients, globalNorm(gradients), 1);
      const average = { weights: new Map([["p", e]]), decay: 0.999 };
      const { updates, state } = adamW(clipped, { lr: 0.1, weightDecay: 0.5, guard: allowed, average });
      const program = compile(device, { inputs: { allowed }, updates });
      await program.run({ allowed: [0] });
      expect([...(await readParameter(device, p))]).toEqual([1, -2, 3]);
      await program.run({ allowed: [1] });
      const want = [1, -2, 3].map((w, i) => 0.95 * w - (i === 1 ? 0 : 0.1));
      const close = (got: ArrayLike<number>, numbers: number[]) =>
        numbers.forEach((x, i) => {
          expect(got[i]).toBeCloseTo(x, 5);
        });
      close(await readParameter(device, p), want);
      close(
        await readParameter(device, e),
        want.map((w) => (1 - 2 / 11) * w),
      );
      close(await readParameter(device, state.get("p.m")!), [0.06, 0, 0.08]);
      expect((await readParameter(device, state.get("step")!))[0]).toBe(1);
      expect(program.steps.filter(({ kernel }) => kernel === "adamW")).toHaveLength(1);
      device.close();
    }
  });
});

describe("schedules", () => {
  it("rise, hold and fall", () => {
    const rate = warmupCosine({ lr: 1, warmup: 10, steps: 110, hold: 0.5, floor: 0.1 });
    expect([rate(0), rate(9), rate(50), rate(110)]).toEqual([0.1, 1, 1, 0.1]);
    expect(rate(82)).toBeLessThan(rate(70));
    expect(warmupConstant(2, 4)(1000)).toBe(2);
    expect(() => warmupCosine({ lr: 1, warmup: 0, steps: 1, hold: 2 })).toThrow("parts from 0 to 1");
  });
});

describe("programs", () => {
  it("say what is wrong with their inputs", async () => {
    const x = input([2, 3]);
    const program = compile(reference(), { inputs: { x }, outputs: { y: square(x) } });
    await expect(program.run({ x: [1, 2] })).rejects.toThrow('input "x" [2, 3] needs 6 numbers, got 2');
    await expect(program.run({} as { x: number[] })).rejects.toThrow('input "x" [2, 3] is missing');
    expect(() => compile(reference(), { outputs: { y: square(x) } })).toThrow("not named");
    expect(() => grad(x, [x])).toThrow("the loss must be one number");
  });
  it("are refused when they do not fit, and leave the device usable", async () => {
    const device = await wasm({ threads: 1 });
    const huge = input([1, 2 ** 30]);
    expect(() => compile(device, { inputs: { huge }, outputs: { y: square(huge) } })).toThrow(/needs 4.0 GiB.*limit is 4 GiB/);
    expect([...(await read(device, square(constant([3])))).data]).toEqual([9]);
    device.close();
  });
  it("know their bytes before they run", () => {
    const x = input([1000]);
    const { bytes } = compile(reference(), { inputs: { x }, outputs: { y: square(x) } });
    expect(bytes.inputs).toBe(8000);
    expect(bytes.total).toBe(bytes.arena + bytes.inputs);
  });
});
