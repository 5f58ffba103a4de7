import { ConfigError, FormatError } from "../base/errors.js";
import type { Picture } from "./picture.js";

/** Of 100; with colours at full resolution, so that drawings keep their edges. */
const defaultQuality = 92;
/** A JPEG counts its rows and columns in two bytes. */
const longestSide = 2 ** 16 - 1;

/** Loaded when first used. */
async function codec(): Promise<typeof import("jpeg-js").encode> {
  try {
    return (await import("jpeg-js")).default.encode;
  } catch {
    throw new ConfigError("jpeg: writing JPEG needs the package jpeg-js, which is not installed. Run: npm install jpeg-js");
  }
}

/** Bytes of a JPEG; opacity is left out.
 *  @throws ConfigError when jpeg-js is not installed
 *  @throws FormatError when the picture is larger than a JPEG can be */
export async function encodeJpeg({ width, height, data }: Picture, quality = defaultQuality): Promise<Uint8Array> {
  if (Math.max(width, height) > longestSide) {
    throw new FormatError(`jpeg: no side may be longer than ${longestSide} pixels; got ${width}x${height}. Write a PNG.`);
  }
  const encode = await codec();
  return Uint8Array.from(encode({ width, height, data }, quality).data);
}
