/** Holds this engine against fixtures of an independent implementation. */

import { grad } from "../autograd/grad.js";
import { sub } from "../autograd/ops/elementwise.js";
import { mean } from "../autograd/ops/reduce.js";
import { sinusoid } from "../autograd/ops/sinusoid.js";
import { releaseParameters } from "../autograd/parameters.js";
import { compile, read } from "../autograd/program.js";
import { constant, input, type Tensor } from "../autograd/tensor.js";
import type { Device } from "../backend/device.js";
import { FormatError } from "../base/errors.js";
import type { HostTensor, SafetensorsFile } from "../io/safetensors.js";
import { readState } from "../nn/module.js";
import { adamW, gradientsOf } from "../nn/optimizers.js";
import { fromReleasedConfig, type PTDiTConfig } from "./config.js";
import { flowConfig, predicted, resolutionRatio, sampleLosses, sampleTimes } from "./flow.js";
import { type ModelInputs, PTDiT } from "./model.js";
import { positionTable } from "./positions.js";
import { Sampler } from "./sampler.js";
import { derivedNames, releasedName } from "./stateDict.js";
import { recordingTap } from "./tap.js";
import { shiftedOrder, shiftRegions, type Triple, windowOrder } from "./windows.js";

/** Worst errors by kind of value. */
export interface GroupReport {
  readonly group: string;
  readonly count: number;
  /** Largest relative error, by the measure of its kind. */
  readonly worst: number;
  readonly at: string;
  readonly tolerance: number;
}

/** Largest errors allowed, relative. Fixtures are float32: their own rounding is 6e-8. */
export const tolerances = {
  reference: { outputs: 2e-7, gradients: 2e-6 },
  wasm: { outputs: 5e-5, gradients: 2e-4 },
} as const;

type Numbers = ArrayLike<number>;

function largest(data: Numbers): number {
  let result = 0;
  for (let i = 0; i < data.length; i++) result = Math.max(result, Math.abs(data[i] as number));
  return result;
}

/** max|a - b| / scale; infinite when a number is missing or not finite. */
function relativeError(a: Numbers, b: Numbers, scale: number): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < b.length; i++) {
    const error = Math.abs((a[i] as number) - (b[i] as number));
    if (!(error <= worst)) worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
  }
  return worst === 0 ? 0 : worst / (scale || 1);
}

/** Collects errors group by group. */
class Report {
  private readonly groups = new Map<string, { count: number; worst: number; at: string; tolerance: number }>();

  add(group: string, name: string, error: number, tolerance: number): void {
    const own = this.groups.get(group) ?? { count: 0, worst: -1, at: name, tolerance };
    own.count++;
    if (!(error <= own.worst)) {
      own.worst = error;
      own.at = name;
    }
    this.groups.set(group, own);
  }

  result(): GroupReport[] {
    return [...this.groups].map(([group, own]) => ({ group, ...own }));
  }
}

/**
 * Builds the model a fixture describes, runs what the file holds, and reports the worst error of every group.
 * @throws FormatError when the file is not a fixture, or holds weights the model lacks
 */
export async function verifyFixture(file: SafetensorsFile, device: Device): Promise<GroupReport[]> {
  const { kind } = file.metadata;
  const report = new Report();
  const allowed = device.name === "reference" ? tolerances.reference : tolerances.wasm;
  if (kind === "tables") await verifyTables(file, device, report, allowed.outputs);
  else if (kind === "sampler") await verifySampler(file, device, report, allowed.outputs);
  else if (kind === "model") await verifyModel(file, device, report, allowed);
  else
    throw new FormatError(
      `verify: metadata "kind" must be model, sampler or tables, got ${JSON.stringify(kind)}. Is this a ptdit fixture?`,
    );
  const groups = report.result();
  if (groups.length === 0) throw new FormatError("verify: the file holds nothing that can be checked.");
  return groups;
}

function tensorOf(file: SafetensorsFile, name: string): HostTensor {
  const tensor = file.tensors.get(name);
  if (!tensor) throw new FormatError(`verify: tensor "${name}" is missing from the file.`);
  return tensor;
}

