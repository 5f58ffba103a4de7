import type { Picture } from "./picture.js";

/** Whether this is a browser that can decode pictures and hand out their pixels. */
export function decodesNatively(): boolean {
  return typeof createImageBitmap === "function" && typeof OffscreenCanvas === "function";
}

/** Pixels of a picture as the browser shows it: first frame, upright, in sRGB.
 *  @throws Error when the browser finds it broken, or does not read its format */
export async function decodeNatively(bytes: Uint8Array): Promise<Picture> {
  const bitmap = await createImageBitmap(new Blob([Uint8Array.from(bytes)]), { premultiplyAlpha: "none" });
  try {
    const { width, height } = bitmap;
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    if (!context) throw new Error("the browser gives no canvas to read it from");
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    return { width, height, channels: 4, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
  } finally {
    bitmap.close();
  }
}
