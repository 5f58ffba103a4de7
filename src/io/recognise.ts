/** What a file is, told from its bytes: names lie, and downloads end in error pages. */

/** Pictures that can be decoded. */
export type PictureFormat = "PNG" | "JPEG" | "WebP" | "GIF" | "AVIF";

/** What kind of thing a file holds. */
export type FileFamily = "picture" | "video" | "archive" | "table" | "weights" | "pointer" | "page" | "text" | "nothing";

export interface FileKind {
  /** As it stands in a sentence: "a JPEG picture". */
  readonly what: string;
  readonly family: FileFamily;
  /** Of pictures that can be decoded. */
  readonly format?: PictureFormat;
}

/** As many first bytes as a file is told by. */
export const headBytes = 4096;

/** Whether the bytes from `at` on are these; numbers and characters alike. */
function has(bytes: Uint8Array, signature: string | readonly number[], at = 0): boolean {
  for (let i = 0; i < signature.length; i++) {
    const expected = typeof signature === "string" ? signature.charCodeAt(i) : signature[i];
    if (bytes[at + i] !== expected) return false;
  }
  return true;
}

type Rule = readonly [what: string, family: FileFamily, matches: (bytes: Uint8Array) => boolean, format?: PictureFormat];

/** Kinds that begin with fixed bytes. The first that matches counts. */
const signatures: readonly Rule[] = [
  ["a PNG picture", "picture", (b) => has(b, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), "PNG"],
  ["a JPEG picture", "picture", (b) => has(b, [0xff, 0xd8, 0xff]), "JPEG"],
  ["a GIF picture", "picture", (b) => has(b, "GIF87a") || has(b, "GIF89a"), "GIF"],
  ["a WebP picture", "picture", (b) => has(b, "RIFF") && has(b, "WEBP", 8), "WebP"],
  ["an AVIF picture", "picture", (b) => brands(b).some((brand) => /^avi[fs]$/.test(brand)), "AVIF"],
  ["a HEIC picture", "picture", (b) => brands(b).some((brand) => /^(he[iv][cxms]|m[is]f1)$/.test(brand))],
  ["a camera's raw picture", "picture", (b) => brands(b).includes("crx ") || has(b, "FUJIFILMCCD-RAW")],
  ["a TIFF or a camera's raw picture", "picture", (b) => has(b, "II*\0") || has(b, "MM\0*") || has(b, "II+\0")],
  ["a BMP picture", "picture", (b) => has(b, "BM") && has(b, [0, 0, 0, 0], 6)],
  ["a JPEG XL picture", "picture", (b) => has(b, [0xff, 0x0a]) || has(b, "\0\0\0\x0cJXL ")],
  ["a JPEG 2000 picture", "picture", (b) => has(b, "\0\0\0\x0cjP  ") || has(b, [0xff, 0x4f, 0xff, 0x51])],
  ["a Photoshop picture", "picture", (b) => has(b, "8BPS")],
  ["an icon", "picture", (b) => has(b, [0, 0, 1, 0]) && b[4] !== 0 && b[5] === 0],
  ["an OpenEXR picture", "picture", (b) => has(b, [0x76, 0x2f, 0x31, 0x01])],
  ["a Radiance picture", "picture", (b) => has(b, "#?RADIANCE")],
  ["a QOI picture", "picture", (b) => has(b, "qoif")],
  ["a Netpbm picture", "picture", (b) => /^P[1-7]\s[\s#\d]/.test(latin(b.subarray(0, 8)))],
  ["an SVG drawing", "picture", (b) => /^(<\?xml[^>]*>\s*)?(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]/i.test(markup(b))],
  ["a PDF document", "picture", (b) => has(b, "%PDF-")],
  ["a video", "video", (b) => has(b, "ftyp", 4) || has(b, "moov", 4) || has(b, [0x1a, 0x45, 0xdf, 0xa3])],
  ["a video", "video", (b) => (has(b, "RIFF") && has(b, "AVI ", 8)) || has(b, [0, 0, 1, 0xba]) || has(b, "FLV\x01")],
  ["a zip archive", "archive", (b) => has(b, "PK\x03\x04") || has(b, "PK\x05\x06")],
  ["a gzip archive", "archive", (b) => has(b, [0x1f, 0x8b, 0x08])],
  ["a bzip2 archive", "archive", (b) => /^BZh[1-9]1AY/.test(latin(b.subarray(0, 8)))],
  ["an xz archive", "archive", (b) => has(b, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0])],
  ["a 7z archive", "archive", (b) => has(b, [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c])],
  ["a Zstandard archive", "archive", (b) => has(b, [0x28, 0xb5, 0x2f, 0xfd])],
  ["a RAR archive", "archive", (b) => has(b, "Rar!\x1a\x07")],
  ["a tar archive", "archive", (b) => has(b, "ustar", 257)],
  ["a Parquet table", "table", (b) => has(b, "PAR1")],
  ["an Arrow table", "table", (b) => has(b, "ARROW1")],
  ["an SQLite database", "table", (b) => has(b, "SQLite format 3\0")],
  ["a GGUF model", "weights", (b) => has(b, "GGUF")],
  ["an HDF5 file", "weights", (b) => has(b, "\x89HDF\r\n\x1a\n")],
  ["a NumPy array", "weights", (b) => has(b, "\x93NUMPY")],
  ["a Python pickle, such as old PyTorch weights", "weights", (b) => b[0] === 0x80 && b[1] >= 2 && b[1] <= 5],
  ["a git-lfs pointer, not the file itself", "pointer", (b) => has(b, "version https://git-lfs.github.com/spec/")],
  ["an HTML page", "page", (b) => /^<(!doctype html|html|head|body|script|meta)\b/i.test(markup(b))],
  ["an XML document", "page", (b) => /^<\?xml\b/.test(markup(b))],
];

/** Tells what a file is from its first bytes; undefined when they say nothing. */
export function recognise(bytes: Uint8Array): FileKind | undefined {
  const head = bytes.subarray(0, headBytes);
  if (head.length === 0) return { what: "an empty file", family: "nothing" };
  const rule = signatures.find(([, , matches]) => matches(head));
  if (rule) {
    const [what, family, , format] = rule;
    return { what, family, ...(format ? { format } : {}) };
  }
  if (head.length >= 8 && head.every((byte) => byte === 0)) return { what: "nothing but zeros", family: "nothing" };
  return isText(head) ? { what: /^\s*[[{]/.test(text(head)) ? "JSON text" : "text", family: "text" } : undefined;
}

/** The brands of an ISO media file: what it claims to be, and what it may be read as.
 *  @source ISO/IEC 14496-12, section 4.3 */
function brands(bytes: Uint8Array): string[] {
  if (!has(bytes, "ftyp", 4)) return [];
  const length = Math.min(bytes.length, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0));
  const names = [latin(bytes.subarray(8, 12))];
  for (let at = 16; at + 4 <= length; at += 4) names.push(latin(bytes.subarray(at, at + 4)));
  return names;
}

const latin = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
const text = (bytes: Uint8Array): string => new TextDecoder("utf-8").decode(bytes);

/** Text without comments. */
const markup = (bytes: Uint8Array): string =>
  text(bytes)
    .replaceAll(/<!--(?:(?!-->)[\s\S])*-->\s*/g, "")
    .trimStart();

/** Whether bytes are UTF-8 without control characters; a letter may be cut at the end. */
function isText(bytes: Uint8Array): boolean {
  const letters = text(bytes);
  return letters !== "\ufffd" && !/[\p{Cc}\ufffd]/u.test(letters.slice(0, -1).replaceAll(/\s/g, ""));
}
