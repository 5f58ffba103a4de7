import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FileError } from "../base/errors.js";

/** What of an open file is used. */
export interface OpenFile {
  writeFile(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** What of the file system is used: a test can stand in for it. */
export interface FileSystem {
  open(path: string, flags: string): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  rm(path: string, options: { force: true }): Promise<void>;
}

/** The real one. */
export const nodeFileSystem: FileSystem = { open, rename, rm };

const cures: Readonly<Record<string, string>> = {
  ENOSPC: "The disk is full: free some space.",
  EDQUOT: "The disk quota is used up: free some space.",
  EACCES: "Choose a folder you may write to.",
  EPERM: "Choose a folder you may write to.",
  EROFS: "The disk is read-only: choose another folder.",
  ENOENT: "Create the folder first.",
  ENOTDIR: "Part of the path is a file: choose another folder.",
  EISDIR: "A folder has that name: choose another one.",
  ENAMETOOLONG: "Choose a shorter name.",
};

/**
 * Writes a file so that at every moment, power cuts included, either the old content or the new one is there, whole:
 * to the side in the same folder, to the disk, then renamed over the old file.
 * @throws FileError when the file system refuses; the old file is as it was and nothing is left beside it
 */
export async function writeFileAtomic(path: string, bytes: Uint8Array, fs: FileSystem = nodeFileSystem): Promise<void> {
  // One name per file, so that what a killed process left behind is overwritten, not collected.
  const side = join(dirname(path), `.${basename(path)}.partial`);
  try {
    await writeSynced(side, bytes, fs);
    await fs.rename(side, path);
  } catch (error) {
    await fs.rm(side, { force: true }).catch(() => {});
    const { code = "error", message } = error as NodeJS.ErrnoException;
    throw new FileError(`${path}: could not be written; ${code} (${message}). ${cures[code] ?? "Check the disk."}`, {
      cause: error,
    });
  }
  await syncFolder(dirname(path), fs);
}

async function writeSynced(path: string, bytes: Uint8Array, fs: FileSystem): Promise<void> {
  const file = await fs.open(path, "w");
  try {
    await file.writeFile(bytes);
    // Without it the rename may reach the disk before the bytes do.
    await file.sync();
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
