/** Ablations that come with the package, and people's own. */
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { FileError } from "../../src/base/errors.js";
import { checkNames } from "../../src/base/options.js";
import { type Ablation, ablationOf } from "../../src/ptdit/ablation/file.js";

const ending = ".json";
const folder = (): string => join(dirname(createRequire(import.meta.url).resolve("ptdit/package.json")), "ablations");

/** An ablation and what it is called. */
export interface NamedAblation extends Ablation {
  readonly name: string;
}

/** Those of the package; of `only` those alone.
 *  @throws ConfigError when one that is asked for is not there */
export async function ownAblations(only?: readonly string[]): Promise<readonly NamedAblation[]> {
  const files = (await readdir(folder())).filter((file) => file.endsWith(ending)).sort();
  const names = files.map((file) => file.slice(0, -ending.length));
  if (only) checkNames("ablate", "ablation", only, names);
  return Promise.all(
    names.filter((name) => !only || only.includes(name)).map((name) => readAblation(join(folder(), name + ending))),
  );
}

/** An ablation of a file.
 *  @throws FileError when it cannot be read, or is no JSON */
export async function readAblation(path: string): Promise<NamedAblation> {
  try {
    const json: unknown = JSON.parse(await readFile(path, "utf8"));
    return { name: basename(path, ending), ...ablationOf(path, json) };
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof Error && "code" in error))
      throw new FileError(`${path}: is no ablation: ${error.message}.`);
    throw error;
  }
}
