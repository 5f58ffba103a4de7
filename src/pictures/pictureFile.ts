import { ConfigError, FormatError } from "../base/errors.js";
import { decodeNatively, decodesNatively } from "./browserPicture.js";
import type { Picture } from "./picture.js";

/** A picture's file taken apart, not yet decoded: what it claims is known to be possible. */
export interface PictureFile {
  /** The picture alone: without what follows it, and the first frame only. */
  readonly bytes: Uint8Array;
  /** Pixels, upright, by the decoder of a package. */
  decode(): Promise<Picture>;
}

/** Takes a file of one format apart; `where` names it in errors. Breaks of the format are thrown as they come. */
export type OpenPicture = (bytes: Uint8Array, where: string) => PictureFile | Promise<PictureFile>;

/**
 * Opens and decodes a picture: by the browser where there is one, which needs no package, else by the package.
 * @throws FormatError when the bytes are not a whole picture
 * @throws ConfigError when the package is not installed
 */
export async function decodeFile(format: string, open: OpenPicture, bytes: Uint8Array, where: string): Promise<Picture> {
  try {
    const file = await open(bytes, where);
    return await (decodesNatively() ? decodeNatively(file.bytes) : file.decode());
  } catch (error) {
    if (error instanceof ConfigError || error instanceof FormatError) throw error;
    throw new FormatError(`${where}: not a whole ${format} (${causeOf(error)}). Copy or save it again.`, { cause: error });
  }
}

/** What a decoder found, in one line; what it stumbled over says nothing to its reader. */
function causeOf(error: unknown): string {
  if (error instanceof RangeError && /bounds|offset/i.test(error.message)) return "it is cut short";
  if (!(error instanceof Error) || error instanceof TypeError || error instanceof WebAssembly.RuntimeError)
    return "its parts do not fit together";
  return error.message.split("\n")[0] ?? "";
}
