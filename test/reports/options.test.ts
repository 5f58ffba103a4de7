/** Options, names and arguments that the program would not use, or could not: refused by name, at the door. */
import { afterAll, describe, expect, it } from "vitest";
import { PtditError } from "../../src/base/errors.js";
import { normalNumbers } from "../../src/base/random.js";
import { PictureSet } from "../../src/data/pictureSet.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import * as index from "../../src/index.js";
import { compile, constant, type Device, input, parameter, reference, wasm } from "../../src/index.js";
import * as nn from "../../src/nn/index.js";
import * as model from "../../src/ptdit/index.js";
import { flowConfig, Generator, Pipeline, ptditConfig, type SampleRun, Sampler, Trainer } from "../../src/ptdit/index.js";

const device = reference();
afterAll(() => device.close());
const captions = ["red apple", "green tree"];
const pictures = Float32Array.from(normalNumbers(captions.length * 3 * 64, 3, 0));
const data = new PictureSet({ name: "noise", size: 8, captions, pictures });
const tokenizer = Tokenizer.fromCaptions(captions);
const config = ptditConfig({ heads: 2, headDim: 16, depth: 1, patch: 2, sampleSize: 8, captionChannels: 16 });
const text = new Pipeline({ model: config, captioner: tokenizer });
const x = input([2, 4]);
const picture = input([1, 3, 4, 4]);

/** A call with options that are whatever they are. */
type Call = (options: never) => unknown;

describe("an unknown option is refused by its name, with the nearest that is known", () => {
  const gradients = nn.gradientsOf(index.sum(index.square(parameter([2]))), new Map());
  const sampler = { shape: [1, 4], flow: flowConfig(), guided: false };
  const training = { model: config, flow: flowConfig(), training: model.defaultTraining };
  it.each<[string, Call, object, string, string?]>([
    ["compile", (o) => compile(device, o), { output: { x } }, "output", "outputs"],
    ["random numbers", (o) => index.randomNormal([2], o), { seed: 1, steam: 2 }, "steam", "stream"],
    ["conv2d", (o) => index.conv2d(picture, input([1, 3, 2, 2]), undefined, o), { strides: 2 }, "strides", "stride"],
    ["unfold", (o) => index.unfold(picture, [2, 2], o), { pad: 1 }, "pad"],
    ["groupNorm", (o) => index.groupNorm(picture, 1, o), { epsilon: 1 }, "epsilon"],
    ["layerNorm", (o) => index.layerNorm(x, o), { scale: x }, "scale"],
    ["attention", (o) => index.attention(input([1, 2, 4]), input([1, 2, 4]), input([1, 2, 4]), 1, o), { mask: x }, "mask"],
    [
      "crossEntropy",
      (o) => index.crossEntropy(x, input([2], "i32"), o),
      { label_smoothing: 0.1 },
      "label_smoothing",
      "labelSmoothing",
    ],
    ["customGradient", (o) => index.customGradient(o), { name: "a", fwd: 1 }, "fwd"],
    ["Linear", (o) => new nn.Linear(1, 1, new nn.Seed(0), o), { biass: false }, "biass", "bias"],
    ["LayerNorm", (o) => new nn.LayerNorm(1, new nn.Seed(0), o), { affine: true, eps: 1, bias: true }, "bias"],
    ["Attention", (o) => new nn.Attention(4, 2, new nn.Seed(0), o), { bias: true, heads: 2 }, "heads"],
    ["MLP", (o) => new nn.MLP(o, new nn.Seed(0)), { width: 1, hidden: 1, out: 1, layers: 2 }, "layers"],
    ["Conv2d", (o) => new nn.Conv2d(1, 1, 1, new nn.Seed(0), o), { Stride: 1 }, "Stride", "stride"],
    ["adamW", (o) => nn.adamW(gradients, o), { lr: 1, betas: [0.9, 0.999] }, "betas", "beta1"],
    ["adamW's average", (o) => nn.adamW(gradients, { lr: 1, average: o }), { weights: new Map(), decay: 1, rate: 1 }, "rate"],
    ["sgd", (o) => nn.sgd(gradients, o), { lr: 1, nesterov: true }, "nesterov"],
    ["warmupCosine", (o) => nn.warmupCosine(o), { lr: 1, warmup: 1, steps: 1, warmUp: 3 }, "warmUp", "warmup"],
    ["flowConfig", (o) => flowConfig(o), { shift: 3 }, "shift"],
    ["ptditConfig", (o) => ptditConfig(o), { head: 3 }, "head", "heads"],
    ["Sampler", (o) => new Sampler(device, (z) => z, {}, { ...sampler, ...(o as object) }), { guide: true }, "guide", "guided"],
    ["Trainer", (o) => new Trainer(device, data, tokenizer, { ...training, ...(o as object) }), { lr: 1 }, "lr"],
    [
      "Trainer's training",
      (o) => new Trainer(device, data, tokenizer, { ...training, training: { ...training.training, ...(o as object) } }),
      { learningRate: 1 },
      "learningRate",
    ],
    ["buildWorkload", (o) => model.buildWorkload(device, model.presets.nano, o), { batchSize: 1 }, "batchSize"],
  ])("%s", (_, call, options, name, nearest) => {
    expect(() => call(options as never)).toThrow(`unknown option "${name}"`);
    if (nearest !== undefined) expect(() => call(options as never)).toThrow(`Did you mean "${nearest}"?`);
  });

  it("and in calls that are waited for", async () => {
    await expect(wasm({ thread: 1 } as never)).rejects.toThrow('wasm: unknown option "thread". Did you mean "threads"?');
    const generator = new Generator(device, text, flowConfig(), 8);
    await expect(generator.pictures(["red"], { cfg: 3 } as never)).rejects.toThrow(
      'pictures: unknown option "cfg". Known: steps, guidance',
    );
    const own = new Sampler(device, (z) => z, {}, sampler);
    await expect(own.sample({}, { steps: 1, guidanceScale: 2 } as never)).rejects.toThrow(
      'sample: unknown option "guidanceScale"',
    );
  });
});

