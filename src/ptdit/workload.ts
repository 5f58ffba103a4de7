/** The fixed workloads that benchmarks and profiles run: presets on random data, with captions of eight tokens. */
import { div } from "../autograd/ops/elementwise.js";
import { mean } from "../autograd/ops/reduce.js";
import { input, type Tensor } from "../autograd/tensor.js";
import { checkDevice, type Device } from "../backend/device.js";
import { checkOptions, checkValue, flag, object, oneOf, type Rule, type Rules, whole } from "../base/options.js";
import { normalNumbers } from "../base/random.js";
import type { Shape } from "../base/shape.js";
import { gradientsOf } from "../nn/optimizers/index.js";
import { releaseParameters } from "../program/parameters.js";
import { compile, type Program } from "../program/program.js";
import { type FlowConfig, flowConfig } from "./flow.js";
import { flowLosses } from "./losses.js";
import { PTDiT } from "./model.js";
import { optimizerStep } from "./optimizer.js";
import { paths } from "./paths/index.js";
import type { Preset } from "./presets.js";
import { type Recipe, type RecipeName, recipeNames, recipes } from "./recipes.js";
import { Sampler } from "./sampler.js";

export interface WorkloadOptions {
  /** `ptdit`, or `dit`: full self-attention in place of GIIM and TCM. */
  readonly model?: "ptdit" | "dit";
  /** What it learns and draws by: `baseline` if not given, the model as the preset has it, AdamW, guided samples. */
  readonly recipe?: RecipeName;
  /** One forward pass, a whole training step with the recipe's optimiser, or a denoising step of a sample: two predictions a picture
   *  where the recipe guides it. */
  readonly mode?: "forward" | "train" | "sample";
  readonly batch?: number;
  /** Of training: see `ForwardOptions`. */
  readonly checkpointing?: boolean;
}

/** A compiled workload. */
export interface Workload {
  readonly program: Program;
  /** What a sampler computes once for all its steps. */
  readonly preparation?: Program;
  /** Numbers in the model's weights. */
  readonly parameters: number;
  readonly feed: Readonly<Record<string, Float32Array>>;
  readonly batch: number;
  /** From the recording of the graph to the loaded program; drawing the first weights is not in it. */
  readonly compileMs: number;
  /** One step. */
  run(): Promise<unknown>;
  dispose(): void;
}

/** Tokens of every caption. */
export const captionTokens = 8;

const presetRule: Rule = {
  text: "a preset { config, batch, side }",
  holds: (v) => object.holds(Object(v).config) && whole(1).holds(Object(v).batch) && whole(1).holds(Object(v).side),
};
const rules: Rules<WorkloadOptions> = {
  model: oneOf("ptdit", "dit"),
  recipe: oneOf(...recipeNames),
  mode: oneOf("forward", "train", "sample"),
  batch: whole(1),
  checkpointing: flag,
};

/** Compiles a preset's workload for a device.
 *  @throws ConfigError when an option is unknown or against its rule
 *  @throws DeviceError when it does not fit */
