import { isDeepStrictEqual } from "node:util";
import type { PTDiTConfig } from "../../src/ptdit/config.js";
import { type PresetName, presetNames, presets } from "../../src/ptdit/presets.js";
import { pictureModel } from "./newRun.js";

/** Whether a model for pictures of this side is a preset's, but for what other options and the recipe decide. */
export function isOfPreset(name: PresetName, model: PTDiTConfig, size: number): boolean {
  const { mixing, window, proxyWindow, patch, overlap, pooledCaption, pooledHidden } = model;
  const others = { mixing, window, proxyWindow, patch, overlap, pooledCaption, pooledHidden };
  return isDeepStrictEqual(pictureModel(presets[name], size, others), model);
}

/** The preset that a model was made by; undefined: none of today's. */
export const presetOfModel = (model: PTDiTConfig, size: number): PresetName | undefined =>
  presetNames.find((name) => isOfPreset(name, model, size));
