import type { Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, codeOf } from "../base/errors.js";
import type { SkippedFile } from "../data/pictureSet.js";

/** What a folder holds. */
export interface FolderFiles {
  /** Files by their paths in the folder, parted by "/", in the order of their names; hidden ones are left out. */
  readonly files: readonly string[];
  /** Sub-folders that were not looked into, and how many pictures they hold. */
  readonly unread: readonly { readonly folder: string; readonly pictures: number }[];
  /** What is named like a picture and is no file. */
  readonly skipped: readonly SkippedFile[];
}

/** Endings of pictures, read or not. */
const pictureEnding =
  /\.(a?png|jpe?g|jpe|jfif|webp|gif|avif|hei[cf]|jxl|jp2|bmp|dib|tiff?|tga|psd|svg|exr|hdr|dng|cr[23]|nef|arw)$/i;

/** Whether a name is that of a picture. */
export const looksLikePicture = (name: string): boolean => pictureEnding.test(name);

/** What systems and tools leave behind in folders; nobody means it as data. */
const isLitter = (name: string): boolean =>
  name.startsWith(".") ||
  /^(__MACOSX|@eaDir|\$RECYCLE\.BIN|System Volume Information|lost\+found)$/i.test(name) ||
  /^(e?h?thumbs(_vista)?\.db|desktop\.ini|icon\r)$/i.test(name);

/** Entries beyond which a sub-folder that is not read is no longer counted. */
const mostCounted = 100_000;

/**
 * Lists a folder's files, with `recursive` those of its sub-folders too. Links are followed; no folder is read twice, so that
 * folders that hold themselves come to an end.
 * @throws ConfigError when the folder cannot be read
 */
export async function filesIn(folder: string, recursive: boolean): Promise<FolderFiles> {
  const files: string[] = [];
  const unread: { folder: string; pictures: number }[] = [];
  const skipped: SkippedFile[] = [];
  const seen = new Set<string>();
  const open = [""];
  // Folders that are links come last: what they lead to is read under its own name if it has one here.
  const links: string[] = [];
  for (let at = open.pop(); at !== undefined; at = open.pop() ?? links.shift()) {
    try {
      const place = await realpath(join(folder, at));
      if (seen.has(place)) continue;
      seen.add(place);
      for (const entry of await readdir(place, { withFileTypes: true })) {
        const path = at === "" ? entry.name : `${at}/${entry.name}`;
        const kind = isLitter(entry.name) ? "litter" : await kindOf(join(place, entry.name), entry);
        if (kind === "file") files.push(path);
        else if (kind === "folder" && recursive) (entry.isSymbolicLink() ? links : open).push(path);
        else if (kind === "folder") {
          const pictures = await countPictures(join(place, entry.name));
          if (pictures > 0) unread.push({ folder: path, pictures });
          else if (looksLikePicture(path)) skipped.push({ file: path, reason: "a folder, not a picture" });
        } else if (kind !== "litter" && looksLikePicture(path)) skipped.push({ file: path, reason: kind });
      }
    } catch (error) {
      if (at !== "") skipped.push({ file: at, reason: `a sub-folder that cannot be read (${codeOf(error)})` });
      else {
        const message = `data: cannot read the folder ${folder}; ${codeOf(error)}. Give a folder of pictures, or emoji.`;
        throw new ConfigError(message, { cause: error });
      }
    }
  }
  return { files: files.sort(), unread, skipped };
}

/** What an entry is, or leads to; in words where it is neither a file nor a folder. */
async function kindOf(place: string, entry: Dirent): Promise<"file" | "folder" | `${string} ${string}`> {
  try {
    const target = entry.isSymbolicLink() ? await stat(place) : entry;
    if (target.isFile()) return "file";
    return target.isDirectory() ? "folder" : "neither a file nor a folder";
  } catch (error) {
    return `a link that leads nowhere (${codeOf(error)})`;
  }
}

/** How many pictures there are in a folder and all below it, by their names; of very many, about. */
async function countPictures(folder: string): Promise<number> {
  const open = [folder];
  let [pictures, entries] = [0, 0];
  for (let at = open.pop(); at !== undefined && entries < mostCounted; at = open.pop()) {
    const here = await readdir(at, { withFileTypes: true }).catch((): Dirent[] => []);
    for (const entry of here.filter(({ name }) => !isLitter(name))) {
      entries++;
      if (entry.isDirectory()) open.push(join(at, entry.name));
      else if (looksLikePicture(entry.name)) pictures++;
    }
  }
  return pictures;
}
