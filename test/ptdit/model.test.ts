import { describe, expect, it } from "vitest";
import { grad } from "../../src/autograd/grad.js";
import { mean, square } from "../../src/autograd/ops/index.js";
import { input, type Tensor } from "../../src/autograd/tensor.js";
import { reference } from "../../src/backend/reference/device.js";
import { normalNumbers } from "../../src/base/random.js";
import { compile } from "../../src/program/program.js";
import { fromReleasedConfig, type PTDiTConfig, ptditConfig } from "../../src/ptdit/config.js";
import { mixingNames, mixings } from "../../src/ptdit/mixing.js";
import { type ModelInputs, PTDiT } from "../../src/ptdit/model.js";
import { presetFor, presetKinds, presets, presetsFor } from "../../src/ptdit/presets.js";
import { derivedNames, ownName, releasedName } from "../../src/ptdit/stateDict.js";
import { inverseOrder, shiftedOrder, windowOrder, windowSizes } from "../../src/ptdit/windows.js";

type Latents = [batch: number, frames: number, height: number, width: number];
type Numbers = Record<string, ArrayLike<number>>;

const base: Partial<PTDiTConfig> = {
  heads: 2,
  headDim: 24,
  depth: 2,
  inChannels: 3,
  outChannels: 3,
  patch: 2,
  sampleSize: 16,
  captionChannels: 8,
  window: [1, 2, 2],
};

/** A model with every weight non-zero, so that no branch is silent. */
function lively(config: Partial<PTDiTConfig>): PTDiT {
  const model = new PTDiT({ ...base, ...config });
  const parameters = [...model.parameters()];
  model.load(
    new Map(
      parameters.map(([name, { shape, size }], i) => [name, { shape, data: normalNumbers(size, 1, i).map((x) => 0.2 * x) }]),
    ),
  );
  return model;
}

/** Inputs that a model needs for a batch, and numbers for them. */
function inputsFor(
  config: PTDiTConfig,
  [batch, frames, height, width]: Latents,
): { tensors: Record<string, Tensor>; numbers: Numbers } {
  const tensors: Record<string, Tensor> = { x: input([batch, config.inChannels, frames, height, width]), t: input([batch]) };
  if (config.captionChannels)
    Object.assign(tensors, { caption: input([batch, 3, config.captionChannels]), keep: input([batch, 3]) });
  if (config.sizeConditions) Object.assign(tensors, { resolution: input([batch, 2]), aspect: input([batch, 1]) });
  if (config.classes) tensors.labels = input([batch], "i32");
  const numbers: Numbers = Object.fromEntries(
    Object.entries(tensors).map(([name, { size }], i) => [name, normalNumbers(size, 5, i)]),
  );
  numbers.t = Float64Array.from({ length: batch }, (_, i) => 100 + 250 * i);
  if (numbers.keep) numbers.keep = Float64Array.from({ length: batch * 3 }, (_, i) => Number(i % 3 < 2));
  if (numbers.labels) numbers.labels = Float64Array.from({ length: batch }, (_, i) => i);
  return { tensors, numbers };
}

async function run(model: PTDiT, shape: Latents, change: (numbers: Numbers) => void = () => undefined) {
  const { tensors, numbers } = inputsFor(model.config, shape);
  change(numbers);
  const y = model.forward(tensors as unknown as ModelInputs);
  const program = compile(reference(), { inputs: tensors, outputs: { y } });
  return (await program.run(numbers)).y.data;
}

