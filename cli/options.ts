/** Options that several commands have, and how their words are read. */
import { InvalidArgumentError, Option } from "commander";
import { recipeNames } from "../src/ptdit/recipes.js";
import type { SamplingConfig } from "../src/ptdit/sampling.js";
import { type SolverName, solverNames } from "../src/ptdit/solvers/index.js";
import { deviceNames } from "./device.js";

/** A number within bounds, or an error that says so. */
export const number =
  (what: string, { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY, whole = false } = {}) =>
  (text: string): number => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
      throw new InvalidArgumentError(
        `${what} must be a ${whole ? "whole " : ""}number${least > Number.NEGATIVE_INFINITY ? ` of at least ${least}` : ""}${most < Number.POSITIVE_INFINITY ? ` and at most ${most}` : ""}.`,
      );
    }
    return value;
  };

/** A whole number of at least 1. */
export const count = (what: string) => number(what, { least: 1, whole: true });

/** Frames, rows and columns of a window. */
export function windowSizes(text: string): [frames: number, rows: number, columns: number] {
  const [frames, rows, columns, ...more] = text.split(",").map(Number);
  const sizes: [number, number, number] = [frames, rows, columns];
  if (more.length > 0 || sizes.some((size) => !Number.isInteger(size) || size < 1)) {
    throw new InvalidArgumentError("a window is frames,rows,columns in tokens, e.g. 1,2,2.");
  }
  return sizes;
}

/** Two parts of noise, the lesser first. */
function interval(text: string): [least: number, most: number] {
  const [least, most, ...more] = text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  if (more.length > 0 || !(0 <= least && least <= most && most <= 1)) {
    throw new InvalidArgumentError("an interval is two parts of noise from 0 to 1, the lesser first, e.g. 0.5,1.");
  }
  return [least, most];
}

/** How a workload learns. */
export const recipe = () => new Option("--recipe <name>", "how it learns").choices(recipeNames).default("baseline" as const);

/** A trained model: a run of one's own, or one that comes with the package. */
export const run = () => new Option("--run <run>", "a trained run: its folder, its checkpoint, or an exported model");
export const model = () => new Option("--model <name>", "a model that comes with ptdit, in place of a run").conflicts("run");

/** Which average of the weights. */
export const horizon = () =>
  new Option("--horizon <part>", "the average of the weights that is so wide (see train --horizons)").argParser(
    number("horizon", { least: 0 }),
  );

/** Several intervals: an option's words come one by one. */
export const intervals = (text: string, before: readonly [number, number][] = []): [number, number][] => [
  ...before,
  interval(text),
];

/** Several of a kind, with commas between them. */
export const listOf =
  <T>(one: (text: string) => T) =>
  (text: string): T[] =>
    text.split(",").map((part) => one(part.trim()));

export function solver(text: string): SolverName {
  const found = solverNames.find((name) => name === text);
  if (!found) throw new InvalidArgumentError(`solvers are ${solverNames.join(", ")}, with commas between them.`);
  return found;
}

/** How closely to follow the text. */
export const guidance = number("guidance", { least: 0 });

export const samplingSteps = () =>
  new Option("--steps <count>", "denoising steps (default: as the run has it)").argParser(count("steps"));

export const guidanceScale = () =>
  new Option("--guidance <scale>", "how closely to follow the text; 1: no guidance (default: as the run has it)").argParser(
    guidance,
  );

export const guidanceInterval = () =>
  new Option("--guidance-interval <from,to>", "parts of noise at which the text guides (default: as the run has it)").argParser(
    interval,
  );

export const cfgZero = () => new Option("--cfg-zero", "guide by CFG-Zero*");

export const method = () => new Option("--method <name>", "integrator (default: as the run has it)").choices(solverNames);

/** What options say of how to draw; what they leave open the run knows. */
export const drawing = ({
  steps,
  guidance,
  guidanceInterval,
  cfgZero,
  method,
}: Partial<SamplingConfig>): Partial<SamplingConfig> => ({
  ...(steps !== undefined && { steps }),
  ...(guidance !== undefined && { guidance }),
  ...(guidanceInterval !== undefined && { guidanceInterval }),
  ...(cfgZero !== undefined && { cfgZero }),
  ...(method !== undefined && { method }),
});

export const device = () =>
  new Option("--device <name>", "where to compute; auto: on wasm or a GPU, whichever is faster for this")
    .choices(deviceNames)
    .default("wasm" as const);

export const tune = () =>
  new Option(
    "--tune",
    "of --device webgpu: measure once which tiles are fastest for this model's products, and keep the choice",
  );

export const f16 = () => new Option("--f16", "of --device webgpu: keep the weights in 16 bits while drawing");

export const threads = () => new Option("--threads <count>", "threads (default: all cores)").argParser(count("threads"));

export const vectors = () =>
  new Option("--vectors <build>", "build of the kernels (default: the fastest here; paired: needs Node 24)").choices([
    "simd",
    "relaxed",
    "paired",
  ]);

/** `usual` says in words what holds without it. */
export const seedOption = (usual = " (default: 0)") =>
  new Option("--seed <number>", `seed of all random numbers${usual}`).argParser(
    number("seed", { least: 0, most: Number.MAX_SAFE_INTEGER, whole: true }),
  );

export const seed = () => seedOption("").default(0);

/** Minutes of training. */
export const minutes = number("minutes", { least: 0.01 });
