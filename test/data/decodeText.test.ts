import { describe, expect, it } from "vitest";
import { decodeText } from "../../src/data/decodeText.js";

const utf16 = (text: string, big: boolean, mark = "") => {
  const bytes = Buffer.from(mark + text, "utf16le");
  return Uint8Array.from(big ? bytes.swap16() : bytes);
};
const utf32 = (text: string, big: boolean) => {
  const points = [0xfeff, ...[...text].map((letter) => letter.codePointAt(0)!)];
  const view = new DataView(new ArrayBuffer(4 * points.length));
  points.forEach((point, i) => view.setUint32(4 * i, point, !big));
  return new Uint8Array(view.buffer);
};

const captions = [
  "a red apple",
  "a",
  "ein rötlicher Käfer, größer als üblich",
  "красное яблоко",
  "ένα κόκκινο μήλο",
  "红苹果",
  "一个红色的苹果在桌子上,旁边有一只黑猫",
  "赤いリンゴとコーヒー",
  "빨간 사과",
  "แอปเปิ้ลสีแดง",
  "תפוח אדום",
  "𝒜 pear 🍐",
  "line one\r\nline two\r",
];

describe.each(captions)("%j", (text) => {
  it("in UTF-8, with and without a mark", () => {
    expect(decodeText(Buffer.from(text))).toEqual({ text, encoding: "UTF-8" });
    expect(decodeText(Buffer.from(`\uFEFF${text}`))).toEqual({ text, encoding: "UTF-8" });
  });

  it.each([false, true])("in UTF-16 of either order (big-endian: %s), with and without a mark", (big) => {
    expect(decodeText(utf16(text, big, "\uFEFF"))).toEqual({ text, encoding: "UTF-16" });
    expect(decodeText(utf16(text, big))).toEqual({ text, encoding: "UTF-16" });
    expect(decodeText(utf32(text, big))).toEqual({ text, encoding: "UTF-32" });
  });
});

describe("letters of one byte", () => {
  // @source https://github.com/ostris/ai-toolkit/issues/113
  it.each([
    ["caf\xe9", "café"],
    ["f\xeate", "fête"],
    ["\xe9t\xe9", "été"],
    ["a man\x92s hat \x96 5 \x80", "a man’s hat – 5 €"],
    ["gr\xfcne \xc4pfel und \xd6l f\xfcr K\xf6che", "grüne Äpfel und Öl für Köche"],
    ["el ni\xf1o peque\xf1o", "el niño pequeño"],
    ["\xef\xbb\xbfna\xefve", "naïve"],
  ])("%j", (bytes, text) => {
    expect(decodeText(Buffer.from(bytes, "latin1"))).toEqual({ text, encoding: "Windows-1252" });
  });

  it("of an empty file are none", () => {
    expect(decodeText(new Uint8Array())).toEqual({ text: "", encoding: "UTF-8" });
  });
});