describe("a run refuses names that are not its inputs", () => {
  const program = compile(device, { inputs: { tokens: x }, outputs: { y: index.square(x) } });
  const tokens = new Float32Array(8);
  it.each<[string, unknown, string]>([
    ["a name too many", { tokens, mask: [1] }, 'run: unknown input "mask". Known: tokens.'],
    ["a misspelt one", { Tokens: tokens, tokens }, 'unknown input "Tokens". Did you mean "tokens"?'],
    ["a name in place of another", { token: tokens }, 'input "tokens" [2, 4] is missing'],
    ["a list", [tokens], 'input "tokens" [2, 4] is missing'],
    ["nothing", undefined, "run: expected numbers by the names of the inputs, got undefined"],
    ["null", null, "got null"],
    ["a text", "tokens", 'got "tokens"'],
  ])("%s", async (_, given, message) => {
    await expect(program.run(given as never)).rejects.toThrow(message);
    await expect(program.findNonFinite(given as never)).rejects.toThrow(message);
    await expect(program.profile(given as never)).rejects.toThrow(message);
  });
  it("and needs none where there are none", async () => {
    const none = compile(device, { outputs: { y: constant(1) } });
    expect((await none.run(undefined as never)).y.item()).toBe(1);
    await expect(none.run({ y: 1 } as never)).rejects.toThrow('unknown input "y". Known: none.');
  });
  it("counts its runs in whole numbers", async () => {
    program.runs = Number.NaN;
    await expect(program.run({ tokens })).rejects.toThrow("`runs` must be a whole number of at least 0, got NaN");
    program.runs = 0;
  });
});

