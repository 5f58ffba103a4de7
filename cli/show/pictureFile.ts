import { stat } from "node:fs/promises";
import { dirname, extname, join } from "node:path";
import { ConfigError } from "../../src/base/errors.js";
import { writeFileAtomic } from "../../src/node/atomicFile.js";
import { makeFolder } from "../../src/node/makeFolder.js";
import { checkReplaceable } from "../../src/node/replaceable.js";
import { encodeJpeg } from "../../src/pictures/encodeJpeg.js";
import { encodePng } from "../../src/pictures/encodePng.js";
import type { Picture } from "../../src/pictures/png.js";

/** How a picture is written, by the end of its file's name. */
const encoders: Readonly<Record<string, (picture: Picture) => Promise<Uint8Array>>> = {
  ".png": encodePng,
  ".jpg": (picture) => encodeJpeg(picture),
  ".jpeg": (picture) => encodeJpeg(picture),
};
const kinds = Object.keys(encoders).join(", ");

const encoderOf = (path: string) => encoders[extname(path).toLowerCase()];

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Sees to it, before anything is computed, that a picture can be written there: the kind is known, and the folder exists.
 *  @throws ConfigError naming what can be written */
export async function preparePictureFile(path: string): Promise<void> {
  if (/[/\\]$/.test(path) || (await isFolder(path))) {
    const example = join(path, "sample.png");
    throw new ConfigError(
      `out: "${path}" is a folder, and one picture is to be written. Name a file, such as ${example}; sample --separate writes a file a picture.`,
    );
  }
  if (!encoderOf(path)) {
    const end = extname(path);
    throw new ConfigError(
      `out: pictures are written as ${kinds}; "${path}" ${end ? `ends in "${end}"` : "has no such ending"}. ` +
        `Name it ${path.slice(0, path.length - end.length)}.png.`,
    );
  }
  await makeFolder(dirname(path));
  await checkReplaceable(path, "picture");
}

/** As `preparePictureFile`, for a folder of pictures.
 *  @throws ConfigError when the path is, or looks like, a file */
export async function preparePictureFolder(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found ? !found.isDirectory() : encoderOf(path)) {
    throw new ConfigError(`out: with --separate it is a folder of pictures; "${path}" is a file's name. Name a folder.`);
  }
  await makeFolder(path);
}

/** Writes a picture as what its name ends in.
 *  @throws ConfigError when that cannot be written */
export async function writePicture(path: string, picture: Picture): Promise<void> {
  await preparePictureFile(path);
  await writeFileAtomic(path, await encoderOf(path)(picture));
}
