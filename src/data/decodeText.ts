/** How a text was stored. */
export type Encoding = "UTF-8" | "UTF-16" | "UTF-32" | "Windows-1252";

export interface DecodedText {
  /** Without a byte order mark. */
  readonly text: string;
  readonly encoding: Encoding;
}

/**
 * The text of a file, whatever program saved it: UTF-8, UTF-16 and UTF-32 with a mark, UTF-16 without one in either order of
 * bytes, else Windows-1252, which holds Latin-1.
 */
export function decodeText(bytes: Uint8Array): DecodedText {
  const marked = markedText(bytes);
  if (marked) return marked;
  const narrow = strictly("utf-8", bytes);
  if (narrow !== undefined && !/[^\P{Cc}\s]/u.test(narrow)) return { text: narrow, encoding: "UTF-8" };
  const wide = wideText(bytes);
  if (wide !== undefined) return { text: wide, encoding: "UTF-16" };
  return narrow === undefined ? { text: windowsText(bytes), encoding: "Windows-1252" } : { text: narrow, encoding: "UTF-8" };
}

/** What UTF-16 read in the wrong order is full of: control characters, and points that mean nothing or something private. */
const oddLetters = /[^\P{C}\s\p{Cf}]/u;

function markedText(bytes: Uint8Array): DecodedText | undefined {
  const starts = (...mark: number[]) => mark.every((byte, i) => bytes[i] === byte);
  if (starts(0xef, 0xbb, 0xbf)) {
    const text = strictly("utf-8", bytes);
    // A mark that lies: a program put it in front of what it had.
    return text === undefined
      ? { text: windowsText(bytes.subarray(3)), encoding: "Windows-1252" }
      : { text, encoding: "UTF-8" };
  }
  if (starts(0xff, 0xfe, 0, 0)) return { text: utf32(bytes.subarray(4), true), encoding: "UTF-32" };
  if (starts(0, 0, 0xfe, 0xff)) return { text: utf32(bytes.subarray(4), false), encoding: "UTF-32" };
  if (starts(0xff, 0xfe)) return { text: new TextDecoder("utf-16le").decode(bytes), encoding: "UTF-16" };
  return starts(0xfe, 0xff) ? { text: new TextDecoder("utf-16be").decode(bytes), encoding: "UTF-16" } : undefined;
}

function strictly(encoding: string, bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Scripts that a text keeps to, whatever else it holds. */
const scripts = [
  /[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Bopo}]/gu,
  ...["Latn", "Hang", "Cyrl", "Grek", "Arab", "Hebr", "Thai", "Laoo", "Khmr", "Mymr", "Deva", "Beng", "Guru", "Gujr"],
  ...["Taml", "Telu", "Knda", "Mlym", "Sinh", "Tibt", "Geor", "Armn", "Ethi"],
].map((script) => (typeof script === "string" ? new RegExp(`\\p{sc=${script}}`, "gu") : script));

/** Part of a text that is of one script or of none: signs, digits, spaces. */
function coherence(text: string): number {
  const count = (letters: RegExp) => text.match(letters)?.join("").length ?? 0;
  return (count(/[\p{sc=Zyyy}\p{sc=Zinh}]/gu) + Math.max(...scripts.map(count))) / text.length;
}

/** Text of UTF-16 without a mark; undefined when the bytes look more like letters of one byte each. */
function wideText(bytes: Uint8Array): string | undefined {
  const plain = bytes.filter((byte) => byte >= 0x20 && byte < 0x7f).length;
  const single = bytes.every((byte) => byte >= 0x20 || (byte >= 9 && byte <= 13));
  if (bytes.length % 2 === 1 || (single && plain >= (2 / 3) * bytes.length)) return undefined;
  const candidates = ["utf-16le", "utf-16be"].flatMap((encoding) => {
    const text = strictly(encoding, bytes);
    if (text === undefined || oddLetters.test(text)) return [];
    // ASCII in the wrong order of bytes is all Chinese.
    const ascii = (text.match(/[\t-~]/g)?.length ?? 0) / text.length;
    return [{ text, coherence: coherence(text), ascii }];
  });
  const [best] = candidates.sort((a, b) => b.coherence + b.ascii - a.coherence - a.ascii);
  return best && best.coherence > 0.75 ? best.text : undefined;
}

function utf32(bytes: Uint8Array, littleEndian: boolean): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength - (bytes.byteLength % 4));
  let text = "";
  for (let at = 0; at < view.byteLength; at += 4) {
    const point = view.getUint32(at, littleEndian);
    text += point > 0x10ffff ? "\ufffd" : String.fromCodePoint(point);
  }
  return text;
}

/** Letters of the bytes 0x80 to 0x9f, spelled out because runtimes differ here.
 *  @source https://encoding.spec.whatwg.org/index-windows-1252.txt */
const windowsLetters = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ";

function windowsText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) =>
    byte >= 0x80 && byte < 0xa0 ? windowsLetters[byte - 0x80] : String.fromCharCode(byte),
  ).join("");
}
