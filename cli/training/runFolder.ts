/** A run's folder on the disk: what a new run may overwrite there, and what it may remove. */
import { readdir, readFile, unlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { ConfigError, codeOf, FormatError } from "../../src/base/errors.js";
import { fileError } from "../../src/node/atomicFile.js";
import { loadRunDescription, type RunDescription } from "../../src/node/checkpoint.js";
import { beginsAs, type Kind } from "../../src/node/replaceable.js";
import { type FolderStore, type FolderStoreOptions, folderStore } from "../../src/node/run/folderStore.js";
import { runFiles } from "../../src/node/run/runFiles.js";
import { claimOf } from "../../src/node/run/runLock.js";
import { finished } from "../../src/node/unfinished.js";

/** What is a run's only if it begins as one's. */
const commonNames: Readonly<Record<string, Kind>> = { "log.csv": "log of a run", "measures.json": "measures of a run" };
/** What systems put into every folder that somebody looks at. */
const systemFile = /^(?:\.DS_Store|Thumbs\.db|desktop\.ini)$/;

/** What a folder holds: paths of a run's own files, and names of everything else. */
interface Contents {
  readonly own: readonly string[];
  readonly foreign: readonly string[];
}

/** Holds a run's folder for this process; says so when one is taken over whose trainer was killed.
 *  @throws FileError when there can be none
 *  @throws ConfigError when another trainer holds it */
export async function holdFolder(path: string, options: FolderStoreOptions = {}): Promise<FolderStore> {
  const store = await folderStore(path, options);
  const { orphanOf } = store;
  if (orphanOf) {
    process.stderr.write(`warning: ${path} was held by process ${orphanOf.pid}, which has ended without giving it up.\n`);
  }
  return store;
}

/** Makes sure that a new run overwrites nobody's files: what an ended run without a checkpoint left may go.
 *  @throws ConfigError naming what would be lost */
export async function checkNew(path: string): Promise<void> {
  const { sample, allCaptions } = runFiles(path);
  const { own } = await contentsOf(path);
  const lost = own.filter((path) => path !== sample && path !== allCaptions && !basename(path).startsWith("."));
  if (lost.length === 0 || (await areLeftOver(path, own))) return;
  throw new ConfigError(
    `train: ${path} is no run, but holds ${listed(lost.map((path) => basename(path)))}, which a new run would overwrite. Move it away, or choose another --out.`,
  );
}

/** What to remove for a run to start anew.
 *  @throws ConfigError when the folder holds anything but a run's own files, or a run that `mayGo` refuses */
export async function clearable(path: string, mayGo: (run: RunDescription) => boolean): Promise<readonly string[]> {
  const refuse = (why: string): never => {
    throw new ConfigError(
      `quickstart: ${path} ${why}; quickstart starts anew and removes nothing but its own run. Choose another --out.`,
    );
  };
  const { own, foreign } = await contentsOf(path);
  if (foreign.length > 0) refuse(`holds ${listed(foreign)}`);
  if (own.length === 0) return own;
  const { checkpoint } = runFiles(path);
  if (own.includes(checkpoint)) {
    const run = await loadRunDescription(checkpoint).catch((error) => {
      if (!(error instanceof FormatError)) throw error;
      return refuse(`holds a checkpoint that is damaged or another program's (${error.message.replace(/\.$/, "")})`);
    });
    if (!mayGo(run)) refuse(`holds a run of another kind, trained on ${run.data}`);
  } else if (!(await areLeftOver(path, own))) {
    refuse(`holds ${listed(own.map((file) => basename(file)))}, but was never a run`);
  }
  return own;
}

/** Removes a run's own files, one by one. */
export async function clear(files: readonly string[]): Promise<void> {
  for (const file of files) {
    await unlink(file).catch((error) => {
      if (codeOf(error) !== "ENOENT") throw fileError(file, "could not be removed", error);
    });
  }
}

async function contentsOf(path: string): Promise<Contents> {
  const [own, foreign]: [string[], string[]] = [[], []];
  const { checkpoint, log, table, measures, curve, sample, allCaptions, samples, stepOf, lock } = runFiles(path);
  const known = new Set([checkpoint, log, table, measures, curve, sample, allCaptions, claimOf(lock)]);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const at = join(path, entry.name);
    if (systemFile.test(entry.name) || at === lock) continue;
    // Others call their files so too.
    const kind = commonNames[entry.name];
    const isOthers = kind !== undefined && (await beginsAs(at, kind)) === false;
    if (entry.isFile() && known.has(join(path, finished(entry.name))) && !isOthers) own.push(at);
    else if (entry.isDirectory() && at === samples) {
      for (const grid of await readdir(at, { withFileTypes: true })) {
        if (grid.isFile() && stepOf(finished(grid.name)) !== undefined) own.push(join(at, grid.name));
        else if (!systemFile.test(grid.name)) foreign.push(join(entry.name, grid.name));
      }
    } else foreign.push(entry.name);
  }
  return { own, foreign };
}

/** Whether files without a checkpoint are what a run left that ended before it saved: the log tells, by its first line or,
 *  before there was one, by being empty and alone, but for its table. */
async function areLeftOver(folder: string, own: readonly string[]): Promise<boolean> {
  const { log, table } = runFiles(folder);
  const text = own.includes(log) ? await readFile(log, "utf8") : undefined;
  if (text === undefined) return false;
  if (text === "") return own.every((file) => file === log || file === table);
  try {
    const { step, smoothedLoss, resumed } = Object(JSON.parse(text.split("\n")[0] ?? "")) as Record<string, unknown>;
    return typeof step === "number" && (typeof smoothedLoss === "number" || typeof resumed === "object");
  } catch {
    return false;
  }
}

/** The first names of a list, and how many more there are. */
function listed(names: readonly string[], most = 3): string {
  const rest = names.length - most;
  return [...names.slice(0, most), ...(rest > 0 ? [`${rest} more`] : [])].join(", ");
}
