import { open, readlink, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { codeOf, FileError, messageOf, PtditError } from "../base/errors.js";
import { unfinished } from "./unfinished.js";

/** What of an open file is used. */
export interface OpenFile {
  /** Writes on from where the last part ended. */
  writeFile(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
  chmod?(mode: number): Promise<void>;
}

/** What of the file system is used: a test can stand in for it. */
export interface FileSystem {
  open(path: string, flags: string): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { force: true }): Promise<void>;
}

/** The real one. */
export const nodeFileSystem: FileSystem = { open, rename, rm };

/** What a file shall hold: bytes, or parts one after the other, made when their turn comes. */
export type Content = Uint8Array | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

const cures: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full: free some space.",
  EDQUOT: "The disk quota is used up: free some space.",
  EFBIG: "The file system holds no file so large: choose another disk.",
  EACCES: "Choose a folder you may write to.",
  EPERM: "Choose a folder you may write to.",
  EROFS: "The disk is read-only: choose another folder.",
  ENOENT: "Create the folder first.",
  ENOTDIR: "Part of the path is a file: choose another folder.",
  EISDIR: "A folder has that name: choose another one.",
  EEXIST: "Something else has that name: choose another one.",
  ELOOP: "Its links lead in a circle: choose another name.",
  ENAMETOOLONG: "Choose a shorter name.",
};

/** What the file system refused, in one line with the cure. */
export function fileError(path: string, what: string, error: unknown): FileError {
  const [code, message] = [codeOf(error), messageOf(error)];
  return new FileError(`${path}: ${what}; ${code} (${message}). ${cures[code] ?? "Check the disk."}`, { cause: error });
}

/** Files that are being written, and when they are done: a second write of the same file waits for the first. */
const underWay = new Map<string, Promise<void>>();

/**
 * Writes a file so that at every moment, power cuts included, either the old content or the new one is there, whole:
 * to the side in the same folder, to the disk, then renamed over the old file. A link stays a link: what it leads to is
 * replaced. Devices and pipes are written to as they are. Writes of one file follow each other.
 * @throws FileError when the file system refuses; the old file is as it was and nothing is left beside it
 */
export async function writeFileAtomic(path: string, content: Content, fs: FileSystem = nodeFileSystem): Promise<void> {
  const key = resolve(path);
  const before = underWay.get(key);
  const own = (before ?? Promise.resolve()).catch(() => {}).then(() => replace(path, content, fs));
  underWay.set(key, own);
  try {
    await own;
  } finally {
    if (underWay.get(key) === own) underWay.delete(key);
  }
}

async function replace(path: string, content: Content, fs: FileSystem): Promise<void> {
  const old = await stat(path).catch(() => undefined);
  if (old?.isCharacterDevice() || old?.isFIFO()) {
    await writeParts(path, content, fs, false).catch(refused);
    return;
  }
  if (old?.isDirectory()) throw fileError(path, "could not be written", { code: "EISDIR", message: "it is a folder" });
  if (old && !old.isFile()) throw new FileError(`${path}: could not be written; it is no file. Choose another name.`);
  const target = await targetOf(path);
  // One name per file, so that what a killed process left behind is overwritten, not collected.
  const side = join(dirname(target), unfinished(basename(target)));
  try {
    // Whatever it is, it must not be written through.
    await fs.rm(side, { force: true });
    await writeParts(side, content, fs, true, old && old.mode & 0o7777);
    await fs.rename(side, target);
  } catch (error) {
    await fs.rm(side, { force: true }).catch(() => {});
    refused(error);
  }
  await syncFolder(dirname(target), fs);

  function refused(error: unknown): never {
    // What makes the parts has its own say.
    throw error instanceof PtditError ? error : fileError(path, "could not be written", error);
  }
}

/** Most links that are followed to a file that is not there yet, as in the system's own rule. */
const mostLinks = 40;

/** The file that a path leads to through all links, be it there or not. */
async function targetOf(path: string): Promise<string> {
  let at = path;
  for (let i = 0; i < mostLinks; i++) {
    try {
      return await realpath(at);
    } catch {
      // A link to nothing yet, or no link at all.
      const next = await readlink(at).catch(() => undefined);
      if (next === undefined) return at;
      at = resolve(dirname(at), next);
    }
  }
  return path;
}

async function writeParts(path: string, content: Content, fs: FileSystem, sync: boolean, mode?: number): Promise<void> {
  const file = await fs.open(path, "w");
  try {
    if (mode !== undefined) await file.chmod?.(mode);
    if (content instanceof Uint8Array) await file.writeFile(content);
    else for await (const part of content) await file.writeFile(part);
    // Without it the rename may reach the disk before the bytes do.
    if (sync) await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the rename itself last. Some systems cannot open or sync a folder; the file is whole all the same. */
async function syncFolder(path: string, fs: FileSystem): Promise<void> {
  try {
    const folder = await fs.open(path, "r");
    await folder.sync().finally(() => folder.close());
  } catch {
    // Nothing is lost but the guarantee across a power cut.
  }
}
