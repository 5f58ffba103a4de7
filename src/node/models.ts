/** Models that come with the package. */
import { readdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { ConfigError } from "../base/errors.js";
import { checkNames, checkValue, text } from "../base/options.js";
import { type Checkpoint, loadCheckpoint } from "./checkpoint.js";

const ending = ".safetensors";

/** Where they are. The package knows itself by its name, built or from the sources. */
export const modelsFolder = (): string => join(dirname(createRequire(import.meta.url).resolve("ptdit/package.json")), "models");

/** Names of the models that come with the package, by alphabet. */
export async function modelNames(folder = modelsFolder()): Promise<string[]> {
  // A package of which somebody removed them has none.
  const files = await readdir(folder).catch(() => []);
  return files.flatMap((file) => (file.endsWith(ending) ? [file.slice(0, -ending.length)] : [])).sort();
}

/** The file of a model that comes with the package.
 *  @throws ConfigError listing the names when there is none of that name */
export async function modelFile(name: string, folder = modelsFolder()): Promise<string> {
  checkValue("model", "its name", name, text);
  const names = await modelNames(folder);
  if (names.length === 0)
    throw new ConfigError(
      `model: no model comes with this version of ptdit, asked was ${JSON.stringify(name)}. Give a run of yours.`,
    );
  checkNames("model", "model", [name], names);
  return join(folder, `${name}${ending}`);
}

/** A model that comes with the package: its averaged weights, and the description of the run that made it.
 *  @throws ConfigError listing the names when there is none of that name
 *  @throws FormatError when its file is damaged */
export async function loadModel(name: string): Promise<Checkpoint> {
  return loadCheckpoint(await modelFile(name), { parts: ["average"] });
}
