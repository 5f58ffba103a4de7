import { absentScriptPackages, fontFor } from "../../src/pictures/fontPackages.js";
import { type PictureGridOptions, pictureGrid } from "../../src/pictures/pictureGrid.js";
import type { Picture } from "../../src/pictures/png.js";
import { writePicture } from "./pictureFile.js";

/** Writes pictures as one, as what the path ends in: .png, .jpg.
 *  @throws ConfigError when that cannot be written */
export async function writeGrid(path: string, pictures: readonly Picture[], options: PictureGridOptions): Promise<void> {
  await warnMissing(options.captions ?? []);
  await writePicture(path, await pictureGrid(pictures, options));
}

/** Letters that were said to be missing. */
const said = new Set<string>();

/** Says, once, which letters of captions cannot be drawn. */
export async function warnMissing(captions: readonly string[]): Promise<void> {
  const font = await fontFor(captions);
  const missing = [...new Set(captions.flatMap((caption) => font.missing(caption)))].filter((letter) => !said.has(letter));
  if (missing.length === 0) return;
  for (const letter of missing) said.add(letter);
  const absent = await absentScriptPackages();
  const shown = `${missing.slice(0, 20).join(" ")}${missing.length > 20 ? " ..." : ""}`;
  const cure = absent.length > 0 ? ` Run: npm install ${absent.join(" ")}` : " No font that is used has them.";
  process.stderr.write(`warning: captions: ${missing.length} letters cannot be drawn as they are: ${shown}.${cure}\n`);
}
