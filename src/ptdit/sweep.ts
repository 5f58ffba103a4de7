/** Ways to draw, held against each other: solver × steps × guidance × interval × CFG-Zero*. */
import { input } from "../autograd/tensor.js";
import type { Device } from "../backend/device.js";
import { evenly } from "../base/evenly.js";
import { checkOptions, checkValue, needed, object, type Rule, type Rules, seedRule, whole } from "../base/options.js";
import { type Dataset, sideOf } from "../data/dataset.js";
import { drawCaptions } from "./drawCaptions.js";
import { type FlowConfig, flowConfig } from "./flow.js";
import { Generator } from "./generate.js";
import { type Judgement, judgeSamples } from "./judge.js";
import type { Pipeline } from "./pipeline.js";
import type { FeatureNet } from "./quality/featureNet.js";
import { netRule } from "./quality/featuresOf.js";
import type { Kid } from "./quality/kid.js";
import { kidOfSamples } from "./quality/quality.js";
import { type SamplingConfig, samplingConfig } from "./sampling.js";
import { type Reading, type SolverName, type StepRule, solvers } from "./solvers/index.js";
import { guidedSteps, stillSteps } from "./stepTimes.js";

/** What is tried: every combination. */
export interface SweepAxes {
  readonly solvers: readonly SolverName[];
  readonly steps: readonly number[];
  readonly guidance: readonly number[];
  readonly intervals: readonly (readonly [least: number, most: number])[];
  /** Whether guidance goes by CFG-Zero*: never if not given. */
  readonly cfgZero?: readonly boolean[];
}

const list: Rule = { text: "a list that is not empty", holds: (value) => Array.isArray(value) && value.length > 0 };
const axesRules: Rules<SweepAxes> = {
  solvers: needed(list),
  steps: needed(list),
  guidance: needed(list),
  intervals: needed(list),
  cfgZero: list,
};

/** A way to draw and what it costs. */
export interface SweepSetting {
  readonly sampling: SamplingConfig;
  /** Times that the model is asked for a picture, the second half of guided steps included. */
  readonly predictions: number;
}

/**
 * The combinations of the axes that differ: those whose steps are of the same kinds, guided alike, draw the same pictures, and the
 * first of them stays. What is guided nowhere has guidance 1, the whole interval and no CFG-Zero*.
 * @throws ConfigError when an axis is empty, or what is on it is against its rule
 */
export function sweepSettings(axes: SweepAxes, flow: FlowConfig): SweepSetting[] {
  checkOptions("sweep", axes, axesRules);
  const path = flowConfig(flow);
  const kinds = new Map<StepRule, number>();
  const found = new Map<string, SweepSetting>();
  for (const given of combinations(axes)) {
    const { steps, method } = given;
    const guided = guidedSteps(given, path);
    const isPlain = !guided.includes(true);
    const sampling: SamplingConfig = isPlain ? { ...given, guidance: 1, guidanceInterval: [0, 1], cfgZero: false } : given;
    const still = sampling.cfgZero ? stillSteps(guided) : 0;
    const taken = guided
      .slice(still)
      .map((isGuided, step) => ({ isGuided, rule: solvers[method].ruleOf(step, steps - still) }));
    for (const { rule } of taken) if (!kinds.has(rule)) kinds.set(rule, kinds.size);
    const { guidance, cfgZero } = sampling;
    const key = JSON.stringify([guidance, cfgZero, still, taken.map(({ rule, isGuided }) => [kinds.get(rule), isGuided])]);
    if (found.has(key)) continue;
    const asked = taken.map(({ rule, isGuided }) => predictionsOf(rule, solvers[method].memory) * (isGuided ? 2 : 1));
    found.set(key, { sampling, predictions: asked.reduce((sum, n) => sum + n, 0) });
  }
  return [...found.values()];
}

function* combinations({ solvers: methods, steps: counts, guidance: scales, intervals, cfgZero: zeros = [false] }: SweepAxes) {
  for (const method of methods)
    for (const steps of counts)
      for (const guidance of scales)
        for (const guidanceInterval of intervals)
          for (const cfgZero of zeros) yield samplingConfig({ method, steps, guidance, guidanceInterval, cfgZero });
}

/** How often a step asks the model: counted while it is recorded. */
function predictionsOf(rule: StepRule, memory: number): number {
  let count = 0;
  const asked: Reading = (z) => {
    count++;
    return z;
  };
  const [z, u, length] = [input([1, 1, 1, 1, 1]), input([1]), input([])];
  const places = { u, uNext: u, uBefore: u, length, lengthBefore: length };
  rule({ z, ...places, velocity: asked, data: asked, earlier: Array.from({ length: memory }, () => z) });
  return count;
}

/** What a way to draw came to. */
export interface SweepRow extends SweepSetting {
  readonly judgement: Judgement;
  /** Kernel distance of the samples from their pictures; null: no network was given for it, or too few samples are finite. */
  readonly kid: Kid | null;
}

export interface SweepOptions {
  /** How many of the data set's captions are drawn, evenly chosen; all if not given. Their pictures are looked for among all. */
  readonly captions?: number;
  readonly seed?: number;
  /** What the kernel distance takes features with: see `quality`. */
  readonly features?: FeatureNet;
}

const sweepRules: Rules<SweepOptions> = { captions: whole(1), seed: seedRule, features: netRule };

/**
 * Draws captions of a data set in every way, and judges the samples: rows come as they are found. A picture is the one that all ways
 * of the same noise draw, and that an evaluation of all captions has in its place.
 * @throws ConfigError when an option is unknown or against its rule
 */
export async function* sweep(
  device: Device,
  pipeline: Pipeline,
  data: Dataset,
  flow: FlowConfig,
  settings: readonly SweepSetting[],
  options: SweepOptions = {},
): AsyncGenerator<SweepRow, void, undefined> {
  checkOptions("sweep", options, sweepRules);
  const { captions = data.count, seed = 0, features } = options;
  const places = evenly(data.count, captions);
  let [generator, made]: [Generator | undefined, SolverName | undefined] = [undefined, undefined];
  try {
    for (const setting of settings) {
      const { sampling } = setting;
      // The programs of one solver at a time: those of all would take the memory of all.
      if (made !== sampling.method) generator?.dispose();
      if (!generator || made !== sampling.method) generator = new Generator(device, pipeline, flow, sideOf(data));
      made = sampling.method;
      const samples = await drawCaptions("sweep", generator, data, { ...sampling, seed, places }); // [n, C, H, W]
      const judgement = await judgeSamples(samples, pipeline, data, places);
      yield { ...setting, judgement, kid: features ? await kidOfSamples(device, features, samples, data, places) : null };
    }
  } finally {
    generator?.dispose();
  }
}

/** The rule of `ranked`, in words. */
export const sweepRule = "top-1, then PSNR to a tenth of a dB, then the fewest predictions";

const rowsRule: Rule = {
  text: "a list of rows as a sweep gives them",
  holds: (value) => Array.isArray(value) && value.every((row) => object.holds(Object(row).judgement)),
};

/** Rows from the best on: by top-1, then PSNR to a tenth of a dB, then the fewest predictions. */
export function ranked(rows: readonly SweepRow[]): SweepRow[] {
  checkValue("ranked", "the rows", rows, rowsRule);
  const decibels = ({ judgement: { psnr } }: SweepRow) => Math.round(10 * (psnr ?? Number.MIN_SAFE_INTEGER));
  return [...rows].sort(
    (a, b) => b.judgement.top1 - a.judgement.top1 || decibels(b) - decibels(a) || a.predictions - b.predictions,
  );
}
