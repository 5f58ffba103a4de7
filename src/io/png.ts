import { ConfigError, FormatError } from "../base/errors.js";
import type { Picture } from "./picture.js";

export * from "./picture.js";

/** Loaded when first used, so that whoever reads no pictures needs no package. */
async function codec(): Promise<typeof import("pngjs").PNG.sync> {
  try {
    return (await import("pngjs")).PNG.sync;
  } catch {
    throw new ConfigError("png: reading and writing PNG needs the package pngjs, which is not installed. Run: npm install pngjs");
  }
}

/**
 * Reads a PNG of any bit depth and colour type; `where` names it in errors.
 * @throws FormatError when the bytes are not a whole PNG
 * @throws ConfigError when pngjs is not installed
 */
export async function decodePng(bytes: Uint8Array, where: string): Promise<Picture> {
  const { read } = await codec();
  try {
    const { width, height, data } = read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    return { width, height, channels: 4, data: Uint8Array.from(data) };
  } catch (error) {
    const [cause] = (error as Error).message.split("\n");
    throw new FormatError(`${where}: not a whole PNG (${cause}). Copy or save it again.`, { cause: error });
  }
}

/** Bytes of a PNG, 8 bits a channel.
 *  @throws ConfigError when pngjs is not installed */
export async function encodePng({ width, height, data }: Picture): Promise<Uint8Array> {
  const { write } = await codec();
  return write({ width, height, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength) } as Parameters<typeof write>[0]);
}
