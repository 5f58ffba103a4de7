/** Which build of the kernels an engine runs best: by what it has, and between equals by a race. */

import { runtime } from "#runtime";
import { ConfigError } from "../../base/errors.js";
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

/** The choice, made once a process: it holds for every device of it. */
let chosen: Promise<Choice> | undefined;
let pairedChosen: Promise<Choice> | undefined;

/** The build that is asked for, or the best one.
 *  @throws ConfigError when `vectors` asks for what the engine lacks */
export async function chooseBuild(vectors: Vectors | undefined): Promise<Choice> {
  setEngineFlags(vectors);
  if (vectors === undefined) {
    chosen ??= chooseBest();
    return chosen;
  }
  if (vectors !== "simd" && !hasRelaxedSimd()) {
    throw new ConfigError(`wasm: ${vectors} vectors were asked for, and this engine has no relaxed SIMD. Ask for "simd".`);
  }
  if (vectors === "paired") {
    pairedChosen ??= choosePaired();
    return pairedChosen;
  }
  return { module: await compileBuild(vectors), vectors, reason: "asked for" };
}

/**
 * Builds that fuse give each other's bits, so that timing may choose among them; it must not choose between bits, or a run resumed on
 * a busy machine would differ from a straight one. So only what the engine has tells `simd` from the others.
 */
async function chooseBest(): Promise<Choice> {
  const only = async (vectors: Vectors, reason: string): Promise<Choice> => ({
    module: await compileBuild(vectors),
    vectors,
    reason,
  });
  if (!hasRelaxedSimd()) return only("simd", "this engine has no relaxed SIMD");
  const module = await compileBuild("relaxed");
  if (!(await probe(module)).fuses) return only("simd", "relaxed SIMD does not fuse multiply and add here");
  const relaxed = (reason: string): Choice => ({ module, vectors: "relaxed", reason });
  const forbidden = runtime.pairingForbidden();
  if (forbidden) return relaxed(`multiply and add are fused here, and ${forbidden}`);
  const paired = await compileBuild("paired");
  const timed = await racePaired(module, paired, unasked);
  if (!timed) return relaxed("multiply and add are fused here; this clock is too coarse to time paired vectors");
  return timed.secondWins
    ? { module: paired, vectors: "paired", reason: `the fastest here (${figures(timed)})` }
    : relaxed(`paired vectors are not clearly faster here (${figures(timed)})`);
}

async function choosePaired(): Promise<Choice> {
  const refuse = (why: string): ConfigError =>
    new ConfigError(`wasm: paired vectors were asked for, and ${why}. Ask for "relaxed", which gives the same bits.`);
  const forbidden = runtime.pairingForbidden();
  if (forbidden) throw refuse(forbidden);
  const module = await compileBuild("paired");
  const timed = await racePaired(await compileBuild("relaxed"), module, askedFor);
  if (timed && !timed.secondWins) throw refuse(`this engine makes none of two, or gains nothing by it (${figures(timed)})`);
  const reason = timed ? figures(timed) : "this clock is too coarse to tell whether the engine makes any";
  return { module, vectors: "paired", reason: `asked for (${reason})` };
}

async function racePaired(relaxed: WasmModule, paired: WasmModule, rules: RaceRules): Promise<Race | undefined> {
  const [first, second] = await Promise.all([probe(relaxed), probe(paired)]);
  return race(first.tile, second.tile, rules);
}

const figures = ({ rates: [relaxed, paired] }: Race): string =>
  `relaxed ${relaxed.toFixed(1)}, paired ${paired.toFixed(1)} GFLOP/s in the innermost loop, each the best of several turns`;