/** The model of a fixture or a released checkpoint, with its weights. */
export function modelFromFile(file: SafetensorsFile, prefix = "w."): PTDiT {
  let json: unknown;
  try {
    json = JSON.parse(file.metadata.config ?? "null");
  } catch {
    throw new FormatError('verify: metadata "config" is not JSON.');
  }
  const model = new PTDiT(fromReleasedConfig(json));
  const state = new Map(
    [...model.parameters().keys()].map((name) => [name, tensorOf(file, prefix + releasedName(name))] as const),
  );
  const known = new Set([...model.parameters().keys()].map((name) => prefix + releasedName(name)));
  for (const name of file.tensors.keys()) {
    if (name.startsWith(prefix) && !known.has(name) && !derivedNames.has(name.slice(prefix.length))) {
      throw new FormatError(`verify: weight "${name}" has no place in the model that the config describes.`);
    }
  }
  model.load(new Map([...state].map(([name, { shape, data }]) => [name, { shape, data: Float64Array.from(data) }])));
  return model;
}

/** Inputs of a model case by name; indices stay whole numbers. */
function fixtureInputs(file: SafetensorsFile): Map<string, { tensor: Tensor; data: Numbers }> {
  const result = new Map<string, { tensor: Tensor; data: Numbers }>();
  for (const [name, { shape, data }] of file.tensors) {
    if (!name.startsWith("in.")) continue;
    const short = name.slice(3);
    result.set(short, { tensor: input(shape, short === "labels" ? "i32" : "f32"), data });
  }
  return result;
}

function modelInputs(named: ReadonlyMap<string, { tensor: Tensor }>): ModelInputs {
  const get = (name: string): Tensor | undefined => named.get(name)?.tensor;
  const x = get("x_t");
  const t = get("t");
  if (!x || !t) throw new FormatError('verify: a model case needs "in.x_t" and "in.t".');
  return {
    x,
    t,
    caption: get("caption"),
    keep: get("caption_mask"),
    labels: get("labels"),
    resolution: get("resolution"),
    aspect: get("aspect") ?? get("aspect_ratio"),
    proxyIndex: get("proxy_index"),
  };
}

async function verifyModel(
  file: SafetensorsFile,
  device: Device,
  report: Report,
  allowed: { outputs: number; gradients: number },
): Promise<void> {
  const model = modelFromFile(file);
  const parameters = model.parameters();
  const named = fixtureInputs(file);
  const inputs = modelInputs(named);
  const taps = new Map<string, Tensor>();
  const out = model.forward(inputs, recordingTap(taps));
  const [x0, noise] = [named.get("x0")?.tensor, named.get("noise")?.tensor];
  if (!x0 || !noise) throw new FormatError('verify: a model case needs "in.x0" and "in.noise".');
  const target = sub(x0, noise);
  const loss = mean(sampleLosses(predicted(out, x0.shape[1] as number), target));
  const inputGradients = [...file.tensors.keys()].filter((name) => name.startsWith("gin.")).map((name) => name.slice(4));
  const wanted = inputGradients.map((name) => named.get(name)?.tensor).filter((t) => t !== undefined);
  const gradients = grad(loss, [...parameters.values(), ...wanted]);

  const outputs: Record<string, Tensor> = { "out.model": out, "out.loss": loss };
  [...parameters.keys()].forEach((name, i) => {
    outputs[`g.${releasedName(name)}`] = gradients[i] as Tensor;
  });
  inputGradients.forEach((name, i) => {
    outputs[`gin.${name}`] = gradients[parameters.size + i] as Tensor;
  });
  for (const [name, tensor] of taps) outputs[`act.${name}`] = tensor;
  const feed = Object.fromEntries([...named].map(([name, { data }]) => [name, data]));
  const tensors = Object.fromEntries([...named].map(([name, { tensor }]) => [name, tensor]));
  const program = compile(device, { inputs: tensors, outputs });
  const values = await program.run(feed);
  program.dispose();

  const largestGradient = Math.max(
    ...[...file.tensors].filter(([name]) => name.startsWith("g.")).map(([, { data }]) => largest(data)),
    0,
  );
  const geometry = model.geometry(inputs.x);
  for (const [name, { data }] of file.tensors) {
    const group = name.slice(0, name.indexOf("."));
    if (group === "act" && name.endsWith("shift_bias")) {
      report.add("stages", name, relativeError(shiftBias(geometry.grid, model.config), canonicalBias(data), 1), 0);
    } else if (group === "out" || group === "act") {
      const own = values[name]?.data ?? [];
      const placed = group === "act" ? inFixtureOrder(name, own, geometry, model.config) : own;
      report.add(group === "out" ? "outputs" : "stages", name, relativeError(placed, data, largest(data)), allowed.outputs);
    } else if (group === "g" || group === "gin") {
      const scale = Math.max(largest(data), 1e-3 * largestGradient);
      report.add(
        group === "g" ? "gradients" : "input gradients",
        name,
        relativeError(values[name]?.data ?? [], data, scale),
        allowed.gradients,
      );
    }
  }
  releaseParameters(device, parameters.values());
  if (file.metadata.adamw) await verifyAdamW(file, device, report, allowed, { tensors, feed });

  /** Our window order back to theirs, which does not keep a proxy's cell together. */
  function inFixtureOrder(
    name: string,
    data: Numbers,
    { order, inverse, grid }: typeof geometry,
    config: PTDiTConfig,
  ): Numbers {
    const perToken = name === "act.tokens" || (name.startsWith("act.block0.") && !name.includes("proxy_"));
    if (!perToken) return data;
    const theirs =
      name === "act.tokens" ? Int32Array.from(order, (_, i) => i) : windowOrder(grid, config.window, config.window, "block");
    const tokens = order.length;
    const width = config.heads * config.headDim;
    const result = new Float64Array(data.length);
    for (let row = 0; row < data.length / width; row++) {
      const [sample, position] = [Math.floor(row / tokens), row % tokens];
      const from = (sample * tokens + (inverse[theirs[position] as number] as number)) * width;
      for (let d = 0; d < width; d++) result[row * width + d] = data[from + d] as number;
    }
    return result;
  }
}

