import { beforeAll, describe, expect, it } from "vitest";
import { type Font, smallFont } from "../../src/pictures/font.js";
import { fontFor } from "../../src/pictures/fontPackages.js";
import { wrapText } from "../../src/pictures/wrap.js";

const chinese = "红苹果和绿色的龙在天上飞来飞去";
const japanese = "赤いりんごと猫、カタカナ「テスト」です。ラーメンっぽい";
const thai = "แอปเปิ้ลสีแดงที่สวยงามมากในตะกร้า";
const arabic = "تفاحة حمراء جميلة apple 12 على الطاولة";
const rare = "𩸽𩸽𩸽👨‍👩‍👧👍🏽🇩🇪𩸽𩸽";
const plain = (lines: readonly string[]) => lines.join("").replace(/[\s\u200e\u200f]/gu, "");

let font: Font;
beforeAll(async () => {
  font = await fontFor([chinese, japanese, thai, arabic, rare]);
});

describe("captions without spaces", () => {
  it.each([chinese, japanese, thai, arabic, rare])("%s is broken into lines that fit, and nothing is lost", (text) => {
    for (const width of [32, 50, 64, 96]) {
      const lines = wrapText(text, width, 100, font);
      expect(plain(lines)).toBe(text.replaceAll(" ", ""));
      for (const line of lines) {
        expect(font.width(line)).toBeLessThanOrEqual(width);
        expect(line).not.toMatch(/^[、。」ーっ]|「$/);
        // A half of a pair, or a joiner at an end, would be a broken letter.
        expect(line).toBe(Buffer.from(line).toString());
        expect(line).not.toMatch(/^\u200d|\u200d$/);
      }
      expect(lines.slice(0, -1).some((line) => font.width(line) > width / 2)).toBe(true);
    }
  });

  it("are cut between letters, never within a pair", () => {
    for (const width of [20, 33, 40, 50]) {
      for (const line of wrapText(rare, width, 1, font)) {
        expect(line).toMatch(/\.\.$/);
        expect(line).toBe(Buffer.from(line).toString());
      }
    }
  });

  it("are broken between words where words are known", () => {
    for (const line of wrapText(thai, 64, 100, font)) {
      // These begin a syllable only together with the consonant before them.
      expect(line).not.toMatch(/^[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]/);
    }
  });

  it("take no longer to cut where they are very long", () => {
    const from = performance.now();
    for (const long of ["红苹果".repeat(10_000), "apple ".repeat(10_000), "apple".repeat(10_000)]) {
      const lines = wrapText(long, 64, 3, font);
      expect(lines).toHaveLength(3);
      expect(lines[2]).toMatch(/\.\.$/);
    }
    expect(performance.now() - from).toBeLessThan(3000);
  });

  it("keep the direction of the whole text on every line", () => {
    const lines = wrapText(arabic, 64, 100, font);
    expect(lines.find((line) => line.includes("apple"))).toMatch(/^(\u200f|[\u0600-\u06ff])/);
    expect(wrapText("apple שלום שלום", 40, 3, font).at(-1)).toMatch(/^\u200e/);
  });

  it("continue words too long for a line on the next", () => {
    expect(wrapText("abcdefghijklmnop qr", 40, 3, smallFont)).toEqual(["abcdefgh", "ijklmnop", "qr"]);
    expect(smallFont.width("abcdefgh")).toBeLessThanOrEqual(40);
    expect(smallFont.width("abcdefghi")).toBeGreaterThan(40);
  });
});
