import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { codeOf } from "../base/errors.js";
import { type CaptionList, type ListedCaption, parseCaptionList } from "../data/captionLists.js";
import { decodeText } from "../data/decodeText.js";
import type { SkippedFile } from "../data/pictureSet.js";
import { type FolderFiles, looksLikePicture } from "./folderFiles.js";
import { normalPath, PictureIndex } from "./pictureIndex.js";

/** Names of lists. Of lists that name the same picture, the first here counts; of two with one name, that nearer to the picture. */
const listNames = ["captions", "metadata"].flatMap((stem) =>
  ["jsonl", "csv", "tsv", "json"].map((ending) => `${stem}.${ending}`),
);

const rankOf = (path: string): number => listNames.indexOf(posix.basename(path).toLowerCase());

/** Whether a file is a list of captions. */
export const isCaptionList = (path: string): boolean => rankOf(path) >= 0;

/** Captions by file, and what to say of the lists. */
export interface ListedCaptions {
  readonly captions: ReadonlyMap<string, string>;
  readonly skipped: readonly SkippedFile[];
  readonly notes: readonly SkippedFile[];
}

/** Reads all lists of captions in a folder. They may name files that look like pictures, or were `loaded` as such. */
export async function listedCaptions(
  folder: string,
  { files, unread }: Pick<FolderFiles, "files" | "unread">,
  loaded: ReadonlySet<string>,
): Promise<ListedCaptions> {
  const reader = new ListReader(
    folder,
    new PictureIndex(
      files.filter((file) => looksLikePicture(file) || loaded.has(file)),
      unread.map((one) => one.folder),
    ),
    unread.map((one) => normalPath(one.folder)),
  );
  const depth = (path: string) => path.split("/").length;
  const lists = files.filter(isCaptionList).sort((a, b) => rankOf(a) - rankOf(b) || depth(b) - depth(a));
  for (const list of lists) await reader.read(list);
  return reader;
}

/** Reads one list after the other; the first that names a picture counts. */
class ListReader implements ListedCaptions {
  readonly captions = new Map<string, string>();
  readonly skipped: SkippedFile[] = [];
  readonly notes: SkippedFile[] = [];

  constructor(
    private readonly folder: string,
    private readonly pictures: PictureIndex,
    private readonly unreadFolders: readonly string[],
  ) {}

  async read(list: string): Promise<void> {
    const place = posix.dirname(list);
    const { entries, broken, notes } = await this.parse(list, (name) => this.pictures.find(place, name).files.length > 0);
    for (const { line, reason } of broken) this.skipped.push({ file: `${list}:${line}`, reason });
    for (const reason of notes) this.notes.push({ file: list, reason });
    const own = new Map<string, ListedCaption>();
    for (const entry of entries) {
      const { files, isExact } = this.pictures.find(place, entry.file);
      if (files.length === 0) this.skipped.push({ file: entry.file, reason: this.whyMissing(list, entry.file) });
      else if (!isExact)
        this.notes.push({
          file: entry.file,
          reason: `no file has quite this name of ${list}; the one that nearly has it was taken`,
        });
      for (const file of files) {
        const before = own.get(file);
        if (before && before.caption !== entry.caption)
          this.notes.push({
            file: `${list}:${before.line}`,
            reason: "its picture is named again further down; the last caption counts",
          });
        own.set(file, entry);
      }
    }
    for (const [file, { caption, line }] of own) {
      const taken = this.captions.get(file);
      if (taken === undefined) this.captions.set(file, caption);
      else if (taken !== caption)
        this.notes.push({ file: `${list}:${line}`, reason: "not used: another list names its picture, too" });
    }
  }

  private whyMissing(list: string, file: string): string {
    const path = normalPath(posix.join(posix.dirname(list), normalPath(file)));
    const isUnread = this.unreadFolders.some((folder) => path.startsWith(`${folder}/`));
    return `named in ${list}, ${isUnread ? "but in a sub-folder that is not read" : "but not in the folder"}`;
  }

  private async parse(list: string, isThere: (file: string) => boolean): Promise<CaptionList> {
    try {
      const { text, encoding } = decodeText(await readFile(join(this.folder, list)));
      if (encoding === "Windows-1252") this.notes.push({ file: list, reason: notUnicode });
      return parseCaptionList(list, text, isThere);
    } catch (error) {
      return { entries: [], broken: [{ line: 1, reason: `the list cannot be read (${codeOf(error)})` }], notes: [] };
    }
  }
}

/** What to say of text whose encoding is a guess. */
export const notUnicode = "not Unicode: read as Windows-1252. If letters come out wrong, save it as UTF-8.";
