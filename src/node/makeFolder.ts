import { lstat, mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { codeOf, FileError } from "../base/errors.js";
import { fileError } from "./atomicFile.js";

/**
 * Makes a folder and those above it. Returns the ones it made, the uppermost first. One by one, because Node's own recursion
 * never ends where nothing can be made: below /proc a missing folder is "not found" for ever.
 * @throws FileError when part of the path is a file, or the system makes no folder there
 */
export async function makeFolder(path: string): Promise<string[]> {
  if (path.trim() === "") throw new FileError("folder: its name is empty. Give it a name.");
  const missing: string[] = [];
  for (let at = resolve(path); ; at = dirname(at)) {
    const found = await stat(at).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw fileError(path, "the folder could not be made", error);
    });
    if (found?.isDirectory()) break;
    if (found) throw new FileError(`${path}: ${at === resolve(path) ? "it" : at} is no folder. Choose another folder.`);
    if (await lstat(at).catch(() => undefined))
      throw new FileError(`${path}: ${at} is a link that leads nowhere. Make what it leads to, or choose another folder.`);
    missing.unshift(at);
    if (dirname(at) === at) break;
  }
  const made: string[] = [];
  for (const folder of missing) {
    try {
      await mkdir(folder);
      made.push(folder);
    } catch (error) {
      const code = codeOf(error);
      // Somebody else was faster.
      if (code === "EEXIST" && (await stat(folder).catch(() => undefined))?.isDirectory()) continue;
      if (code === "ENOENT")
        throw new FileError(`${path}: no folder can be made in ${dirname(folder)}. Choose another folder.`, { cause: error });
      throw fileError(path, "the folder could not be made", error);
    }
  }
  return made;
}