export function buildWorkload(device: Device, preset: Preset, options: WorkloadOptions = {}): Workload {
  checkDevice("workload", device);
  checkValue("workload", "the preset", preset, presetRule);
  checkOptions("workload", options, rules);
  const { model: kind = "ptdit", recipe = "baseline", mode = "train" } = options;
  const { batch = preset.batch, checkpointing = false } = options;
  const start = performance.now();
  const own: Recipe = recipes[recipe];
  const model = new PTDiT({ ...preset.config, ...own.model(preset.config), mixing: kind === "dit" ? "full" : "proxy" });
  const recorded = performance.now() - start;
  const release = () => releaseParameters(device, model.parameters().values());
  try {
    const from = performance.now();
    const shape = [batch, preset.config.inChannels, 1, preset.side, preset.side];
    const { program, preparation, feed, dispose, ready } = { forward, train, sample }[mode](
      device,
      model,
      shape,
      own,
      checkpointing,
    );
    const compileMs = recorded + performance.now() - from;
    return {
      program,
      ...(preparation && { preparation }),
      parameters: model.parameterCount,
      feed,
      batch,
      compileMs,
      run: () => (ready ? ready.then(() => program.run(feed)) : program.run(feed)),
      dispose: () => {
        dispose();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

interface Step extends Pick<Workload, "program" | "preparation" | "feed" | "dispose"> {
  /** What must be computed before the first step. */
  readonly ready?: Promise<void>;
}

/** Captions, masks and classes of `batch` samples: random captions of which every token counts, class 0. */
function conditions(model: PTDiT, batch: number) {
  const { captionChannels, classes } = model.config;
  const inputs: Record<string, Tensor> = {};
  const feed: Record<string, Float32Array> = {};
  if (captionChannels !== null) {
    inputs.caption = input([batch, captionTokens, captionChannels]);
    inputs.keep = input([batch, captionTokens]);
    feed.caption = random(inputs.caption, 1);
    feed.keep = new Float32Array(inputs.keep.size).fill(1);
  }
  if (classes > 0) {
    inputs.labels = input([batch], "i32");
    feed.labels = new Float32Array(batch);
  }
  return { inputs, feed };
}

const random = ({ size }: Tensor, stream: number): Float32Array => Float32Array.from(normalNumbers(size, 1, stream));

/** Noisy samples at times that stride over 0..1000, and the model's answer. */
function prediction(model: PTDiT, shape: Shape, checkpointing = false) {
  const [batch] = shape;
  const own = conditions(model, batch);
  const [x, t] = [input(shape), input([batch])];
  const times = Float32Array.from({ length: batch }, (_, i) => (1000 * (i + 0.5)) / batch);
  const inputs = { ...own.inputs, x, t };
  return { inputs, feed: { ...own.feed, x: random(x, 2), t: times }, out: model.forward(inputs, { checkpointing }) };
}

function forward(device: Device, model: PTDiT, shape: Shape): Step {
  const { inputs, feed, out } = prediction(model, shape);
  const program = compile(device, { inputs, outputs: { out } });
  return { program, feed, dispose: () => program.dispose() };
}

function train(device: Device, model: PTDiT, shape: Shape, { flow, training }: Recipe, checkpointing: boolean): Step {
  const { inputs, feed, out } = prediction(model, shape, checkpointing);
  const [x0, noise] = [input(shape), input(shape)];
  const loss = mean(flowLosses(() => out, { x0, noise, u: div(inputs.t, 1000) }, paths[flow.prediction]));
  const { updates, state } = optimizerStep(gradientsOf(loss, model.parameters()), training, { lr: 1e-4 });
  const program = compile(device, { inputs: { ...inputs, x0, noise }, outputs: { loss }, updates });
  const dispose = () => {
    program.dispose();
    releaseParameters(device, state.values());
  };
  return { program, feed: { ...feed, x0: random(x0, 3), noise: random(noise, 4) }, dispose };
}

/** A sampler of random captions. */
function samplerOf(device: Device, model: PTDiT, shape: Shape, { flow, guided }: { flow: FlowConfig; guided: boolean }) {
  const [batch] = shape;
  const { inputs, feed } = conditions(model, guided ? 2 * batch : batch);
  const predictor = (x: Tensor, t: Tensor) => model.forward({ ...inputs, x, t });
  return { sampler: new Sampler(device, predictor, inputs, { shape, flow, guided }), feed };
}

/** A whole sample of a preset, and one denoising step of it. */
export function sampleWhole(device: Device, preset: Preset, steps: number) {
  checkDevice("workload", device);
  checkValue("workload", "the preset", preset, presetRule);
  checkValue("workload", "steps", steps, whole(1));
  const model = new PTDiT(preset.config);
  const { sampler, feed } = samplerOf(device, model, [preset.batch, preset.config.inChannels, 1, preset.side, preset.side], {
    flow: flowConfig(),
    guided: true,
  });
  return {
    sample: () => sampler.sample(feed, { steps, guidance: 3 }),
    step: async () => sampler.stepProgram.repeat(),
    dispose: () => {
      sampler.dispose();
      releaseParameters(device, model.parameters().values());
    },
  };
}

function sample(device: Device, model: PTDiT, shape: Shape, { flow, sampling }: Recipe): Step {
  const { guidance } = sampling;
  const { sampler, feed } = samplerOf(device, model, shape, { flow, guided: guidance !== 1 });
  const step = { uBefore: 0.51, u: 0.5, uNext: 0.49, length: 0.01, lengthBefore: 0.01, guidance };
  const ready = sampler.prepare(feed);
  ready.catch(() => undefined); // until a run asks for it
  const values = Object.entries(step).map(([name, value]) => [name, Float32Array.of(value)]);
  return {
    program: sampler.stepProgram,
    preparation: sampler.preparation,
    ready,
    feed: { ...feed, ...Object.fromEntries(values) },
    dispose: () => sampler.dispose(),
  };
}
