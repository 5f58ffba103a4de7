import { ConfigError, FileError, PtditError } from "../../base/errors.js";
import { checkValue, type Rule } from "../../base/options.js";
import { writeSafetensors } from "../../io/safetensors.js";
import { type Checkpoint, readCheckpoint } from "../readCheckpoint.js";
import { type CheckpointSource, checkpointParts } from "../writeCheckpoint.js";
import { formatLog, type LogEntry, parseLog } from "./log.js";
import type { RunStore, Samples } from "./runStore.js";

/** A run that is kept in a browser, held by this page. */
export interface BrowserStore extends RunStore {
  /** Lets other pages have the run, from the moment it is awaited. */
  release(): Promise<void>;
  /** Removes all that is kept of the run. */
  clear(): Promise<void>;
}

const nameRule: Rule = {
  text: "a name without slashes",
  holds: (value) => typeof value === "string" && /^[^/\\]+$/.test(value) && !/^\.+$/.test(value),
};
/** The folder of all runs. */
const home = "ptdit-runs";
const files = { checkpoint: "checkpoint.safetensors", log: "log.jsonl" } as const;
const sampleFile = (step: number) => `step-${String(step).padStart(6, "0")}.safetensors`;

/**
 * A place for one run in this browser, by its name: the origin private file system, which other pages of the same origin see too,
 * and people in the browser's settings. Only one page has it at a time. Samples are kept as safetensors of their pixels.
 * @throws ConfigError when the name is none, another page has the run, or the browser gives pages no such place
 * @source https://fs.spec.whatwg.org: what `createWritable` writes takes the file's place when it is closed, whole
 */
export async function browserStore(name = "run"): Promise<BrowserStore> {
  checkValue("browserStore", "name", name, nameRule);
  const { storage, locks } = globalThis.navigator ?? {};
  if (typeof storage?.getDirectory !== "function" || !locks)
    throw new ConfigError(
      "browserStore: there is no origin private file system here. Open the page by https:// or from localhost, or use memoryStore().",
    );
  const release = await hold(locks, name);
  try {
    const runs = await (await storage.getDirectory()).getDirectoryHandle(home, { create: true });
    return new OriginStore(name, runs, release);
  } catch (error) {
    await release();
    throw fileError(name, "could not be opened", error);
  }
}

/** Takes a run for this page. Returns how to let go of it; a page that is closed lets go by itself. */
function hold(locks: LockManager, name: string): Promise<() => Promise<void>> {
  return new Promise((resolve, reject) => {
    const taken: Promise<unknown> = locks.request(`${home}/${name}`, { ifAvailable: true }, (lock) => {
      if (!lock)
        throw new ConfigError(
          `browserStore: the run "${name}" is in use by another page, or by this one. Release it there, or choose another name.`,
        );
      return new Promise<void>((letGo) =>
        resolve(async () => {
          letGo();
          await taken;
        }),
      );
    });
    taken.catch(reject);
  });
}

class OriginStore implements BrowserStore {
  constructor(
    private readonly name: string,
    private readonly runs: FileSystemDirectoryHandle,
    readonly release: () => Promise<void>,
  ) {}

  async last(): Promise<Checkpoint | undefined> {
    const bytes = await this.read(files.checkpoint);
    return bytes && readCheckpoint(bytes, `run "${this.name}"`);
  }

  async save(source: CheckpointSource): Promise<void> {
    await this.write(files.checkpoint, checkpointParts(source));
  }

  async openLog(step: number): Promise<readonly LogEntry[]> {
    const entries = parseLog(new TextDecoder().decode(await this.read(files.log)), step);
    await this.write(files.log, [encoded(entries)]);
    return entries;
  }

  async append(entry: LogEntry): Promise<void> {
    await this.write(files.log, [encoded([entry])], true);
  }

  async keep({ step, prompts, size, pictures }: Samples): Promise<void> {
    const shape = [prompts.length, pictures.length / (prompts.length * size ** 2), size, size];
    const bytes = writeSafetensors(new Map([["pictures", { shape, data: pictures }]]), { prompts: JSON.stringify(prompts) });
    await this.write(sampleFile(step), [bytes]);
  }

  async holds(step: number): Promise<boolean> {
    return (await this.file(sampleFile(step))) !== undefined;
  }

  async clear(): Promise<void> {
    await this.runs.removeEntry(this.name, { recursive: true }).catch((error: unknown) => {
      if (!isMissing(error)) throw fileError(this.name, "could not be removed", error);
    });
  }

  private folder(): Promise<FileSystemDirectoryHandle> {
    return this.runs.getDirectoryHandle(this.name, { create: true });
  }

  /** A file; undefined: there is none. */
  private async file(file: string): Promise<File | undefined> {
    try {
      return await (await (await this.folder()).getFileHandle(file)).getFile();
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw fileError(`${this.name}/${file}`, "could not be read", error);
    }
  }

  private async read(file: string): Promise<Uint8Array | undefined> {
    const found = await this.file(file);
    return found && new Uint8Array(await found.arrayBuffer());
  }

  /** Writes a file to the side, and puts it in the old one's place. */
  private async write(file: string, parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, after = false): Promise<void> {
    let side: FileSystemWritableFileStream | undefined;
    try {
      const handle = await (await this.folder()).getFileHandle(file, { create: true });
      side = await handle.createWritable({ keepExistingData: after });
      if (after) await side.seek((await handle.getFile()).size);
      // Streams take no views of shared memory.
      for await (const part of parts) await side.write(part.slice());
      await side.close();
    } catch (error) {
      await side?.abort().catch(() => {});
      throw error instanceof PtditError ? error : fileError(`${this.name}/${file}`, "could not be written", error);
    }
  }
}

const encoded = (entries: readonly LogEntry[]) => new TextEncoder().encode(formatLog(entries));

const isMissing = (error: unknown) => error instanceof DOMException && error.name === "NotFoundError";

function fileError(path: string, what: string, error: unknown): FileError {
  const { name = "Error", message = String(error) } = error instanceof Error ? error : {};
  return new FileError(
    `browserStore: ${path} ${what}; ${name} (${message}). Free some space, or allow the page to keep data.`,
    { cause: error },
  );
}
