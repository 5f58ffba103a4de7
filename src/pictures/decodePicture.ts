import { FormatError } from "../base/errors.js";
import { type FileFamily, type PictureFormat, recognise } from "../io/recognise.js";
import { openAvif } from "./avif.js";
import { openGif } from "./gif.js";
import { openJpeg } from "./jpeg.js";
import type { Picture } from "./picture.js";
import { decodeFile, type OpenPicture } from "./pictureFile.js";
import { openPng } from "./png.js";
import { openWebp } from "./webp.js";

const openers: Readonly<Record<PictureFormat, OpenPicture>> = {
  PNG: openPng,
  JPEG: openJpeg,
  WebP: openWebp,
  GIF: openGif,
  AVIF: openAvif,
};

/** What to do about a file that cannot be decoded. */
const cures: Readonly<Record<FileFamily, string>> = {
  picture: "Convert it to PNG, JPEG or WebP.",
  video: "Save frames of it as pictures.",
  archive: "Unpack it.",
  table: "Save the pictures in it as files.",
  weights: "Leave it out.",
  pointer: "Fetch the file itself: git lfs pull.",
  page: "Download the picture itself: a page about it, or an error, came in its place.",
  text: "Leave it out, or give the picture.",
  nothing: "Copy or download it again.",
};

/**
 * Decodes a picture by what its bytes are, whatever its name says: PNG, JPEG, WebP, GIF (the first frame) or AVIF, turned upright.
 * In a browser the browser decodes; elsewhere pngjs, @jsquash/jpeg (jpeg-js for CMYK), @jsquash/webp and @jsquash/avif do, each
 * loaded when first needed. `where` names the file in errors.
 * @throws FormatError when the bytes are something else or broken, or claim more pixels than a picture may have
 * @throws ConfigError when the package of the format is not installed
 */
export async function decodePicture(bytes: Uint8Array, where: string): Promise<Picture> {
  const kind = recognise(bytes);
  if (!kind) throw new FormatError(`${where}: not a picture that is known. Convert it to PNG, JPEG or WebP.`);
  if (!kind.format) {
    const isData = ["picture", "video", "archive", "table", "weights"].includes(kind.family);
    const what = isData ? `${kind.what}, which is not read` : `not a picture but ${kind.what}`;
    throw new FormatError(`${where}: ${what}. ${cures[kind.family]}`);
  }
  return decodeFile(kind.format, openers[kind.format], bytes, where);
}
