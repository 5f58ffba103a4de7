import { type Preset, presetOf } from "../src/ptdit/presets.js";
import { gainPreset } from "./gain.js";

/** Presets in small, for adapters that take seconds for a step of the whole. */
const ending = "-reduced";
const [side, depth, batch] = [16, 1, 1];
export const reduction = `one block, ${side} pixels, one picture a step`;
export const reducedName = (name: string): string => `${name}${ending}`;

/** What the bench knows by a name: a preset, one of `gainNames`, or a preset reduced. */
export function benchPreset(name: string): Preset {
  if (!name.endsWith(ending)) return gainPreset(name) ?? presetOf(name);
  const preset = presetOf(name.slice(0, -ending.length));
  return { ...preset, side, batch, config: { ...preset.config, sampleSize: side, depth } };
}
