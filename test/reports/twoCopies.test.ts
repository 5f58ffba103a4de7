/** Two copies of the library in one process, as two bundles or two versions make them: an error that says so, never zeros. */
import { beforeAll, describe, expect, it, vi } from "vitest";
import * as here from "../../src/index.js";
import * as hereNn from "../../src/nn/index.js";
import * as hereModel from "../../src/ptdit/index.js";

const says = /another copy of ptdit made: two are loaded\. Load it once/;
let there: typeof here;
let thereNn: typeof hereNn;
let thereModel: typeof hereModel;
beforeAll(async () => {
  vi.resetModules();
  there = await import("../../src/index.js");
  thereNn = await import("../../src/nn/index.js");
  thereModel = await import("../../src/ptdit/index.js");
});

it("the copies are two", () => {
  expect(there.Tensor).not.toBe(here.Tensor);
});

describe("a tensor of another copy is refused", () => {
  it("by every op", () => {
    const [own, x] = [here.input([2, 2]), there.input([2, 2])];
    for (const use of [
      () => here.add(own, x),
      () => here.add(x, 1),
      () => here.sum(x),
      () => here.matmul(own, x),
      () => here.linear(x, own),
      () => here.linear(own, own, x),
      () => here.reshape(x, [4]),
      () => here.concat([own, x], 0),
      () => here.softmax(x),
      () => here.layerNorm(own, { weight: x }),
      () => here.attention(own, own, own, 1, { keep: x }),
      () => here.crossEntropy(own, x),
      () => here.squaredNorm([own, x]),
    ])
      expect(use).toThrow(says);
  });

  it("by programs, gradients, parameters and reading", async () => {
    const device = here.reference();
    const [own, x, p] = [here.input([2]), there.input([2]), there.parameter([2], [1, 2])];
    expect(() => here.compile(device, { inputs: { x }, outputs: { y: here.square(own) } })).toThrow(says);
    expect(() => here.compile(device, { outputs: { p } })).toThrow(says);
    expect(() => here.compile(device, { updates: [[p, here.constant([1, 2])]] })).toThrow(says);
    expect(() => here.compile(device, { updates: [[here.parameter([2]), p]] })).toThrow(says);
    expect(() => here.grad(there.sum(x), [x])).toThrow(says);
    expect(() => here.grad(here.sum(own), [x])).toThrow(says);
    await expect(here.read(device, there.constant([1, 2]))).rejects.toThrow(says);
    await expect(here.readParameter(device, p)).rejects.toThrow(says);
    expect(() => here.writeParameter(device, p, [1, 2])).toThrow(says);
    expect(() => here.releaseParameters(device, [p])).toThrow(says);
    await expect(here.gradcheck(() => there.constant(1), [[1]])).rejects.toThrow(says);
  });

  it("by modules, layers, optimisers and samplers", () => {
    class Own extends hereNn.Module {
      constructor(readonly part: unknown) {
        super();
      }
    }
    const foreign = new thereNn.Linear(2, 2, new thereNn.Seed(0));
    expect(() => new Own(there.parameter([2])).parameters()).toThrow(/parameters: part is what another copy of ptdit made/);
    expect(() => new Own(foreign).parameters()).toThrow(says);
    expect(() => new Own([[foreign]]).parameters()).toThrow(/part\.0\.0/);
    expect(() => new hereNn.Linear(2, 2, new thereNn.Seed(0))).toThrow(says);
    expect(() => hereNn.gradientsOf(here.constant(1), foreign.parameters())).toThrow(says);
    const gradients = thereNn.gradientsOf(there.sum(foreign.weight), foreign.parameters());
    expect(() => hereNn.adamW(gradients, { lr: 1 })).toThrow(says);
    const options = { shape: [1, 2], flow: hereModel.flowConfig(), guided: false };
    const draw = () => new hereModel.Sampler(here.reference(), (x) => there.mul(x, 2), {}, options);
    expect(draw).toThrow(says);
  });

  it("also when it comes from a copy that marks nothing", () => {
    const plain = { shape: [2], dtype: "f32", node: {}, index: 0, size: 2 } as unknown as here.Tensor;
    expect(() => here.add(plain, 1)).toThrow("must be a tensor, got an object { shape, dtype, node, index, size }");
  });
});

it("a device of another copy is refused: its kernels may be others", async () => {
  const device = there.reference() as unknown as here.Device;
  expect(() => here.compile(device, { outputs: { y: here.constant(1) } })).toThrow(says);
  await expect(here.read(device, here.constant(1))).rejects.toThrow(says);
  const wasm = (await there.wasm({ threads: 1 })) as unknown as here.Device;
  expect(() => here.compile(wasm, { outputs: { y: here.constant(1) } })).toThrow(says);
  wasm.close();
  await expect(new hereNn.Linear(1, 1, new hereNn.Seed(0)).state(device)).rejects.toThrow(says);
});

it("a model of another copy is refused by generators", () => {
  const captioner = { encode: () => undefined, length: 3, size: 5 } as never;
  const model = new thereModel.Pipeline({ model: thereModel.presets.nano.config, captioner });
  expect(() => new hereModel.Generator(here.reference(), model, hereModel.flowConfig(), 32)).toThrow(says);
});

it("a device of one's own, made by no copy, is welcome", async () => {
  const inner = here.reference();
  const device: here.Device = {
    name: "own",
    bytesPerElement: 8,
    target: inner.target,
    describe: () => inner.describe(),
    allocate: (elements, what) => inner.allocate(elements, what),
    release: (own) => inner.release(own),
    write: (slot, data) => inner.write(slot, data),
    read: (...own) => inner.read(...own),
    load: (own) => inner.load(own),
    close: () => inner.close(),
  };
  expect((await here.read(device, here.square(here.constant([3])))).item()).toBe(9);
});