describe("samplers", () => {
  const cond = input([1, 4]);
  const make = (options: object) =>
    new Sampler(
      device,
      (z) => index.add(z, index.slice(cond, 0, 0, 1)),
      { cond },
      { shape: [1, 4], flow: flowConfig(), guided: false, ...options },
    );
  const sampler = make({});
  it.each<[string, Partial<SampleRun>, string]>([
    ["guidance NaN", { guidance: Number.NaN }, "guidance must be a finite number, got NaN"],
    ["guidance Infinity", { guidance: Number.POSITIVE_INFINITY }, "guidance must be a finite number"],
    ["guidance as a text", { guidance: "3" as never }, 'got "3"'],
    ["guidance that has no effect", { guidance: 3 }, "this sampler has no guidance, got guidance 3"],
    ["seed 1.5", { seed: 1.5 }, "seed must be a whole number from 0 to 2^53 - 1, got 1.5"],
    ["seed -1", { seed: -1 }, "got -1"],
    ["seed NaN", { seed: Number.NaN }, "got NaN"],
    ["seed null", { seed: null as never }, "got null"],
    ["half a step", { steps: 0.5 }, "steps must be a whole number of at least 1, got 0.5"],
    ["no step", { steps: 0 }, "got 0"],
    ["steps without end", { steps: Number.POSITIVE_INFINITY }, "got Infinity"],
    ["steps as a text", { steps: "3" as never }, 'got "3"'],
    ["too little noise", { noise: [1, 2, 3] }, "sample: noise [1, 4] needs 4 numbers, got 3"],
    [
      "noise of another shape",
      {
        noise: [
          [1, 2],
          [3, 4],
        ],
      },
      "nested as [2, 2]",
    ],
    ["noise that is not finite", { noise: [1, Number.NaN, 3, 4] }, "noise must be finite numbers"],
    ["a seed and noise", { noise: [1, 2, 3, 4], seed: 1 }, "got both a seed and noise"],
    ["an onStep that is no function", { onStep: true as never }, "onStep must be a function, got true"],
  ])("refuse %s", async (_, run, message) => {
    await expect(sampler.sample({ cond: [1, 2, 3, 4] }, { steps: 2, ...run })).rejects.toThrow(message);
  });
  it("refuse conditions that are missing, unknown or too short", async () => {
    await expect(sampler.sample({ cond: [1] }, { steps: 1 })).rejects.toThrow('input "cond" [1, 4] needs 4 numbers');
    await expect(sampler.sample({} as never, { steps: 1 })).rejects.toThrow('input "cond" [1, 4] is missing');
    await expect(sampler.sample({ cond: [1, 2, 3, 4], caption: [1] } as never, { steps: 1 })).rejects.toThrow(
      'unknown input "caption"',
    );
    await expect(sampler.sample(undefined as never, { steps: 1 })).rejects.toThrow(
      "conditions must be an object, got undefined",
    );
    await expect(sampler.prepare(null as never)).rejects.toThrow("got null");
    await expect(sampler.sample({ cond: [1, 2, 3, 4] }, undefined as never)).rejects.toThrow("expected an object with steps");
  });
  it.each<[string, object, string]>([
    ["an unknown method", { method: "ddim" }, 'method must be one of euler, heun, ab2, got "ddim"'],
    ["a shape that is none", { shape: [1, -4] }, "axis 1 of [1, -4] is -4"],
    ["no shape", { shape: undefined }, "shape is missing"],
    ["guided as a number", { guided: 1 }, "guided must be true or false, got 1"],
    ["NaN in the flow", { flow: { ...flowConfig(), loc: Number.NaN } }, "flow: loc must be a finite number, got NaN"],
    [
      "a flow without end",
      { flow: { ...flowConfig(), ratio: Number.POSITIVE_INFINITY } },
      "flow: ratio must be a positive, finite number",
    ],
    [
      "an unknown prediction",
      { flow: { ...flowConfig(), prediction: "x0" } },
      "flow: prediction must be one of flow, x, v, epsilon",
    ],
  ])("are not made with %s", (_, options, message) => {
    expect(() => make(options)).toThrow(message);
  });
});

