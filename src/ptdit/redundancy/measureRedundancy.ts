/** Whether rows of a trained model's attention agree on far keys, as PT-DiT has it: measured layer by layer, at several times. */
import type { Device } from "../../backend/device.js";
import { evenly } from "../../base/evenly.js";
import { callable, checkOptions, positive, type Rules, seedRule, triple, whole } from "../../base/options.js";
import type { Dataset } from "../../data/dataset.js";
import type { FlowConfig } from "../flow.js";
import type { Pipeline } from "../pipeline.js";
import type { Triple } from "../windows.js";
import type { OutputErrors } from "./outputErrors.js";
import { AttentionProbe } from "./probe.js";
import type { RingMeasures } from "./ringMeasures.js";
import { type Quartiles, quartiles } from "./statistics.js";
import { type Verdict, verdictOf } from "./verdict.js";
import { measureHead, type WindowMeasures } from "./windowMeasures.js";

/** Ring measures of many windows: quartiles of each. */
export type RingStatistics = {
  readonly [Name in keyof RingMeasures]: RingMeasures[Name] extends number ? Quartiles : readonly Quartiles[];
};

/** One layer at one time: quartiles over heads, samples and windows. */
export interface LayerRedundancy {
  /** From 0 on. */
  readonly layer: number;
  /** @units 0 (data) .. 1000 (noise) */
  readonly t: number;
  /** Rows of a window, and as many of tokens anywhere. */
  readonly rows: RingStatistics;
  readonly random: RingStatistics;
  readonly errors: Readonly<Record<keyof OutputErrors, Quartiles>>;
  /** Divergence of pairs of rows from anywhere. */
  readonly pairs: Quartiles;
  readonly verdict: Verdict;
}

export interface RedundancyOptions {
  /** @units 0 (data) .. 1000 (noise) */
  readonly times?: readonly number[];
  /** Pictures of the data set, evenly chosen. */
  readonly samples?: number;
  /** Tokens whose rows are held against each other. */
  readonly window?: Triple;
  readonly seed?: number;
  /** Told after every picture at every time, with how many there are. */
  readonly onSample?: (done: number, all: number) => void;
}

/** What holds where nobody says otherwise. */
export const usualRedundancy = { times: [100, 300, 500, 700, 900], samples: 16, window: [1, 4, 4], seed: 0 } as const;

const rules: Rules<RedundancyOptions> = {
  times: {
    text: "a list of numbers above 0, up to 1000",
    holds: (value) => Array.isArray(value) && value.length > 0 && value.every((t) => positive.holds(t) && t <= 1000),
  },
  samples: whole(1),
  window: triple,
  seed: seedRule,
  onSample: callable,
};

/**
 * Measures how far the rows of a window agree, near and far, in every layer of a full-attention model: layers come time by time. No
 * attention map is ever held, but the rows of one window at a time.
 * @throws ConfigError when the model has other mixing, its grid no far keys, or an option is unknown or against its rule
 * @source Qihoo-T2X (arXiv 2409.04005), section 3.1: the claim; measures and rule of the verdict are ours
 */
export async function* measureRedundancy(
  device: Device,
  pipeline: Pipeline,
  data: Dataset,
  flow: FlowConfig,
  options: RedundancyOptions = {},
): AsyncGenerator<LayerRedundancy, void, undefined> {
  checkOptions("redundancy", options, rules);
  const { times, samples, window, seed, onSample } = { ...usualRedundancy, ...options };
  const probe = new AttentionProbe(device, pipeline, data, flow, window);
  try {
    const places = evenly(data.count, samples);
    let done = 0;
    for (const t of times) {
      const layers = Array.from({ length: probe.layers }, (): WindowMeasures[][] => []);
      for (const place of places) {
        for (const [layer, heads] of (await probe.heads(place, t, seed)).entries())
          for (const [i, head] of heads.entries()) {
            layers[layer][i] ??= [];
            layers[layer][i].push(...measureHead(head, probe.rings, seed, place));
          }
        onSample?.(++done, times.length * places.length);
      }
      for (const [layer, heads] of layers.entries()) yield { layer, t, ...summary(heads) };
    }
  } finally {
    probe.dispose();
  }
}

/** @shape heads [heads][samples x windows] */
function summary(heads: readonly (readonly WindowMeasures[])[]): Omit<LayerRedundancy, "layer" | "t"> {
  const all = heads.flat();
  const error = (name: keyof OutputErrors) => quartiles(all.map(({ errors }) => errors[name]));
  return {
    rows: ringStatistics(all.map(({ rows }) => rows)),
    random: ringStatistics(all.map(({ random }) => random)),
    errors: {
      near: error("near"),
      far: error("far"),
      none: error("none"),
      query: error("query"),
      keys: error("keys"),
      both: error("both"),
    },
    pairs: quartiles(all.map(({ pairs }) => pairs)),
    verdict: verdictOf(heads),
  };
}

function ringStatistics(all: readonly RingMeasures[]): RingStatistics {
  const byRing = (name: "spread" | "divergence" | "cosine" | "mass") =>
    all[0][name].map((_, ring) => quartiles(all.map((own) => own[name][ring])));
  return {
    spread: byRing("spread"),
    divergence: byRing("divergence"),
    cosine: byRing("cosine"),
    mass: byRing("mass"),
    near: quartiles(all.map(({ near }) => near)),
    far: quartiles(all.map(({ far }) => far)),
  };
}
