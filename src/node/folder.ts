import { open, readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { ConfigError, codeOf, FormatError, PtditError } from "../base/errors.js";
import { captionsFromNames } from "../data/captions.js";
import { normalised, type PictureSet, pictureSetOf, type Sample, type SkippedFile } from "../data/pictureSet.js";
import { type CaptionKind, richCaptions } from "../data/richCaptions.js";
import { counted, someOf } from "../data/skipped.js";
import { mostWords } from "../data/tokenizer.js";
import { headBytes, recognise } from "../io/recognise.js";
import { decodePicture } from "../pictures/decodePicture.js";
import type { Picture } from "../pictures/picture.js";
import { type VisibleFacts, visibleFacts } from "../pictures/visibleFacts.js";
import { CaptionsBeside, isCaptionText } from "./captionsBeside.js";
import { type FolderFiles, filesIn, looksLikePicture } from "./folderFiles.js";
import { isCaptionList, listedCaptions } from "./listedCaptions.js";

/** Longest picture relative to its short side: beyond it the square in the middle would lose more than half. */
const longestSide = 2;

export interface FolderOptions {
  /** Whether the pictures of sub-folders count too. */
  readonly recursive?: boolean;
  /** What captions are made of: what a person gave alone, which is the usual, or with variants that say what can be seen, too. */
  readonly captions?: CaptionKind;
}

/** A picture of a folder, ready for the engine. @shape picture [3, size, size] in -1..1 */
interface LoadedPicture {
  readonly path: string;
  readonly picture: Float32Array;
  readonly facts?: VisibleFacts;
}

/**
 * The pictures of a folder, in the order of their names: PNG, JPEG, WebP, GIF and AVIF, known by their bytes. A caption comes
 * from a list (`captions` or `metadata`, `.jsonl`, `.csv`, `.tsv` or `.json`) that names the file, else from the `.txt` or
 * `.caption` beside the picture, else from the picture's name. Pictures are cut to the square in their middle.
 * @throws ConfigError when the folder cannot be read or holds no usable picture, or a decoder is not installed
 */
export async function loadFolder(folder: string, size = 32, options: FolderOptions = {}): Promise<PictureSet> {
  const { recursive = false, captions = "name" } = options;
  const found = await filesIn(folder, recursive);
  const { loaded, skipped } = await loadPictures(folder, found, size, captions);
  const listed = await listedCaptions(folder, found, new Set(loaded.map(({ path }) => path)));
  const notes = [...listed.notes, ...unknownLists(found.files)];
  const samples = await captioned(folder, found.files, loaded, listed.captions, notes);
  const unread = unreadFolders(found);
  const refused = [...listed.skipped, ...skipped];
  if (samples.length === 0)
    throw new ConfigError(`data: the folder ${folder} holds no usable picture; ${whyEmpty(refused, unread)}`);
  return pictureSetOf(folder, size, samples, [...refused, ...unread], notes);
}

/** Decodes what is a picture; what looks like data and is not read is named, the rest is nobody's loss. */
async function loadPictures(folder: string, { files, skipped: before }: FolderFiles, size: number, captions: CaptionKind) {
  const skipped = [...before];
  const loaded: LoadedPicture[] = [];
  for (const path of files) {
    if (isCaptionText(path) || isCaptionList(path)) continue;
    try {
      const head = await readHead(join(folder, path));
      const kind = recognise(head);
      const isData = kind !== undefined && ["picture", "video", "archive", "table"].includes(kind.family);
      if (!looksLikePicture(path) && !isData) continue;
      if (kind?.format && isUnfinished(path)) throw new FormatError("a picture, but by its name a backup or half a download.");
      // The head tells what else it is: a film need not be read to its end.
      const picture = await decodePicture(kind?.format ? await readFile(join(folder, path)) : head, path);
      checkSides(picture);
      const facts = captions === "rich" && { facts: visibleFacts(picture) };
      loaded.push({ path, picture: normalised(picture, size), ...facts });
    } catch (error) {
      // Without the codec no file is at fault.
      if (error instanceof ConfigError) throw error;
      skipped.push({ file: path, reason: reasonOf(error, path) });
    }
  }
  skipped.sort((a, b) => (a.file < b.file ? -1 : 1));
  return { loaded, skipped };
}

const isUnfinished = (path: string): boolean => /(~|\.(bak|old|orig|te?mp|part|partial|crdownload|download|swp))$/i.test(path);

async function readHead(place: string): Promise<Uint8Array> {
  const file = await open(place);
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(headBytes), 0, headBytes);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function checkSides({ width, height }: Picture): void {
  if (Math.max(width, height) > longestSide * Math.min(width, height)) {
    throw new FormatError(`${width}x${height} is too long: its square middle would lose more than half of it. Crop it.`);
  }
}

/** What went wrong with a file, without its name. */
function reasonOf(error: unknown, path: string): string {
  if (!(error instanceof PtditError)) return `it cannot be read (${codeOf(error)})`;
  return error.message.startsWith(`${path}: `) ? error.message.slice(path.length + 2) : error.message;
}

/** Pictures with their captions: from a list, from the text beside, from the name. */
async function captioned(
  folder: string,
  files: readonly string[],
  loaded: readonly LoadedPicture[],
  listed: ReadonlyMap<string, string>,
  notes: SkippedFile[],
) {
  const beside = new CaptionsBeside(folder, files, notes);
  const spelled = namesSpelled(loaded.map(({ path }) => path));
  const nameless: string[] = [];
  const samples: Sample[] = [];
  for (const { path, picture, facts } of loaded) {
    const given = listed.get(path) ?? (await beside.of(path));
    if (given === undefined) nameless.push(path);
    const caption = given ?? spelled.get(path) ?? "";
    const rich = facts && { rich: richCaptions({ name: caption, facts }, mostWords) };
    samples.push({ file: path, caption, ...rich, picture });
  }
  // Where no picture has a caption, the names are meant.
  if (nameless.length < loaded.length)
    for (const file of nameless) notes.push({ file, reason: "no list and no text has a caption for it: its name is taken" });
  beside.noteOrphans();
  return samples;
}

/** What the names of pictures say; numbers count among those of one folder. */
function namesSpelled(paths: readonly string[]): Map<string, string> {
  const byFolder = new Map<string, string[]>();
  for (const path of paths) {
    const group = byFolder.get(posix.dirname(path)) ?? [];
    byFolder.set(posix.dirname(path), group);
    group.push(path);
  }
  return new Map(
    [...byFolder.values()].flatMap((group) => {
      const captions = captionsFromNames(group.map((path) => posix.basename(path)));
      return group.map((path, i): [string, string] => [path, captions[i] ?? ""]);
    }),
  );
}

/** Lists that are not read, because a folder may hold any table. */
function unknownLists(files: readonly string[]): SkippedFile[] {
  return files
    .filter((file) => /\.(jsonl|csv|tsv)$/i.test(file) && !isCaptionList(file))
    .map((file) => ({ file, reason: "not read: only lists called captions or metadata are, such as metadata.csv" }));
}

function unreadFolders({ unread }: FolderFiles): SkippedFile[] {
  if (unread.length === 0) return [];
  const pictures = unread.reduce((sum, one) => sum + one.pictures, 0);
  const folders = unread.map(({ folder }) => `${folder}/`).sort();
  const counts = `${counted(folders.length, "sub-folder")} with ${counted(pictures, "picture")}`;
  return [{ file: someOf(folders), reason: `${counts}. Add --recursive (in code: recursive: true) to read them.` }];
}

function whyEmpty(refused: readonly SkippedFile[], unread: readonly SkippedFile[]): string {
  const [first] = refused;
  const below = unread.map(({ file, reason }) => ` Below it (${file}) are ${reason}`).join("");
  const why = first
    ? `${refused.length} were skipped, the first, ${first.file}, because: ${first.reason}`
    : "it has no file that ends in .png, .jpg, .webp, .gif or .avif.";
  return `${why}${below || " Put PNG, JPEG, WebP, GIF or AVIF pictures into it."}`;
}