describe("generators", () => {
  const generator = new Generator(device, text, flowConfig(), 8);
  it.each<[string, unknown, object, string]>([
    ["no prompt", [], {}, "got no prompt"],
    [
      "one prompt without brackets",
      "red apple",
      {},
      'the prompts must be a list of texts, e.g. ["red heart"], got "red apple"',
    ],
    ["a prompt that is no text", ["red", 3], {}, "prompt 1 must be a text, got 3"],
    ["nothing", undefined, {}, "got undefined"],
    ["guidance NaN", ["red"], { guidance: Number.NaN }, "guidance must be a finite number"],
    ["seed 1.5", ["red"], { seed: 1.5 }, "seed must be"],
    ["half a step", ["red"], { steps: 0.5 }, "steps must be"],
    ["an unknown method", ["red"], { method: "dpm" }, 'method must be one of euler, heun, ab2, got "dpm"'],
    ["a negative prompt that is no text", ["red"], { negative: 5 }, "negative must be a text"],
    [
      "a negative prompt without effect",
      ["red"],
      { negative: "blue", guidance: 1 },
      "a negative prompt has no effect without guidance",
    ],
    ["options in a map", ["red"], new Map([["seed", 5]]), "got a value of type Map"],
    ["options that are yet to come", ["red"], Promise.resolve({ seed: 5 }), "got a promise. Await it"],
    ["options that are none", ["red"], null as never, "got null"],
  ])("refuse %s", async (_, prompts, options, message) => {
    await expect(generator.pictures(prompts as never, options)).rejects.toThrow(message);
  });
  it("are not made for sizes that the model cannot draw, or of what is no model, tokenizer or device", () => {
    const make = (...[size = 8, own = text, on = device]: unknown[]) =>
      new Generator(on as Device, own as Pipeline, flowConfig(), size as number);
    expect(() => make(7)).toThrow("size 7 is not a whole number of patches of 2");
    expect(() => make(8.5)).toThrow("size must be a whole number of at least 1, got 8.5");
    expect(() => make(8, text.model)).toThrow("the pipeline must be a Pipeline, got a value of type PTDiT");
    expect(() => new Pipeline({ model: config, captioner: {} as Tokenizer })).toThrow("the tokenizer must be a Tokenizer");
    expect(() => new Pipeline({ model: config, captioner: tokenizer, codec: { kind: "half" } as never })).toThrow(
      "pipeline: the codec: factor is missing",
    );
    expect(() =>
      make(
        8,
        text,
        wasm({ threads: 1 }).then((own) => own.close()),
      ),
    ).toThrow(/expected a device, got a promise. Await it/);
  });
});

describe("trainers", () => {
  const make = (training: object, own: object = {}) =>
    new Trainer(device, Object.assign(Object.create(data), own), tokenizer, {
      model: config,
      flow: flowConfig(),
      training: { ...model.defaultTraining, batch: 2, ...training },
    });
  it.each<[string, object, string]>([
    ["half a batch", { batch: 0.5 }, "batch must be a whole number of at least 1, got 0.5"],
    ["lr NaN", { lr: Number.NaN }, "lr must be a positive, finite number, got NaN"],
    ["lr Infinity", { lr: Number.POSITIVE_INFINITY }, "lr must be"],
    ["lr as a text", { lr: "1e-3" }, 'got "1e-3"'],
    ["half a step of warm-up", { warmup: 0.5 }, "warmup must be a whole number"],
    ["hold above 1", { hold: 2 }, "hold must be"],
    ["a beta of 1", { beta2: 1 }, "beta2 must be in [0, 1), got 1"],
    ["weight decay below 0", { weightDecay: -1 }, "weightDecay must be"],
    ["errors counted by a size below 0", { huber: -1 }, "huber must be 0, or a number from 1e-6 to 1e6, got -1"],
    ["a clip of 0", { clip: 0 }, "clip must be a positive number, got 0"],
    ["all captions left out", { captionDropout: 1 }, "captionDropout must be in [0, 1)"],
    ["an average that grows", { emaDecay: 1.1 }, "emaDecay must be"],
    ["seed -1", { seed: -1 }, "seed must be"],
    ["parts that do not divide", { batch: 4, accumulate: 3 }, "batch 4 is not a whole number of 3 parts"],
    ["a missing setting", { lr: undefined }, "lr is missing"],
  ])("refuse %s", (_, training, message) => {
    expect(() => make(training)).toThrow(message);
  });
  it("refuse data that do not fit the model", () => {
    expect(() => make({}, { count: 3 })).toThrow("train: the data set has 3 samples with 2 captions. Give one for each.");
    expect(() => make({}, { sample: undefined })).toThrow("sample is missing");
    expect(() => make({}, { shape: [3, 8, 8] })).toThrow("shape must be four positive whole numbers");
    expect(() => make({}, { shape: [4, 1, 8, 8] })).toThrow(
      "the data set's samples are [4, 1, 8, 8], the model reads 3 channels. Choose a model for them.",
    );
  });
  it("are laid out for whole numbers of steps", async () => {
    const trainer = make({});
    for (const steps of [0, -1, 1.5, Number.NaN, "10"]) expect(() => trainer.plan(steps as number)).toThrow("steps must be");
    await expect(trainer.next()).rejects.toThrow("call plan(steps)");
    expect(() => trainer.restore(new Map(), -1)).toThrow("step must be a whole number");
    trainer.dispose();
  });
});

