import { appendFile, readFile, rmdir, stat } from "node:fs/promises";
import { checkOptions, flag, type Rules } from "../../base/options.js";
import { lossCurve } from "../../pictures/curve.js";
import { encodePng } from "../../pictures/encodePng.js";
import { pictureGrid, split } from "../../pictures/pictureGrid.js";
import type { Checkpoint } from "../../ptdit/readCheckpoint.js";
import { formatLog, isLogLine, type LogEntry, parseLog } from "../../ptdit/session/log.js";
import { logTableHead, logTableRows } from "../../ptdit/session/logTable.js";
import type { RunStore, Samples } from "../../ptdit/session/runStore.js";
import type { CheckpointSource } from "../../ptdit/writeCheckpoint.js";
import { fileError, writeFileAtomic } from "../atomicFile.js";
import { loadCheckpoint, saveCheckpoint } from "../checkpoint.js";
import { makeFolder } from "../makeFolder.js";
import { beginsAs, checkReplaceable } from "../replaceable.js";
import { type RunFiles, runFiles } from "./runFiles.js";
import { type Holder, RunLock } from "./runLock.js";

export interface FolderStoreOptions {
  /** Whether the log is kept as `log.csv` too, from its first step on; a run that has one goes on with it anyway. */
  readonly csv?: boolean;
}

const rules: Rules<FolderStoreOptions> = { csv: flag };

/** A run in a folder, held by this process: `checkpoint.safetensors`, `log.jsonl`, grids of samples and the curve of the loss. */
export class FolderStore implements RunStore {
  readonly files: RunFiles;
  private lines: LogEntry[] = [];
  private hasTable = false;

  private constructor(
    readonly path: string,
    private readonly lock: RunLock,
    /** Folders that were made for it, the uppermost first. */
    private readonly made: readonly string[],
    private readonly options: FolderStoreOptions,
  ) {
    this.files = runFiles(path);
  }

  /** See `folderStore`. */
  static async open(path: string, options: FolderStoreOptions = {}): Promise<FolderStore> {
    checkOptions("folderStore", options, rules);
    const made = await makeFolder(path);
    const lock = await RunLock.take(runFiles(path).lock, path);
    return new FolderStore(path, lock, made, options);
  }

  /** Who held the folder and ended without giving it up. */
  get orphanOf(): Holder | undefined {
    return this.lock.orphanOf;
  }

  async last(): Promise<Checkpoint | undefined> {
    const { checkpoint } = this.files;
    return (await exists(checkpoint)) ? loadCheckpoint(checkpoint) : undefined;
  }

  async save(source: CheckpointSource): Promise<void> {
    await this.check();
    await saveCheckpoint(this.files.checkpoint, source);
  }

  async openLog(step: number): Promise<readonly LogEntry[]> {
    await this.check();
    const { log, table } = this.files;
    const text = await readFile(log, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return "";
      throw fileError(log, "could not be read", error);
    });
    this.lines = parseLog(text, step);
    await writeFileAtomic(log, new TextEncoder().encode(formatLog(this.lines)));
    this.hasTable = this.options.csv === true || (await beginsAs(table, "log of a run")) === true;
    if (this.hasTable) {
      await checkReplaceable(table, "log of a run");
      await writeFileAtomic(table, new TextEncoder().encode(logTableHead + logTableRows(this.lines)));
    }
    return this.lines;
  }

  async append(entry: LogEntry): Promise<void> {
    const { log, table } = this.files;
    this.lines.push(entry);
    await addTo(log, formatLog([entry]));
    if (this.hasTable) await addTo(table, logTableRows([entry]));
  }

  /** Draws the pictures under their captions, and the loss so far. */
  async keep({ step, prompts, size, pictures }: Samples): Promise<void> {
    const path = this.files.grid(step);
    await makeFolder(this.files.samples);
    await checkReplaceable(path, "picture");
    const grid = await pictureGrid(split(pictures, size), { columns: 4, factor: 3, captions: prompts });
    await writeFileAtomic(path, await encodePng(grid));
    const points = this.lines
      .filter(isLogLine)
      .map(({ step, loss, smoothedLoss }) => ({ x: step, y: loss, smoothed: smoothedLoss }));
    if (points.length > 1) await writeFileAtomic(this.files.curve, await lossCurve(points));
  }

  async holds(step: number): Promise<boolean> {
    return exists(this.files.grid(step));
  }

  async touch(): Promise<void> {
    await this.lock.keep();
  }

  /** Gives the folder up. What was made for it and stayed empty goes again. */
  async release(): Promise<void> {
    await this.lock.release();
    for (const folder of [...this.made].reverse()) await rmdir(folder).catch(() => {});
  }

  /** Makes sure of the folder before something is written: that it is there, and still ours.
   *  @throws ConfigError when another trainer has taken it */
  private async check(): Promise<void> {
    await makeFolder(this.path);
    await this.lock.check(this.path);
  }
}

/** A place for one run in a folder, which is made if need be. Release it, so that others may have it.
 *  @throws FileError when there can be no such folder
 *  @throws ConfigError when another trainer holds it, or an option is unknown or against its rule */
export function folderStore(path: string, options: FolderStoreOptions = {}): Promise<FolderStore> {
  return FolderStore.open(path, options);
}

async function addTo(path: string, text: string): Promise<void> {
  await appendFile(path, text).catch((error) => {
    throw fileError(path, "could not be written", error);
  });
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