describe("laws of the model", () => {
  it("predicts zero when new: its last layer starts there", async () => {
    expect([...(await run(new PTDiT(base), [1, 1, 8, 8]))].every((v) => v === 0)).toBe(true);
  });

  it.each<[string, Partial<PTDiTConfig>, Latents]>([
    ["non-square grid", {}, [2, 1, 8, 16]],
    ["windows of one token", { window: [1, 1, 1] }, [2, 1, 8, 8]],
    ["odd windows", { window: [1, 3, 3] }, [2, 1, 12, 12]],
    ["one window", { window: [1, 4, 4] }, [2, 1, 8, 8]],
    ["video", { window: [2, 2, 2] }, [2, 4, 8, 8]],
    ["affine norms", { normAffine: true }, [2, 1, 8, 8]],
    ["size conditions", { sizeConditions: true }, [2, 1, 8, 8]],
    ["classes", { captionChannels: null, classes: 5 }, [2, 1, 8, 8]],
    ["finer proxies", { window: [1, 4, 4], proxyWindow: [1, 2, 2], proxyGrouping: "block" }, [2, 1, 8, 8]],
    ["first proxies", { proxyMode: "first" }, [2, 1, 8, 8]],
    ["random proxies", { proxyMode: "random" }, [2, 1, 8, 8]],
    ["linear injection", { injection: "linear" }, [2, 1, 8, 8]],
    ["interpolated proxies", { injection: "interpolation" }, [2, 1, 8, 8]],
    ["overlapping patches", { overlap: 1 }, [2, 1, 8, 16]],
    ["overlapping patches of a video", { overlap: 1, window: [2, 2, 2] }, [2, 4, 8, 8]],
    ["pooled captions", { pooledCaption: true }, [2, 1, 8, 8]],
    ["pooled captions through an MLP", { pooledCaption: true, pooledHidden: 12 }, [2, 1, 8, 8]],
    ["modern layers", { qkNorm: true, norm: "rms", mlp: "swiglu" }, [2, 1, 8, 8]],
    ...mixingNames.map((mixing): [string, Partial<PTDiTConfig>, Latents] => [`mixing ${mixing}`, { mixing }, [2, 1, 8, 8]]),
  ])("lets a sample answer to itself alone: %s", async (_, config, shape) => {
    const model = lively(config);
    const before = await run(model, shape);
    const after = await run(model, shape, (numbers) => {
      for (const name of ["x", "t", "caption", "resolution", "aspect"]) {
        const data = numbers[name];
        if (data) numbers[name] = Float64Array.from(data, (value, i) => (i < data.length / 2 ? value : value + 1));
      }
    });
    const half = before.length / 2;
    expect(after.slice(0, half)).toEqual(before.slice(0, half));
    expect(after.slice(half)).not.toEqual(before.slice(half));
  });

  it("reads and writes beyond the borders of patches where they overlap, and only there", async () => {
    for (const overlap of [0, 1]) {
      const model = lively({ overlap, depth: 1, mixing: "none" });
      const before = await run(model, [1, 1, 8, 8]);
      const after = await run(model, [1, 1, 8, 8], (numbers) => {
        numbers.x = Float64Array.from(numbers.x, (value, i) => (i === 3 * 8 + 3 ? value + 1 : value));
      });
      // One pixel of the patch in rows and columns 2 and 3: with an overlap three more tokens read it, of 16 pixels each.
      const changed = new Set([...before.keys()].filter((i) => before[i] !== after[i]).map((i) => i % 64));
      const rows = [...changed].map((i) => Math.floor(i / 8));
      expect([Math.min(...rows), Math.max(...rows)]).toEqual(overlap === 0 ? [2, 3] : [1, 6]);
      expect(changed.size).toBe(overlap === 0 ? 4 : 36);
    }
  });

  it("conditions on the mean of a caption's words; a dropped caption counts as zeros", async () => {
    const { conditioning } = lively({ pooledCaption: true });
    const [t, caption, keep] = [input([1]), input([1, 3, 8]), input([1, 3])];
    const { c } = conditioning.forward({ t, caption, keep });
    const program = compile(reference(), { inputs: { t, caption, keep }, outputs: { c } });
    const given = async (words: readonly number[], kept: readonly number[]) => {
      const numbers = words.flatMap((word) => Array.from({ length: 8 }, (_, i) => word * (i + 1)));
      return (await program.run({ t: [500], caption: numbers, keep: kept })).c.data;
    };
    const nothing = await given([5, 6, 7], [0, 0, 0]);
    expect(await given([1, 2, 3], [0, 0, 0])).toEqual(nothing);
    // Words 1 and 3 have the mean of one word 2; the sum is divided by 2.001, and by 1.001.
    const [two, one] = [await given([1, 9, 3], [1, 0, 1]), await given([2, 9, 9], [1, 0, 0])];
    two.forEach((x, i) => expect((x - nothing[i]) * 2.001).toBeCloseTo(2 * (one[i] - nothing[i]) * 1.001, 9));
    expect(one).not.toEqual(nothing);
  });

  it("takes proxies by given indices", async () => {
    const model = lively({ proxyMode: "random" });
    const { tensors, numbers } = inputsFor(model.config, [1, 1, 8, 8]);
    tensors.proxyIndex = input([2, 1, 4, 1]);
    const y = model.forward(tensors as unknown as ModelInputs);
    const program = compile(reference(), { inputs: tensors, outputs: { y } });
    const outputs = [];
    for (const index of [0, 3])
      outputs.push((await program.run({ ...numbers, proxyIndex: new Float64Array(8).fill(index) })).y.data);
    // Index 0 everywhere is the mode `first`.
    const first = lively({ proxyMode: "first" });
    expect(outputs[0]).toEqual(await run(first, [1, 1, 8, 8]));
    expect(outputs[1]).not.toEqual(outputs[0]);
  });

  it("mixes the timesteps of samples with compat tile_timestep only", async () => {
    expect(await run(lively({ compat: ["tile_timestep"] }), [2, 1, 8, 8])).not.toEqual(await run(lively({}), [2, 1, 8, 8]));
  });

  it("gives the same gradients with checkpointing, in less memory", async () => {
    const results = [];
    for (const checkpointing of [false, true]) {
      const model = lively({ depth: 4 });
      const { tensors, numbers } = inputsFor(model.config, [2, 1, 16, 16]);
      const loss = mean(square(model.forward(tensors as unknown as ModelInputs, { checkpointing })));
      const parameters = [...model.parameters()];
      const gradients = grad(
        loss,
        parameters.map(([, parameter]) => parameter),
      );
      const outputs = Object.fromEntries(gradients.map((gradient, i) => [parameters[i][0], gradient]));
      const program = compile(reference(), { inputs: tensors, outputs });
      results.push({ values: await program.run(numbers), arena: program.bytes.arena });
    }
    const [kept, recomputed] = results as [(typeof results)[0], (typeof results)[0]];
    for (const name of Object.keys(kept.values)) expect(recomputed.values[name].data, name).toEqual(kept.values[name].data);
    expect(recomputed.arena).toBeLessThan(0.75 * kept.arena);
  });
});