describe("numbers out of their range are refused by name", () => {
  const gradients = nn.gradientsOf(index.sum(index.square(parameter([2]))), new Map());
  const labels = input([2], "i32");
  it.each<[string, () => unknown, string]>([
    [
      "stride 1.5",
      () => index.conv2d(picture, input([1, 3, 2, 2]), undefined, { stride: 1.5 }),
      "stride must be a whole number of at least 1, got 1.5",
    ],
    ["stride 0", () => index.unfold(picture, [2, 2], { stride: 0 }), "stride must be"],
    [
      "padding -1",
      () => index.conv2d(picture, input([1, 3, 2, 2]), undefined, { padding: -1 }),
      "padding must be a whole number of at least 0",
    ],
    ["a kernel of 1.5", () => index.unfold(picture, [1.5, 2]), "kernel must be two positive whole numbers"],
    ["one number as a kernel", () => index.unfold(picture, 2 as never), "kernel must be two"],
    [
      "1.5 heads",
      () => index.attention(input([1, 2, 3]), input([1, 2, 3]), input([1, 2, 3]), 1.5),
      "not a whole number of 1.5 heads",
    ],
    ["heads NaN", () => new nn.Attention(4, Number.NaN, new nn.Seed(0), { bias: true }), "heads must be"],
    [
      "heads that do not divide",
      () => new nn.Attention(4, 3, new nn.Seed(0), { bias: true }),
      "width 4 is not a whole number of 3 heads",
    ],
    ["seed 1.5", () => index.randomUniform([2], { seed: 1.5 }), "seed must be a whole number from 0 to 2^53 - 1, got 1.5"],
    ["seed NaN", () => index.randomNormal([2], { seed: Number.NaN }), "seed must be"],
    ["no seed", () => index.randomNormal([2], {} as never), "seed is missing"],
    ["stream 0.5", () => index.randomNormal([2], { seed: 1, stream: 0.5 }), "stream must be a whole number"],
    ["stream -1", () => index.randomNormal([2], { seed: 1, stream: -1 }), "stream must be"],
    ["an odd width", () => index.sinusoid(input([2]), 7), "width must be an even number of at least 2, got 7"],
    ["width 0", () => index.sinusoid(input([2]), 0), "width must be"],
    ["a period of 0", () => index.sinusoid(input([2]), 8, 0), "maxPeriod must be a positive, finite number, got 0"],
    ["half a pad", () => index.pad(x, 1, 0.5, 0), "pad: widths must be whole"],
    ["a pad NaN", () => index.pad(x, 1, Number.NaN, 0), "pad: widths"],
    ["half a slice", () => index.slice(x, 1, 0, 1.5), "slice: range 0..1.5"],
    ["a slice of two axes", () => index.slice(x, [0, 1] as never, 0, 1), "slice: needs one axis, got [0,1]"],
    ["-2 parts", () => index.split(x, 1, -2), "not a whole number of -2 parts"],
    ["0 parts", () => index.split(x, 1, 0), "not a whole number of 0 parts"],
    ["half an axis", () => index.sum(x, 0.5), "axis 0.5 is outside"],
    ["an axis as a text", () => index.sum(x, "0" as never), 'an axis is a number, axes an array of them; got "0"'],
    ["a transpose of one axis", () => index.transpose(input([3])), "transpose: needs two axes"],
    ["an order that repeats", () => index.transpose(x, [0, 0]), "named twice"],
    ["two sizes left open", () => index.reshape(x, [-1, -1]), "of which one may be -1"],
    ["a factor of 1.5", () => index.upsampleNearest(picture, 1.5), "factor must be a whole number"],
    ["0 groups", () => index.groupNorm(picture, 0), "not a whole number of 0 groups"],
    ["eps NaN", () => index.layerNorm(x, { eps: Number.NaN }), "eps must be a finite number of at least 0, got NaN"],
    ["delta 0", () => index.huberLoss(x, 0 as never, 0), "delta must be a positive"],
    ["smoothing 2", () => index.crossEntropy(x, labels, { labelSmoothing: 2 }), "labelSmoothing must be"],
    [
      "an unknown reduction",
      () => index.crossEntropy(x, labels, { reduction: "max" as never }),
      "reduction must be one of mean, sum, none",
    ],
    ["half an ignored index", () => index.crossEntropy(x, labels, { ignoreIndex: 0.5 }), "ignoreIndex must be a whole number"],
    ["1.5 classes", () => index.oneHot(labels, 1.5), "classes must be a whole number"],
    ["a type that is none", () => input([2], "int32" as never), 'dtype must be one of f32, i32, got "int32"'],
    ["a shape that is none", () => input(3 as never), "a shape is an array of sizes, e.g. [2, 3]; got 3"],
    ["a size of 1.5", () => input([1.5]), "axis 0 of [1.5] is 1.5"],
    ["a size as a text", () => parameter(["2"] as never), 'is "2"'],
    [
      "lr NaN",
      () => nn.adamW(gradients, { lr: Number.NaN }),
      "lr must be a finite number of at least 0, or a tensor [], got NaN",
    ],
    ["lr of many numbers", () => nn.adamW(gradients, { lr: input([2]) }), "lr must be"],
    ["eps -1", () => nn.adamW(gradients, { lr: 1, eps: -1 }), "eps must be"],
    ["beta 1", () => nn.adamW(gradients, { lr: 1, beta1: 1 }), "beta1 must be in [0, 1), got 1"],
    ["weight decay NaN", () => nn.adamW(gradients, { lr: 1, weightDecay: Number.NaN }), "weightDecay must be"],
    ["momentum -1", () => nn.sgd(gradients, { lr: 1, momentum: -1 }), "momentum must be"],
    ["a clip NaN", () => nn.clipGradients(gradients, constant(1), Number.NaN), "limit must be a positive number, got NaN"],
    ["half a step of warm-up", () => nn.warmupCosine({ lr: 1, warmup: 0.5, steps: 5 }), "warmup must be a whole number"],
    ["steps NaN", () => nn.warmupCosine({ lr: 1, warmup: 0, steps: Number.NaN }), "steps must be"],
    ["a seed of a module", () => new nn.Seed(1.5), "the seed must be a whole number"],
    ["a number as a Seed", () => new nn.Linear(1, 1, 0 as never), "expected a Seed, got 0. Make one with new Seed(0)"],
    ["a deviation NaN", () => nn.normal(Number.NaN), "std must be"],
    ["a width of 1.5", () => new nn.Linear(1.5, 1, new nn.Seed(0)), "width must be a whole number"],
    ["a vocabulary NaN", () => new model.WordEncoder(Number.NaN, 4, new nn.Seed(0)), "vocabulary must be"],
    ["eps NaN of a model", () => ptditConfig({ normEps: Number.NaN }), "normEps must be"],
    ["classes -1", () => ptditConfig({ classes: -1 }), "classes must be"],
    ["a flag as a text", () => ptditConfig({ normAffine: "no" as never }), 'normAffine must be true or false, got "no"'],
    ["a window as a number", () => ptditConfig({ window: 2 as never }), "window must be three positive whole numbers"],
    [
      "an unknown workload",
      () => model.buildWorkload(device, model.presets.nano, { mode: "test" as never }),
      "mode must be one of",
    ],
    ["a name that is none", () => index.scope(3 as never, () => 1), "name must be a text"],
    ["a body that waits", () => index.checkpoint(async () => constant(1)), "body must not be asynchronous"],
    [
      "outputs without a name",
      () => compile(device, { outputs: x as never }),
      "outputs must be tensors by name, e.g. { x }, got a value of type Tensor",
    ],
    ["outputs in a list", () => compile(device, { outputs: [x] as never }), "outputs must be tensors by name"],
    ["outputs in a map", () => compile(device, { outputs: new Map([["x", x]]) as never }), "outputs must be tensors by name"],
    [
      "an output that is none",
      () => compile(device, { outputs: { y: 3 as never } }),
      'output "y" must be a tensor, got 3. Make one of it with constant()',
    ],
    [
      "an update that is no pair",
      () => compile(device, { updates: [x as never] }),
      "an update [parameter, value]: expected an array of tensors",
    ],
    [
      "two names of one input",
      () => compile(device, { inputs: { a: x, b: x }, outputs: {} }),
      'inputs "a" and "b" are one tensor',
    ],
    ["a state that is no Map", () => text.load({} as never), "the state must be a Map"],
    ["gradients that are none", () => nn.adamW({} as never, { lr: 1 }), "the gradients must be a Map"],
  ])("%s", (_, call, message) => {
    expect(call).toThrow(message);
    expect(call).toThrow(PtditError);
  });
  it("and of a device", async () => {
    for (const threads of [0, 1.5, Number.NaN, "2"])
      await expect(wasm({ threads: threads as number })).rejects.toThrow("threads must be");
    await expect(wasm({ vectors: "avx" as never })).rejects.toThrow('vectors must be one of simd, relaxed, paired, got "avx"');
    await expect(wasm({ kernels: 5 as never })).rejects.toThrow("kernels must be");
    await expect(wasm(null as never)).rejects.toThrow("got null");
  });
});

