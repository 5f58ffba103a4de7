import { readdir, realpath, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { ConfigError, codeOf, PtditError } from "../../base/errors.js";
import { loadRunDescription, type RunDescription } from "../checkpoint.js";
import { loadMeasures, type RunMeasures } from "./measures.js";
import { runFiles } from "./runFiles.js";

/** Where a run was found: its folder, and what that is called below the folder that was looked through. */
interface Place {
  readonly name: string;
  readonly folder: string;
}

/** A run as its checkpoint describes it. */
export interface FoundRun extends Place {
  readonly run: RunDescription;
  /** When the checkpoint was saved. */
  readonly saved: Date;
  /** The last there are; they may be of an earlier step. */
  readonly measures?: RunMeasures;
  /** The last grid of samples. */
  readonly picture?: string;
}

/** What looks like a run, or may hold some, and cannot be read. */
export interface UnreadRun extends Place {
  readonly error: string;
}

/**
 * The runs in a folder and all below it, the one that was saved last first. Of a checkpoint only its header is read. Hidden folders are
 * left out, and what lies inside a run; links are followed, and no folder is looked into twice.
 * @throws ConfigError when the folder cannot be read
 */
export async function listRuns(folder: string): Promise<readonly (FoundRun | UnreadRun)[]> {
  const found: (FoundRun | UnreadRun)[] = [];
  const seen = new Set<string>();
  const open: Place[] = [{ name: "", folder }];
  // Links come last: a run goes by its own name if it has one here.
  const links: Place[] = [];
  for (let at = open.pop(); at !== undefined; at = open.pop() ?? links.shift()) {
    const { name, folder } = at;
    try {
      const place = await realpath(folder);
      if (seen.has(place)) continue;
      seen.add(place);
      const entries = await readdir(place, { withFileTypes: true });
      const checkpoint = basename(runFiles(folder).checkpoint);
      if (entries.some((entry) => entry.name === checkpoint && !entry.isDirectory())) {
        found.push(await described({ name: name || basename(resolve(folder)), folder }));
        continue;
      }
      for (const entry of entries.filter(({ name }) => !isLeftOut(name))) {
        const below = { name: name === "" ? entry.name : `${name}/${entry.name}`, folder: join(folder, entry.name) };
        if (entry.isDirectory()) open.push(below);
        else if (entry.isSymbolicLink() && (await isFolder(below.folder))) links.push(below);
      }
    } catch (error) {
      if (codeOf(error, "") === "") throw error;
      if (name === "")
        throw new ConfigError(`runs: cannot read the folder ${folder} (${codeOf(error)}). Give a folder that holds runs.`, {
          cause: error,
        });
      found.push({ name, folder, error: `the folder cannot be read (${codeOf(error)})` });
    }
  }
  const time = (one: FoundRun | UnreadRun) => ("error" in one ? 0 : one.saved.getTime());
  return found.sort((a, b) => time(b) - time(a) || a.name.localeCompare(b.name));
}

const isLeftOut = (name: string): boolean => name.startsWith(".") || name === "node_modules";

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

async function described(place: Place): Promise<FoundRun | UnreadRun> {
  const { checkpoint, measures: kept } = runFiles(place.folder);
  try {
    const run = await loadRunDescription(checkpoint);
    const { mtime: saved } = await stat(checkpoint);
    const measures = await loadMeasures(kept);
    const picture = await lastGrid(place.folder);
    return { ...place, run, saved, ...(measures && { measures }), ...(picture !== undefined && { picture }) };
  } catch (error) {
    if (!(error instanceof PtditError)) throw error;
    return { ...place, error: error.message };
  }
}

/** The grid of the most steps in a run's folder; undefined: there is none. */
async function lastGrid(folder: string): Promise<string | undefined> {
  const { samples, grid, stepOf } = runFiles(folder);
  const names = await readdir(samples).catch(() => []);
  const steps = names.map(stepOf).filter((step) => step !== undefined);
  return steps.length > 0 ? grid(Math.max(...steps)) : undefined;
}
