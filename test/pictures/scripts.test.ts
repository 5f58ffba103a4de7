import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { captionedGrid } from "../../src/pictures/captionedGrid.js";
import { type Font, lettersOf, smallFont } from "../../src/pictures/font.js";
import { absentScriptPackages, fontFor, installedPackages } from "../../src/pictures/fontPackages.js";
import { blank } from "../../src/pictures/picture.js";
import { forBrowsers } from "../forBrowsers.js";

const samples = {
  Latin: "Mädchen Łódź Việt øß",
  Cyrillic: "красное яблоко",
  Greek: "κόκκινο μήλο",
  Chinese: "红苹果和绿色的龍",
  Japanese: "赤いりんごとネコ",
  Korean: "빨간사과와고양이",
  Thai: "แอปเปิ้ลสีแดง",
  Arabic: "تفاحةحمرشوك",
  Urdu: "سرخسیبٹوپیہھڑں",
  Hebrew: "תפוחאדוםשל",
  Hindi: "लालसेबहिन्दी",
  Bengali: "লালআপেল",
  Punjabi: "ਲਾਲਸੇਬ",
  Gujarati: "લાલસફરજન",
  Odia: "ନାଲିସେଓ",
  Tamil: "சிவப்புஆப்பிள்",
  Telugu: "ఎర్రఆపిల్",
  Kannada: "ಕೆಂಪುಸೇಬು",
  Malayalam: "ചുവന്നആപ്പിൾ",
  Sinhala: "රතුඇපල්",
  Khmer: "ផ្លែប៉ោមក្រហម",
  Burmese: "ပန်းသီးအနီရောင်",
  Lao: "ໝາກໂປມແດງ",
  Tibetan: "ཀུཤུདམརཔོ",
  Georgian: "წითელივაშლ",
  Armenian: "կարմիրխնձո",
  Amharic: "ቀይፖምአማርኛ",
  Cherokee: "ᏣᎳᎩᎦᏬᏂ",
  Mongolian: "ᠤᠯᠠᠭᠠᠨ",
  Yi: "ꆈꌠꁱꂷ",
  emoji: "🍎🍐🐈🚗😀🎉",
} as const;

/** What a text looks like: the rows of its ink, without the empty columns around it. */
function shapeOf(font: Font, text: string): string {
  const [width, height] = [font.width(text) + 20, font.lineHeight + 20];
  const picture = blank(width, height, [255, 255, 255, 255]);
  font.draw(picture, text, 10, 10, [0, 0, 0, 255]);
  const columns = Array.from({ length: width }, (_, x) =>
    Array.from({ length: height }, (_, y) => Math.round(picture.data[4 * (y * width + x)] / 16)).join(),
  );
  const empty = Array(height).fill(16).join();
  const first = columns.findIndex((column) => column !== empty);
  return first < 0 ? "" : columns.slice(first, columns.findLastIndex((column) => column !== empty) + 1).join(";");
}

/** How different the outer columns of two shapes look; letters stand on parts of pixels, so equal ones are not quite equal. */
function difference(shape: string, other: string, side: "left" | "right"): number {
  const [own, against] = [shape, other].map(
    (text) =>
      text
        .split(";")
        .at(side === "left" ? 0 : -1)
        ?.split(",")
        .map(Number) ?? [],
  );
  return own.reduce((sum, value, i) => sum + Math.abs(value - against[i]), 0);
}

let font: Font;
beforeAll(async () => {
  font = await fontFor([...Object.values(samples), "𠮷 � ? שלום ببب ڭڳڻگچکغقع ไม่ 👨‍👩‍👧 🇩🇪 👍🏽"]);
});