/** Whatever one might pass by mistake. */
const garbage: readonly unknown[] = [
  undefined,
  null,
  "text",
  "",
  Number.NaN,
  -1,
  1.5,
  true,
  {},
  [],
  [null],
  () => undefined,
  new Map(),
  5n,
  x,
  input([2], "i32"),
  device,
];

describe("wrong arguments of any public function end in an error of the library", () => {
  /** Functions whose arguments are checked where they are used, and why nothing of them is called here. */
  const apart = new Set([
    "PtditError",
    "ShapeError",
    "ConfigError",
    "DeviceError",
    "FormatError",
    "FileError",
    "NonFiniteError", // errors are made with any text
    "Tensor",
    "Program",
    "Value",
    "WasmDevice",
    "ReferenceDevice", // made by functions that are called here
    "noTap",
    "tolerances",
  ]);
  const all = Object.entries({ ...index, ...nn, ...model }).filter(
    (entry): entry is [string, (...own: unknown[]) => unknown] => typeof entry[1] === "function" && !apart.has(entry[0]),
  );
  it("there are as many as are exported", () => {
    expect(all.length).toBeGreaterThan(100);
  });
  const isClass = (f: unknown) => /^class\b/.test(String(f));
  async function call(f: (...own: unknown[]) => unknown, own: readonly unknown[]): Promise<unknown> {
    try {
      await (isClass(f) ? Reflect.construct(f, own) : f(...own));
      return undefined;
    } catch (error) {
      return error;
    }
  }
  it.each(all)("%s", async (_name, f) => {
    const lists = [
      [],
      ...garbage.map((one) => [one]),
      ...garbage.map((one) => [one, one, one]),
      ...garbage.map((one) => [x, one, one]),
      ...garbage.map((one) => [device, one, one, one]),
    ];
    for (const own of lists) {
      const error = await call(f, own);
      if (error !== undefined && !(error instanceof PtditError))
        expect.fail(
          `${_name}(${own.map((one) => typeof one).join(", ")}): ${error instanceof Error ? error.stack : String(error)}`,
        );
    }
  });
});
