/** Which build of the kernels an engine runs best: by what it has, and between equals by a race. */

import { runtime } from "#runtime";
import { ConfigError, DeviceError } from "../../base/errors.js";
import { compileBuild, hasRelaxedSimd, probe, type Vectors } from "./builds.js";
import type { WasmModule } from "./engine.js";
import { type Race, type RaceRules, race } from "./probe.js";

export interface Choice {
  readonly module: WasmModule;
  readonly vectors: Vectors;
  /** Why this build, and what was measured. */
  readonly reason: string;
}

/** Unasked for, paired vectors must be clearly faster, and soon: a page waits. */
const unasked: RaceRules = { lead: 1.15, patience: 0, longestSlice: 4 };
/** Asked for, they must be faster at all, once the engine has got round to compiling them well. */
const askedFor: RaceRules = { lead: 1, patience: 1000, longestSlice: 40 };

/** Turns on what a build needs and an engine hides behind flags. To be called before anything is compiled; again does no harm. */
export function setEngineFlags(vectors: Vectors | undefined): void {
  if (vectors !== "simd") runtime.turnOn("relaxedSimd");
  if (vectors === "paired") runtime.turnOn("pairedVectors");
}

/** The choices, each made once a process: they hold for every device of it. What could not be fetched or compiled is tried again. */
const choices = new Map<Vectors | undefined, Promise<Choice>>();

/** The build that is asked for, or the best one.
 *  @throws ConfigError when `vectors` asks for what the engine lacks */
export function chooseBuild(vectors: Vectors | undefined): Promise<Choice> {
  setEngineFlags(vectors);
  const choice = choices.get(vectors) ?? choose(vectors);
  choices.set(vectors, choice);
  choice.catch((error: unknown) => error instanceof DeviceError && choices.delete(vectors));
  return choice;
}

async function choose(vectors: Vectors | undefined): Promise<Choice> {
  if (vectors === undefined) return chooseBest();
  if (vectors !== "simd" && !hasRelaxedSimd()) {
    throw new ConfigError(`wasm: ${vectors} vectors were asked for, and this engine has no relaxed SIMD. Ask for "simd".`);
  }
  return vectors === "paired" ? choosePaired() : load(vectors, "asked for");
}

async function load(vectors: Vectors, reason: string): Promise<Choice> {
  return { module: await compileBuild(vectors), vectors, reason };
}

/**
 * Builds that fuse give each other's bits, so that timing may choose among them; it must not choose between bits, or a run resumed on
 * a busy machine would differ from a straight one. So only what the engine has tells `simd` from the others.
 */
async function chooseBest(): Promise<Choice> {
  if (!hasRelaxedSimd()) return load("simd", "this engine has no relaxed SIMD");
  if (!(await probe("relaxed")).fuses) return load("simd", "relaxed SIMD does not fuse multiply and add here");
  const forbidden = runtime.pairingForbidden();
  if (forbidden) return load("relaxed", `multiply and add are fused here, and ${forbidden}`);
  const timed = await racePaired(unasked);
  if (!timed) return load("relaxed", "multiply and add are fused here; this clock is too coarse to time paired vectors");
  return timed.secondWins
    ? load("paired", `the fastest here (${figures(timed)})`)
    : load("relaxed", `paired vectors are not clearly faster here (${figures(timed)})`);
}

async function choosePaired(): Promise<Choice> {
  const refuse = (why: string): ConfigError =>
    new ConfigError(`wasm: paired vectors were asked for, and ${why}. Ask for "relaxed", which gives the same bits.`);
  const forbidden = runtime.pairingForbidden();
  if (forbidden) throw refuse(forbidden);
  const timed = await racePaired(askedFor);
  if (timed && !timed.secondWins) throw refuse(`this engine makes none of two, or gains nothing by it (${figures(timed)})`);
  const reason = timed ? figures(timed) : "this clock is too coarse to tell whether the engine makes any";
  return load("paired", `asked for (${reason})`);
}

async function racePaired(rules: RaceRules): Promise<Race | undefined> {
  const [first, second] = await Promise.all([probe("relaxed"), probe("paired")]);
  return race(first.tile, second.tile, rules);
}

const figures = ({ rates: [relaxed, paired] }: Race): string =>
  `relaxed ${relaxed.toFixed(1)}, paired ${paired.toFixed(1)} GFLOP/s in the innermost loop, each the best of several turns`;
