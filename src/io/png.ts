import { ConfigError, FormatError } from "../base/errors.js";
import type { Picture } from "./picture.js";

export * from "./picture.js";

/** Four bytes each: a header may claim thousands of millions before a single pixel follows. */
const mostPixels = 2 ** 26;

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Loaded when first used, so that whoever reads no pictures needs no package. */
async function codec(): Promise<typeof import("pngjs").PNG.sync> {
  try {
    return (await import("pngjs")).PNG.sync;
  } catch {
    throw new ConfigError(
      "png: reading and writing PNG needs the package pngjs, which is not installed. Run: npm install pngjs",
    );
  }
}

/**
 * Reads a PNG of any bit depth and colour type; `where` names it in errors.
 * @throws FormatError when the bytes are not a whole PNG
 * @throws ConfigError when pngjs is not installed
 */
export async function decodePng(bytes: Uint8Array, where: string): Promise<Picture> {
  const { read } = await codec();
  if (!signature.every((byte, i) => bytes[i] === byte)) throw new FormatError(`${where}: not a PNG. Convert it to one.`);
  if (bytes.length >= 24) {
    // Width and height stand at fixed places of the first chunk.
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const [wide, high] = [view.getUint32(16), view.getUint32(20)];
    if (wide * high > mostPixels)
      throw new FormatError(
        `${where}: a picture may have ${mostPixels} pixels, this one claims ${wide}x${high}. Make it smaller.`,
      );
  }
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
  return write({ width, height, data: Buffer.from(data.buffer, data.byteOffset, data.byteLength) } as Parameters<
    typeof write
  >[0]);
}
