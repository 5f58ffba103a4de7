import type { Cache } from "../../base/cache.js";

/** The folder of all that is kept. */
const home = "ptdit-cache";

/** Texts in the origin private file system, where a browser gives pages one.
 *  @source https://fs.spec.whatwg.org: what `createWritable` writes takes the file's place when it is closed, whole */
export const browserCache: Cache = {
  async keep(name, text) {
    const writable = await (await fileOf(name, true))?.createWritable();
    await writable?.write(text);
    await writable?.close();
  },
  async recall(name) {
    const file = await fileOf(name, false).catch(() => undefined);
    return (await file?.getFile())?.text();
  },
};

async function fileOf(name: string, create: boolean): Promise<FileSystemFileHandle | undefined> {
  const files = await globalThis.navigator?.storage?.getDirectory?.();
  return (await files?.getDirectoryHandle(home, { create }))?.getFileHandle(name, { create });
}