/** Whether a pair of a shifted window's tokens may attend (0) or not (-1), in plain window order. @shape -> [M, P, P] */
function shiftBias(grid: Triple, { window }: Pick<PTDiTConfig, "window">): Float64Array {
  const regions = shiftRegions(windowOrder(grid, window, window, "block"), grid, window);
  const tokens = window[0] * window[1] * window[2];
  return Float64Array.from({ length: regions.length * tokens }, (_, i) => {
    const [row, j] = [Math.floor(i / tokens), i % tokens];
    const first = Math.floor(row / tokens) * tokens;
    return regions[row] === regions[first + j] ? 0 : -1;
  });
}

/** A stored bias of -10000 as -1. */
const canonicalBias = (data: Numbers): Float64Array => Float64Array.from(data, (b) => (b === 0 ? 0 : -1));

async function verifyAdamW(
  file: SafetensorsFile,
  device: Device,
  report: Report,
  allowed: { outputs: number; gradients: number },
  { tensors, feed }: { tensors: Record<string, Tensor>; feed: Record<string, Numbers> },
): Promise<void> {
  const options = JSON.parse(file.metadata.adamw ?? "") as {
    lr: number;
    beta1: number;
    beta2: number;
    eps: number;
    weight_decay: number;
    steps: number;
  };
  const model = modelFromFile(file);
  const parameters = model.parameters();
  const named = new Map(Object.entries(tensors).map(([name, tensor]) => [name, { tensor }]));
  const out = model.forward(modelInputs(named));
  const [x0, noise] = [tensors.x0 as Tensor, tensors.noise as Tensor];
  const loss = mean(sampleLosses(predicted(out, x0.shape[1] as number), sub(x0, noise)));
  const { lr, beta1, beta2, eps } = options;
  const optimizer = adamW(gradientsOf(loss, parameters), { lr, beta1, beta2, eps, weightDecay: options.weight_decay });
  const program = compile(device, { inputs: tensors, outputs: { loss }, updates: optimizer.updates });
  const losses: number[] = [];
  for (let step = 0; step < options.steps; step++) losses.push((await program.run(feed)).loss.item());
  const stored = tensorOf(file, "adamw.losses").data;
  report.add(
    "AdamW losses",
    "adamw.losses",
    relativeError(losses.slice(0, stored.length), stored, largest(stored)),
    allowed.outputs,
  );
  const state = await readState(device, parameters);
  for (const [name, { data }] of state) {
    const theirs = releasedName(name);
    // The gradient of a key's bias is exactly zero: AdamW normalises rounding noise there.
    if (theirs.endsWith("to_k.bias")) continue;
    const want = tensorOf(file, `adamw.w.${theirs}`).data;
    report.add("AdamW weights", theirs, relativeError(data, want, largest(want)), allowed.gradients);
  }
  program.dispose();
  releaseParameters(device, [...parameters.values(), ...optimizer.state.values()]);
}

