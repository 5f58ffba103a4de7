import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { plainName, runName } from "../../cli/fileName.js";

const home = join("/", "home", "me");
const named = (data: string, preset = "nano") => runName(data, preset, home);

describe("run folders", () => {
  it("are named after the data and the preset, in every script", () => {
    expect(["emoji", "emoji:core", "emoji:64", "pics", "my_pics.v2"].map((data) => named(data))).toEqual([
      "emoji-nano",
      "emoji-core-nano",
      "emoji-64-nano",
      "pics-nano",
      "my_pics.v2-nano",
    ]);
    for (const name of ["图片", "写真", "картинки", "صور", "चित्र", "รูปภาพ", "그림", "Bilder-für-später", "φωτο"])
      expect(named(name)).toBe(`${name}-nano`);
  });

  it("stay distinct where names differ", () => {
    const names = [
      ...[
        "图片",
        "照片",
        "写真",
        "pics",
        "a b",
        "a-b",
        "a  b",
        "a/b",
        "a_b",
        "a+b",
        "a:b",
        "🍎",
        "🍐",
        "🍎🍐",
        "!",
        "?",
        "c",
        "C",
      ],
      ...[
        "emoji",
        "./emoji",
        "emoji:64",
        "emoji-64",
        "emoji:core",
        "emoji-core",
        "../pics",
        "/data/pics",
        "/data/a/pics",
        ".",
        "..",
      ],
      ...[`${"长".repeat(200)}一`, `${"长".repeat(200)}二`, "é", "e\u0301", "con", "x.", "x", ".x", "-x"],
    ];
    expect(new Set(names.map((data) => named(data))).size).toBe(names.length);
  });

  it("are the same however the folder's path is typed", () => {
    for (const typed of ["pics", "./pics", "pics/", "./a/../pics", join(home, "pics")]) expect(named(typed)).toBe("pics-nano");
    expect(named("a/b/")).toBe(named(join(home, "a", "b")));
  });

  it("can be made on every file system", () => {
    for (const data of [
      "a/b",
      "..",
      ".",
      "x".repeat(300),
      "长".repeat(200),
      'a<b>:"c|d?e*f\\g',
      "tab\there",
      "\u202eabc",
      "end.",
    ]) {
      const name = named(data);
      expect(name).toMatch(/^[\p{L}\p{N}_][\p{L}\p{N}\p{M}_.-]*$/u);
      expect(Buffer.byteLength(name)).toBeLessThan(200);
      expect(name).toBe(Buffer.from(name).toString());
    }
  });
});

describe("names of pictures", () => {
  it("keep letters of every script and nothing that a file system refuses", () => {
    expect(plainName("Red heart, 2 of them!")).toBe("Red-heart-2-of-them");
    expect(plainName("红苹果 / तारा")).toBe("红苹果-तारा");
    expect(plainName("../../etc/passwd")).toBe("etc-passwd");
    expect(plainName("🍎")).toBe("");
  });
});
