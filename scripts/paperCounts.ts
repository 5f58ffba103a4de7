/** Counts for docs/paper.md, each made once, and how they are written. */
import type { Complexity } from "../src/ptdit/complexity/counts.ts";
import { countCase, type PaperCase, paperCases } from "../src/ptdit/complexity/paper.ts";

export type Model = PaperCase["model"];
export type Convention = "matrix" | "module";

const counted = new Map<string, Complexity>();
/** A case, counted once. */
export function count(model: Model, pixels: number, frames = 1): Complexity {
  const key = [model, pixels, frames].join();
  const known = counted.get(key) ?? countCase({ model, pixels, frames });
  counted.set(key, known);
  return known;
}

/** What the paper prints of a model at a size. @units 10^9 */
export const printedOf = (model: Model, pixels: number, frames = 1): number | undefined =>
  paperCases.find((one) => one.model === model && one.pixels === pixels && one.frames === frames)?.printed;

/** The graph that the figures of a size of PT-DiT fit. */
export const profiledOf = {
  B: "ptdit-profiled-b",
  L: "ptdit-profiled-l",
  XL: "ptdit-profiled-xl",
  H: "ptdit-profiled-h",
} as const;
export type Size = keyof typeof profiledOf;

/** A figure at a third size where figures of one model go along a line in its tokens, as all do that leave attention out. */
export function onLine(model: Model, [a, b]: readonly [number, number], pixels: number): number {
  const [x, y, z] = [a, b, pixels].map((side) => side ** 2);
  const [fa, fb] = [printedOf(model, a) ?? Number.NaN, printedOf(model, b) ?? Number.NaN];
  return fa + ((fb - fa) * (z - x)) / (y - x);
}

export const giga = (value: number): string => (value / 1e9).toFixed(1);
/** No part has a sign of its own where nothing is left of it. */
export const percent = (part: number, digits = 0): string => `${(100 * part).toFixed(digits).replace(/^-(?=[0.]+$)/, "")} %`;
/** A side, and latent frames where there are several. */
export const sized = (side: string, frames: number): string => (frames > 1 ? `${side} x ${frames}` : side);
