import { join } from "node:path";
import { type FeatureNet, featureNetOf } from "../ptdit/quality/featureNet.js";
import { modelsFolder } from "./models.js";
import { readSafetensorsFile } from "./safetensorsFile.js";

/** The network that comes with the package, for `quality`; `scripts/train-features.ts` made it.
 *  @throws FileError when its file is not there
 *  @throws FormatError when it is damaged */
export async function loadFeatureNet(): Promise<FeatureNet> {
  return featureNetOf(await readSafetensorsFile(join(modelsFolder(), "features", "emoji.safetensors")));
}