describe("captions in every script", () => {
  it("find their fonts installed", async () => {
    expect(await absentScriptPackages()).toEqual([]);
  });

  it.each(Object.entries(samples))("%s has letters, all different, none a box or a question mark", (_, text) => {
    expect(font.missing(text)).toEqual([]);
    const substitutes = ["�", "?", "□"].map((letter) => shapeOf(font, letter));
    const letters = [...new Set(lettersOf(text))].filter((letter) => letter.trim() !== "");
    const shapes = letters.map((letter) => shapeOf(font, letter));
    for (const shape of shapes) {
      expect(shape).not.toBe("");
      expect(substitutes).not.toContain(shape);
    }
    expect(new Set(shapes).size).toBe(letters.length);
  });

  it("joins Arabic letters, those of Urdu, Persian, Uyghur and Sindhi too", () => {
    expect(font.width("ببب")).toBeLessThan(3 * font.width("ب"));
    const hasGap = (text: string) => /;16(,16)*;/.test(shapeOf(font, text));
    for (const letter of "بتسشعغفقكلمنهيپچگکیہھڭڳڻ") expect(hasGap(`${letter}ب`), letter).toBe(false);
    expect(hasGap("ا ب")).toBe(true);
  });

  it("sets right to left what is read so, and numbers within it left to right", () => {
    const shape = (text: string) => shapeOf(font, text);
    const begins = (text: string, first: string, not: string) =>
      difference(shape(text), shape(first), "left") < difference(shape(text), shape(not), "left");
    const ends = (text: string, last: string, not: string) =>
      difference(shape(text), shape(last), "right") < difference(shape(text), shape(not), "right");
    expect([begins("אל", "ל", "א"), ends("אל", "א", "ל")]).toEqual([true, true]);
    expect([begins("12 א", "א", "12"), ends("12 א", "12", "א")]).toEqual([true, true]);
    expect([begins("12 א", "א", "2"), ends("12 א", "2", "1")]).toEqual([true, true]);
    expect([begins("א 12", "1", "2"), ends("א 12", "א", "2")]).toEqual([true, true]);
  });

  it("stacks and reorders what Indic and Thai scripts do", () => {
    // Marks above and below take no width of their own.
    expect(font.width("ที่")).toBe(font.width("ท"));
    // The vowel sign i stands before its consonant.
    const [consonant, together] = [shapeOf(font, "क"), shapeOf(font, "कि")];
    expect(difference(together, consonant, "left")).toBeGreaterThan(2 * difference(together, consonant, "right"));
    expect(font.width("स्त्र")).toBeLessThan(font.width("स") + font.width("त") + font.width("र"));
  });

  it("draws joined emoji as one", () => {
    for (const one of ["👨‍👩‍👧", "🇩🇪", "👍🏽"]) {
      expect(font.missing(one)).toEqual([]);
      expect(font.width(one)).toBeLessThanOrEqual(font.width("👨") + 2);
    }
  });

  it("reads letters that are taken apart as those in one piece", () => {
    expect(shapeOf(font, "빨간 é".normalize("NFD"))).toBe(shapeOf(font, "빨간 é"));
  });

  it("says which letters it cannot draw, whole, and marks their place", () => {
    expect(font.missing("𠮷野家 \u{10FFFF}")).toEqual(["𠮷", "\u{10FFFF}"]);
    expect(shapeOf(font, "𠮷")).toBe(shapeOf(font, "�"));
  });

  it("keeps the small font for English", async () => {
    expect(await fontFor(["red apple", "$5 [at] <home>", "“it’s” a – b…"])).toBe(smallFont);
  });

  it("falls back to the small font where no font is installed, and says what it lacks", async () => {
    const noFonts = { ...installedPackages, read: async () => undefined };
    const damaged = { ...installedPackages, read: async () => new TextEncoder().encode("{}") };
    const nothing = { ...noFonts, load: () => Promise.reject(new Error("not installed")) };
    for (const source of [noFonts, damaged, nothing]) {
      const bare = await fontFor(["红 apple é"], source);
      expect(bare).toBe(smallFont);
      expect(bare.missing("红 apple é")).toEqual(["红", "é"]);
    }
  });

  it("draws what it can where only some fonts are installed", async () => {
    const some = {
      ...installedPackages,
      read: async (name: string, file: string) =>
        name === "@fontsource/dejavu-sans" ? installedPackages.read(name, file) : undefined,
    };
    const own = await fontFor(["红 é"], some);
    expect(own.missing("红 apple é")).toEqual(["红"]);
    expect(shapeOf(own, "红")).toBe(shapeOf(own, "�"));
  });

  it("leaves bundles for browsers small", async () => {
    const { outputFiles } = await build({
      entryPoints: ["captionedGrid.ts", "curve.ts"].map((file) =>
        fileURLToPath(new URL(`../../src/pictures/${file}`, import.meta.url)),
      ),
      format: "esm",
      outdir: "unused",
      ...forBrowsers,
    });
    for (const { text } of outputFiles) expect(text.length).toBeLessThan(50_000);
  });

  it("makes lines as high as the letters need, and no cell wider", async () => {
    const captions = ["红苹果", "red apple"];
    const own = await fontFor(captions);
    const cells = captions.map(() => blank(64, 40, [0, 0, 0, 255]));
    const grid = captionedGrid(cells, captions, 2, { gap: 4, font: own });
    expect([grid.width, grid.height]).toEqual([2 * 64 + 3 * 4, 40 + 2 + own.lineHeight + 2 * 4]);
    expect(own.lineHeight).toBeLessThan(20);
  });
});
