import { checkOptions, checkValue, finite, flag, object, oneOf, part, type Rule, type Rules, whole } from "../base/options.js";
import { type SolverName, solverNames } from "./solvers/index.js";

/** How pictures are drawn. */
export interface SamplingConfig {
  /** Denoising steps. */
  readonly steps: number;
  /** How closely to follow the text; 1: no guidance, half the work. */
  readonly guidance: number;
  /** The parts of noise u, from least to most, at which the text guides. @source Kynkäänniemi et al., arXiv 2404.07724 */
  readonly guidanceInterval: readonly [least: number, most: number];
  /** CFG-Zero*: the unguided velocity is scaled to fit the guided one before it guides, and the first 4 % of the steps stand still.
   *  @source Fan et al., arXiv 2503.18886 */
  readonly cfgZero: boolean;
  readonly method: SolverName;
}

export const intervalRule: Rule = {
  text: "two parts from 0 to 1, the lesser first",
  holds: (value) => Array.isArray(value) && value.length === 2 && value.every(part.holds) && value[0] <= value[1],
};
/** For those who draw: each setting may be left out. */
export const samplingRules: Rules<SamplingConfig> = {
  steps: whole(1),
  guidance: finite,
  guidanceInterval: intervalRule,
  cfgZero: flag,
  method: oneOf(...solverNames),
};

const defaults: SamplingConfig = { steps: 30, guidance: 3, guidanceInterval: [0, 1], cfgZero: false, method: "euler" };

/** @throws ConfigError when a setting is unknown or against its rule */
export function samplingConfig(options: Partial<SamplingConfig> = {}): SamplingConfig {
  checkValue("sampling", "the configuration", options, object);
  checkOptions("sampling", options, samplingRules);
  return { ...defaults, ...options };
}
