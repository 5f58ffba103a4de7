import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { grad } from "../../src/autograd/grad.js";
import { mul, square } from "../../src/autograd/ops/elementwise.js";
import * as ops from "../../src/autograd/ops/index.js";
import { randomNormal, randomUniform } from "../../src/autograd/ops/random.js";
import { sum } from "../../src/autograd/ops/reduce.js";
import { constant, input, type Tensor } from "../../src/autograd/tensor.js";
import type { Device } from "../../src/backend/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import type { WebGpuDevice } from "../../src/backend/webgpu/device.js";
import { webgpu } from "../../src/backend/webgpu/open.js";
import { DeviceError } from "../../src/base/errors.js";
import type { GpuDevice } from "../../src/base/gpu.js";
import { normalNumbers } from "../../src/base/random.js";
import { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { allFinite } from "../../src/nn/optimizers/gradients.js";
import { compile, read } from "../../src/program/program.js";
import { ptditConfig } from "../../src/ptdit/config.js";
import { Generator } from "../../src/ptdit/generate.js";
import { recipes } from "../../src/ptdit/recipes.js";
import { NonFiniteError } from "../../src/ptdit/stepReport.js";
import { Trainer } from "../../src/ptdit/trainer.js";
import { evaluate } from "../reports/evaluate.js";
import { openWebGpu, watchMaking, withoutWebGpu } from "../webgpu.js";
import { random } from "./kernelHarness.js";

const captions = ["red apple", "green tree", "blue car", "yellow sun", "old cat"];
const pictures = Float32Array.from(normalNumbers(captions.length * 3 * 64, 3, 0));
const data = new PictureSet({ name: "noise", size: 8, captions, pictures });
const tokenizer = Tokenizer.fromCaptions(captions);
const preset = ptditConfig({ heads: 2, headDim: 16, depth: 1, patch: 2, sampleSize: 8, captionChannels: 16 });

/** The recipe with all that it has: x-prediction, Muon, overlap, pooled captions. */
function trainer(device: Device, lr = 1e-3): Trainer {
  const { clean } = recipes;
  const own = new Trainer(device, data, tokenizer, {
    model: ptditConfig({ ...preset, ...clean.model(preset) }),
    flow: clean.flow,
    training: { ...clean.training, batch: 4, warmup: 2, lr },
  });
  own.plan(20);
  return own;
}

async function losses(own: Trainer, count: number): Promise<number[]> {
  const list: number[] = [];
  for (let i = 0; i < count; i++) list.push((await own.next()).loss);
  return list;
}

describe.skipIf(withoutWebGpu !== undefined)("a WebGPU device", () => {
  let device: WebGpuDevice;
  let cpu: Device;
  beforeAll(async () => {
    [device, cpu] = [await openWebGpu(), await wasm({ threads: 1 })];
  });
  afterAll(() => {
    device.close();
    cpu.close();
  });

  it("says what it is and what its limits are", () => {
    const { device: name, details } = device.describe();
    expect(name).toBe("webgpu");
    expect(details.join("\n")).toMatch(/adapter: .+\nfeatures: .+\nlimits: storages of \d+ MiB, \d+ a dispatch/);
  });

  it("folds grids of more than 65,535 workgroups", async () => {
    const n = 64 * 65_535 + 65;
    const x = input([n]);
    const program = compile(device, { inputs: { x }, outputs: { y: square(x) } });
    const numbers = Float32Array.from({ length: n }, (_, i) => i % 1000);
    const { data: got } = (await program.run({ x: numbers })).y;
    expect(got.length).toBe(n);
    expect(got.findIndex((value, i) => value !== (i % 1000) ** 2)).toBe(-1);
    program.dispose();
  });

  it("draws the uniform numbers of WASM to the bit, and its normal numbers to 1e-6", async () => {
    const random = { seed: 2 ** 40 + 7, stream: 3 };
    const [uniform, normal] = [randomUniform([1001], random), randomNormal([1001], random)];
    expect((await read(device, uniform)).data).toEqual((await read(cpu, uniform)).data);
    const [got, want] = [(await read(device, normal)).data, (await read(cpu, normal)).data];
    expect(Math.max(...want.map((x, i) => Math.abs(x - got[i])))).toBeLessThan(1e-6);
  });

  it("gives sines of angles, and features of times, within 2e-7 up to 2²⁰", async () => {
    const end = 2 ** 20;
    // Anywhere, of all sizes, and beside whole quarters of a turn, where little is left of an angle.
    const x = Float32Array.from({ length: 30_000 }, (_, i) => {
      const angle = end * random();
      return [angle, angle * 2 ** (20 * random() - 20), Math.round(angle / (Math.PI / 2)) * (Math.PI / 2)][i % 3];
    });
    x.set([end, -end]);
    const got = await evaluate(device, (t) => [ops.sin(t), ops.cos(t), ops.sinusoid(t, 14, 100)], [[x.length], x]);
    const feature = (i: number): number => {
      const [k, angle] = [i % 14, x[Math.floor(i / 14)] * 100 ** (-(i % 7) / 7)];
      return k < 7 ? Math.cos(angle) : Math.sin(angle);
    };
    for (const [k, truth] of [(i: number) => Math.sin(x[i]), (i: number) => Math.cos(x[i]), feature].entries()) {
      const worst = got[k].reduce((most, y, i) => Math.max(most, Math.abs(y - truth(i))), 0);
      expect(worst, ["sin", "cos", "sinusoid"][k]).toBeLessThan(2e-7);
    }
  });

  it("finds NaN and infinities, as they come and where they are made, in losses and in gradients", async () => {
    const verdicts = async (of: (x: Tensor) => Tensor[], numbers: number[]): Promise<number[]> => {
      const all = numbers.map((x) => evaluate(device, (own) => allFinite(...of(own)), [[], x]));
      return (await Promise.all(all)).map(([[verdict]]) => verdict);
    };
    const { POSITIVE_INFINITY: infinity, NaN: none } = Number;
    expect(await verdicts((x) => [x], [none, infinity, -infinity, 3.4e38, -3.4e38, 0])).toEqual([0, 0, 0, 1, 1, 1]);
    expect(await verdicts((x) => [square(x)], [none, 1e30, -1e30, 1e19])).toEqual([0, 0, 0, 1]);
    expect(await verdicts((x) => [ops.log(x)], [none, infinity, -1, 0, 1e-30])).toEqual([0, 0, 0, 0, 1]);
    // The value is finite, its slope is not.
    expect(await verdicts((x) => [ops.reciprocal(x)], [1e-30])).toEqual([1]);
    expect(await verdicts((x) => grad(ops.reciprocal(x), [x]), [1e-30, 1e-15])).toEqual([0, 1]);
    const norm = (x: Tensor) => ops.sqrt(sum(square(mul(x, constant(new Float64Array(1000).fill(1))))));
    expect(await verdicts((x) => [norm(x)], [none, infinity, 1e18, 1e15])).toEqual([0, 0, 0, 1]);
  });

  it("lets NaN through what bounds its numbers, and through rows of which it is one", async () => {
    const { exp, expm1, log, sin, cos, tanh, sigmoid, erf, gelu, silu, softplus } = ops;
    const functions = [exp, expm1, log, sin, cos, tanh, sigmoid, erf, (x: Tensor) => gelu(x), silu, softplus];
    const values = await evaluate(device, (x) => functions.map((own) => own(x)), [[], Number.NaN]);
    expect(values.map(([y]) => y)).toEqual(functions.map(() => Number.NaN));
    const broken = Float32Array.from({ length: 280 }, (_, i) => (i === 264 ? Number.NaN : Math.sin(i)));
    const q = constant(normalNumbers(280, 3, 0), [1, 70, 4]);
    const rows = (k: Tensor) => [ops.softmax(ops.reshape(k, [1, 280])), ops.attention(q, k, q, 1)];
    const made = await evaluate(device, rows, [[1, 70, 4], broken]);
    expect(made.map((own) => own.filter((y) => !Number.isNaN(y)).length)).toEqual([0, 0]);
  });

  it("refuses memory after its release, programs after their end, and everything once closed", async () => {
    const own = await openWebGpu();
    const storage = own.allocate(10, "a test's memory");
    own.release(storage);
    own.release(storage);
    await expect(own.read({ storage, offset: 0 }, 10, "f32")).rejects.toThrow("was released");
    const program = compile(own, { outputs: { y: square(constant([1, 2])) } });
    expect((await program.run({})).y.data).toEqual(Float32Array.of(1, 4));
    program.dispose();
    program.dispose();
    await expect(program.run({})).rejects.toThrow(DeviceError);
    own.close();
    own.close();
    expect(() => own.allocate(1, "more")).toThrow("the device is closed");
  });

  it("gives memory that held something back as zeros", async () => {
    const own = await openWebGpu();
    const used = own.allocate(100, "a test's memory");
    own.write({ storage: used, offset: 0 }, new Float32Array(100).fill(3), "f32");
    own.release(used);
    const fresh = own.allocate(100, "a test's memory");
    expect(await own.read({ storage: fresh, offset: 0 }, 100, "f32")).toEqual(new Float32Array(100));
    own.close();
  });

  it("refuses more than an adapter's storage holds, with the numbers and the cure", () => {
    expect(() => device.allocate(2 ** 40, "the arena")).toThrow(
      /the arena needs 4096\.0 GiB, .+ has \d+\.\d GiB\. Lower the batch/,
    );
  });

  it("refuses options against their rule, and adapters that are not there", async () => {
    await expect(webgpu({ powerPreference: "some" as "low-power" })).rejects.toThrow("powerPreference");
    await expect(webgpu({ adapter: "no such adapter" })).rejects.toThrow('no adapter named "no such adapter"');
  });

  it("trains as WASM does, and makes nothing anew after the first step", async () => {
    const own = trainer(device);
    const first = await losses(own, 1);
    const nothingWasMade = watchMaking(device);
    const list = [...first, ...(await losses(own, 9))];
    nothingWasMade();
    const want = await losses(trainer(cpu), 10);
    list.forEach((loss, i) => expect(Math.abs(loss / want[i] - 1), `step ${i + 1}`).toBeLessThan(1e-3));
    own.dispose();
  });

  it("goes on from a saved state to the same bits, and from one of WASM, and the other way round", async () => {
    const straight = trainer(device);
    const all = await losses(straight, 6);
    const [before, after] = [trainer(device), trainer(device)];
    expect(await losses(before, 3)).toEqual(all.slice(0, 3));
    const state = await before.state();
    after.restore(state, 3);
    expect(await losses(after, 3)).toEqual(all.slice(3));
    expect([...(await after.state())].map(([name, own]) => [name, [...own.data]])).toEqual(
      [...(await straight.state())].map(([name, own]) => [name, [...own.data]]),
    );

    const onCpu = trainer(cpu);
    onCpu.restore(state, 3);
    (await losses(onCpu, 3)).forEach((loss, i) => expect(Math.abs(loss / all[3 + i] - 1)).toBeLessThan(1e-3));
    const back = trainer(device);
    const early = trainer(cpu);
    await losses(early, 3);
    back.restore(await early.state(), 3);
    (await losses(back, 3)).forEach((loss, i) => expect(Math.abs(loss / all[3 + i] - 1)).toBeLessThan(1e-3));
    for (const own of [straight, before, after, back]) own.dispose();
  });

  it("times every call, by the GPU's clock or by waiting for each", async () => {
    const x = input([1000]);
    const program = compile(device, {
      inputs: { x },
      outputs: { y: square(x), z: randomUniform([9], { seed: 1, stream: 1 }) },
    });
    const timed = await program.profile({ x: new Float32Array(1000) });
    expect(timed.length).toBe(2);
    expect(timed.every((ms) => ms >= 0 && ms < 1000)).toBe(true);
    const executable = device.load([]);
    expect(await executable.profile()).toEqual([]);
    const { gpu, awaited } = device as unknown as { gpu: GpuDevice; awaited(own: unknown): Promise<number[]> };
    expect(gpu.features.has("timestamp-query")).toBe(true);
    const run = vi.fn();
    expect((await awaited.call(device, { length: 2, run })).length).toBe(2);
    expect(run.mock.calls).toEqual([
      [0, 1],
      [1, 2],
    ]);
    program.dispose();
  });

  it("ends with the text of a shader that does not compile", async () => {
    const own = await openWebGpu();
    const gpu = Reflect.get(own, "gpu") as GpuDevice;
    const make = gpu.createShaderModule.bind(gpu);
    gpu.createShaderModule = ({ code }) => make({ code: code.replace("fn main(", "fn main(( ") });
    const program = compile(own, { outputs: { y: square(constant([1, 2])) } });
    await expect(program.run({})).rejects.toThrow(
      /^webgpu: a shader does not compile: .*WGSL.* expected .*\. Start a new device, or one of another kind/,
    );
    await expect(own.settled()).rejects.toThrow(DeviceError);
    own.close();
  });

  it("draws the pictures that WASM draws, and makes nothing anew after the first of a size", async () => {
    const draw = async (on: Device) => {
      const own = trainer(on);
      const generator = new Generator(on, own.average, recipes.clean.flow, 8);
      const options = { steps: 3, guidance: 2, seed: 1 };
      const first = await generator.pictures(captions.slice(0, 2), options);
      const nothingWasMade = on === device ? watchMaking(device) : () => undefined;
      const samples = [...first, ...(await generator.pictures(captions.slice(2, 4), { ...options, seed: 2 }))];
      nothingWasMade();
      generator.dispose();
      own.dispose();
      return samples;
    };
    const [got, want] = [await draw(device), await draw(cpu)];
    expect(Math.max(...want.map((x, i) => Math.abs(x - got[i])))).toBeLessThan(1e-4);
  });

  it("stops at a loss that is not finite with the weights of the last good step", async () => {
    const own = trainer(device, 1e30);
    await expect(losses(own, 10)).rejects.toThrow(NonFiniteError);
    for (const { data: numbers } of (await own.state()).values()) expect(numbers.every((x) => Number.isFinite(x))).toBe(true);
    own.dispose();
  });

  it("holds no more memory after many programs", async () => {
    const memory = Reflect.get(device, "memory") as { readonly bytes: number };
    const once = async () => {
      const own = trainer(device);
      await own.next();
      own.dispose();
    };
    await once();
    const { bytes } = memory;
    for (let i = 0; i < 5; i++) await once();
    expect(memory.bytes).toBe(bytes);
  });

  it("says so when the GPU is lost", async () => {
    const own = await openWebGpu();
    const y = compile(own, { outputs: { y: square(constant([1, 2])) } });
    await y.run({});
    (Reflect.get(own, "gpu") as GpuDevice).destroy();
    await expect(y.run({})).rejects.toThrow(
      /^webgpu: (the device is closed|memory cannot be read \(.+\))\. Start a new (one|device, or one of another kind; a run goes on)/,
    );
  });
});

it.runIf(withoutWebGpu !== undefined)("a WebGPU device where there is none names the cure", () => {
  expect(withoutWebGpu).toMatch(/wasm\(\)/);
});