async function verifySampler(file: SafetensorsFile, device: Device, report: Report, tolerance: number): Promise<void> {
  const model = modelFromFile(file);
  const noise = tensorOf(file, "in.z");
  const pair = (name: string, other: string) => {
    const [cond, uncond] = [tensorOf(file, name), tensorOf(file, other)];
    const [batch, ...rest] = cond.shape as [number, ...number[]];
    return { tensor: input([2 * batch, ...rest]), data: [...cond.data, ...uncond.data] };
  };
  const [caption, keep] = [pair("in.caption", "in.uncond"), pair("in.caption_mask", "in.uncond_mask")];
  for (const [name, { data }] of file.tensors) {
    const steps = Number(/^out\.steps(\d+)$/.exec(name)?.[1]);
    if (!steps) continue;
    const ratio = Number(file.metadata[`steps${steps}_ratio`] ?? 1);
    const sampler = new Sampler(
      device,
      (x, t) => model.forward({ x, t, caption: caption.tensor, keep: keep.tensor }),
      { caption: caption.tensor, keep: keep.tensor },
      { shape: noise.shape, flow: flowConfig({ ratio }), guided: true },
    );
    const run = { steps, guidance: Number(file.metadata.cfg_scale ?? 4), noise: noise.data };
    const own = await sampler.sample({ caption: caption.data, keep: keep.data }, run);
    sampler.dispose();
    report.add("samples", name, relativeError(own, data, largest(data)), tolerance);
  }
  releaseParameters(device, model.parameters().values());
}

async function verifyTables(file: SafetensorsFile, device: Device, report: Report, tolerance: number): Promise<void> {
  for (const [name, { data, shape }] of file.tensors) {
    const [kind, key = "", part] = name.split(".");
    if (kind === "pe") {
      const [width, frames, rows, columns] = key.split("x").map(Number) as [number, number, number, number];
      const scale = Number(/scale(\d+)/.exec(name)?.[1] ?? 1);
      const own = positionTable(width, [frames, rows, columns], scale);
      report.add(
        "positions",
        name,
        name.endsWith(".rows") ? rowsError(own, data, width) : relativeError(own, data, 1),
        tolerance,
      );
    } else if (kind === "time" && key === "features256") {
      const { data: t, shape: tShape } = tensorOf(file, "time.t");
      const own = (await read(device, sinusoid(constant(Float64Array.from(t), tShape), shape.at(-1) as number))).data;
      report.add("time features", name, relativeError(own, data, 1), tolerance);
    } else if (kind === "schedule") {
      const ratio = scheduleRatio(key);
      const own =
        part === "ratio"
          ? [ratio]
          : sampleTimes(data.length, ratio)
              .slice(0, -1)
              .map((u) => 1000 * u);
      report.add("schedules", name, relativeError(own, data, largest(data)), tolerance);
    } else if (kind === "mask" && part !== "grid" && part !== "window") {
      const triple = (own: string) => [...tensorOf(file, `mask.${key}.${own}`).data] as unknown as Triple;
      const [grid, window] = [triple("grid"), triple("window")];
      const order = windowOrder(grid, window, window, "block");
      if (part === "bias") report.add("windows", name, relativeError(shiftBias(grid, { window }), canonicalBias(data), 1), 0);
      if (part === "order") report.add("windows", name, relativeError(order, data, 1), 0);
      if (part === "order_shifted")
        report.add(
          "windows",
          name,
          relativeError(
            shiftedOrder(order, grid, window).map((i) => order[i] as number),
            data,
            1,
          ),
          0,
        );
    }
  }
}

/** Ratio of a schedule named px512, px512x768 or video17x512. */
function scheduleRatio(key: string): number {
  const picture = /^px(\d+)(?:x(\d+))?$/.exec(key);
  if (picture) return resolutionRatio(Number(picture[1]), Number(picture[2] ?? picture[1]));
  const video = /^video(\d+)x(\d+)$/.exec(key);
  if (video) return resolutionRatio(Number(video[2]), Number(video[2]), Number(video[1]));
  throw new FormatError(`verify: schedule "${key}" is not named px<side>, px<height>x<width> or video<frames>x<side>.`);
}

/** A selection of rows: each must be a row of the table, in its order. */
function rowsError(table: Numbers, data: Numbers, width: number): number {
  let from = 0;
  let worst = 0;
  for (let row = 0; row < data.length; row += width) {
    const wanted = Array.from({ length: width }, (_, d) => data[row + d] as number);
    let best = Number.POSITIVE_INFINITY;
    let bestAt = from;
    for (let at = from; at < table.length; at += width) {
      const error = relativeError(wanted, (table as Float32Array).subarray(at, at + width), 1);
      if (error < best) [best, bestAt] = [error, at];
    }
    from = bestAt + width;
    worst = Math.max(worst, best);
  }
  return worst;
}