describe("window geometry", () => {
  const [grid, window] = [
    [2, 6, 8],
    [1, 3, 4],
  ] as const;
  const order = windowOrder(grid, window, window, "block");
  it("is a permutation, and shifting back undoes a shift", () => {
    expect([...order].sort((a, b) => a - b)).toEqual([...order.keys()]);
    const shifted = shiftedOrder(order, grid, window);
    expect([...inverseOrder(shifted)].map((from) => shifted[from])).toEqual([...order.keys()]);
  });
  it("names axis, sizes and divisors when a window does not fit", () => {
    expect(() => windowSizes([1, 30, 32], [1, 4, 4], [1, 4, 4])).toThrow(
      /height 30 is not divisible by window 4 .*1, 2, 3, 5, 6, 10, 15, 30/,
    );
  });
});

describe("configurations", () => {
  it("counts the published text-to-image model's parameters", () => {
    expect(new PTDiT(presets.T2I.config).parameterCount).toBe(1_131_629_216);
  });
  it("counts the benchmark's parameters", () => {
    const millions = (name: keyof typeof presets) => (new PTDiT(presets[name].config).parameterCount / 1e6).toPrecision(2);
    expect([millions("tiny"), millions("small"), millions("s"), millions("long")]).toEqual(["0.56", "12", "55", "8.5"]);
  });
  it("names every parameter as the authors do, once", () => {
    const names = [...new PTDiT(presets.nano.config).parameters().keys()].map(releasedName);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain("transformer_blocks.0.proxy_attn1.to_out.0.weight");
  });
  it.each(mixingNames)("has the branches of mixing %s and no other weights", (mixing) => {
    const parts = new Set([...new PTDiT({ ...base, mixing }).blocks[0].parameters().keys()].map((name) => name.split(".")[0]));
    const branches = (["giim", "window", "shifted"] as const).filter((branch) => parts.has(branch));
    expect(branches).toEqual(mixings[mixing].map((branch) => (branch === "full" ? "window" : branch)));
    expect(parts.has("shiftedModulation")).toBe(parts.has("shifted"));
  });
  it("offers presets for what is to be trained, and no other", () => {
    expect(presetFor("nano", "pixels")).toBe(presets.nano);
    expect(() => presetFor("s", "pixels")).toThrow(
      "preset: medium is a model of latents of 4 channels. For pixels choose nano, modern or tiny.",
    );
    expect(() => presetFor("nano", "classes")).toThrow("preset: nano is a model of pixels. For classes choose paper-s.");
    for (const kind of presetKinds)
      for (const name of presetsFor(kind)) expect([name, presets[name].config.classes > 0]).toEqual([name, kind === "classes"]);
  });
  it.each<[string, Partial<PTDiTConfig>]>([
    ["a text model", {}],
    ["a class model", { captionChannels: null, classes: 5 }],
    ["a model with all there is", { sizeConditions: true, normAffine: true, classes: 2, heads: 3, headDim: 16 }],
    ...mixingNames.map((mixing): [string, Partial<PTDiTConfig>] => [`mixing ${mixing}`, { mixing }]),
  ])("maps the names of %s to the authors' and back", (_, config) => {
    const names = [...new PTDiT({ ...base, ...config }).parameters().keys()];
    expect(names.map((name) => ownName(releasedName(name)))).toEqual(names);
  });
  it("has no name of its own for what is derived or none of the authors'", () => {
    for (const name of [
      ...derivedNames,
      "text.words.weight",
      "transformer_blocks.0.other.weight",
      "transformer_blocks.x.attn1",
      "",
    ])
      expect([name, ownName(name)]).toEqual([name, undefined]);
    expect(ownName("transformer_blocks.12.attn1.to_out.0.bias")).toBe("blocks.12.window.attention.out.bias");
    expect(() => releasedName("blocks.0.window.other")).toThrow('parameter "blocks.0.window.other" has no name');
  });
  it("refuses what cannot be built", () => {
    expect(() => ptditConfig({ heads: 1, headDim: 20 })).toThrow("multiple of 16");
    expect(() => ptditConfig({ window: [1, 0, 2] })).toThrow("window");
    expect(() => ptditConfig({ proxyMode: "median" as "mean" })).toThrow('got "median"');
    expect(() => fromReleasedConfig({ num_heads: 2 })).toThrow('"head_dim" is missing');
    expect(() => fromReleasedConfig(null)).toThrow("expected an object");
    expect(() => new PTDiT(base).forward({ x: input([1, 4, 1, 8, 8]), t: input([1]) })).toThrow(
      "latents must be [B, 3, F, H, W]",
    );
    expect(() => new PTDiT(base).forward({ x: input([1, 3, 1, 8, 8]), t: input([1]) })).toThrow("give caption");
  });
});
