import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError, FormatError } from "../base/errors.js";
import { decodePng, type Picture } from "../io/png.js";
import { type CaptionList, captionFromName, captionsFromCsv, captionsFromJsonLines } from "./captions.js";
import { type Dataset, datasetOf, normalised, type Sample, type SkippedFile } from "./dataset.js";

/** Longest picture relative to its short side: beyond it the square in the middle would lose more than half. */
const longestSide = 2;

const captionFiles: readonly (readonly [name: string, parse: (text: string) => CaptionList])[] = [
  ["captions.jsonl", captionsFromJsonLines],
  ["captions.csv", captionsFromCsv],
];

/**
 * The PNGs of a folder, in the order of their names. A caption comes from `captions.jsonl` or `captions.csv` if it names the
 * file, else from the `.txt` beside the picture, else from the picture's name. Pictures are cut to the square in their middle.
 * @throws ConfigError when the folder cannot be read or holds no usable picture
 */
export async function loadFolder(folder: string, size = 32): Promise<Dataset> {
  const names = await namesIn(folder);
  const skipped: SkippedFile[] = [];
  const listed = await listedCaptions(folder, names, skipped);
  const samples: Sample[] = [];
  for (const name of names.filter(isPng)) {
    try {
      const picture = await decodePng(await readFile(join(folder, name)), name);
      checkSides(picture);
      const caption = listed.get(name) ?? (await captionBeside(folder, name, names)) ?? captionFromName(name);
      samples.push({ file: name, caption, picture: normalised(picture, size) });
    } catch (error) {
      // Without the codec no file is at fault.
      if (error instanceof ConfigError) throw error;
      skipped.push({ file: name, reason: (error as Error).message });
    }
  }
  if (samples.length === 0) {
    const [first] = skipped;
    const why = first
      ? `${skipped.length} were skipped, the first, ${first.file}, because: ${first.reason}`
      : "it has no file that ends in .png.";
    throw new ConfigError(`data: the folder ${folder} holds no usable picture; ${why} Put PNG pictures into it.`);
  }
  return datasetOf(folder, size, samples, skipped);
}

const isPng = (name: string): boolean => /\.png$/i.test(name) && !name.startsWith(".");

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    const { code = "error" } = error as NodeJS.ErrnoException;
    throw new ConfigError(`data: cannot read the folder ${folder}; ${code}. Give a folder of PNG pictures, or emoji.`, {
      cause: error,
    });
  }
}

async function listedCaptions(
  folder: string,
  names: readonly string[],
  skipped: SkippedFile[],
): Promise<ReadonlyMap<string, string>> {
  const present = new Set(names);
  for (const [list, parse] of captionFiles) {
    if (!present.has(list)) continue;
    const { captions, broken } = parse(await readFile(join(folder, list), "utf8"));
    for (const { line, reason } of broken) skipped.push({ file: `${list}:${line}`, reason });
    for (const file of captions.keys()) {
      if (!present.has(file)) skipped.push({ file, reason: `named in ${list}, but not in the folder` });
    }
    return captions;
  }
  return new Map();
}

async function captionBeside(folder: string, name: string, names: readonly string[]): Promise<string | undefined> {
  const text = name.replace(/\.png$/i, ".txt");
  if (!names.includes(text)) return undefined;
  return (await readFile(join(folder, text), "utf8"))
    .replace(/^\uFEFF/, "")
    .replace(/\s+/g, " ")
    .trim();
}

function checkSides({ width, height }: Picture): void {
  if (Math.max(width, height) > longestSide * Math.min(width, height)) {
    throw new FormatError(`${width}x${height} is too long: its square middle would lose more than half of it. Crop it.`);
  }
}
