/** Folders of pictures as cameras, other trainers and other systems leave them. */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "../../src/base/errors.js";
import { captionsFromNames } from "../../src/data/captions.js";
import { describeSkipped } from "../../src/data/skipped.js";
import { type LoadOptions, loadDataset } from "../../src/node/load.js";
import { encodePng } from "../../src/pictures/encodePng.js";
import { blank } from "../../src/pictures/png.js";
import { ascii, avif, blockJpeg, exifSegment, gif, jpeg, quarters, webp } from "../pictures/pictureFiles.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ptdit-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(name: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), content);
}
const png = await encodePng(blank(4, 4, [255, 0, 127, 255]));
const pictures = async (...names: string[]) => {
  for (const name of names) await put(name, png);
};
async function load(options: LoadOptions = {}) {
  const data = await loadDataset(folder, { size: 2, ...options });
  const said = describeSkipped(data);
  for (const line of said) expect(line).not.toMatch(/\n/);
  expect(new Set(said).size).toBe(said.length);
  return { captions: data.captions, pictures: data.pictures, skipped: data.skipped, said };
}

describe("pictures of other kinds", () => {
  const picture = quarters(16, 16);

  it("are read, whatever their names end in", async () => {
    await put("a.jpg", jpeg(picture));
    await put("b.JPEG", jpeg(picture, exifSegment(1)));
    await put("c.webp", await webp(picture, { lossless: 1 }));
    await put("d.avif", await avif(picture));
    await put("e.gif", gif(2, 2, [0xff0000, 0x00ff00, 0x0000ff, 0xffff00], [{ numbers: [0, 1, 2, 3] }]));
    await put("f.png", jpeg(picture));
    await put("g.jpg", await encodePng(picture));
    await put("h", await encodePng(picture));
    await put("i.jfif", blockJpeg(1, [[255]], { frame: 0xc2 }));
    const { captions, said, pictures: numbers } = await load();
    expect([captions, said]).toEqual([["a", "b", "c", "d", "e", "f", "g", "h", "i"], []]);
    // Red on the left above: [3, 2, 2] each.
    for (let i = 0; i < 8; i++) {
      expect(numbers[12 * i]).toBeGreaterThan(0.8);
      expect(numbers[12 * i + 4]).toBeLessThan(-0.8);
    }
  });

  it("that are not read are counted and named by their kinds, once each", async () => {
    await pictures("good.png");
    for (let i = 0; i < 12; i++) await put(`phone-${i + 10}.heic`, ascii("\0\0\0\x18ftypheic\0\0\0\0mif1heic"));
    await put("scan.tif", ascii("II*\0\x08\0\0\0\0\0"));
    await put("pointer.png", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n");
    await put("error.jpg", "<!DOCTYPE html><title>404</title>");
    await put("half.jpg", jpeg(picture).subarray(0, 300));
    await put("none.png", "");
    await put("clip.mp4", ascii("\0\0\0\x18ftypisom\0\0\0\0isommp42"));
    await put("more.zip", ascii("PK\x03\x04\x14\0\0\0\x08\0"));
    await put("data.parquet", ascii("PAR1\x15\x04"));
    await put("a.png~", png);
    const { captions, said } = await load();
    expect(captions).toEqual(["good"]);
    const line = (words: string) => said.filter((one) => one.includes(words));
    expect(line("HEIC")).toEqual([
      "skipped 12 (phone-10.heic, phone-11.heic, phone-12.heic, phone-13.heic, phone-14.heic, phone-15.heic, phone-16.heic, phone-17.heic and 4 more): a HEIC picture, which is not read. Convert it to PNG, JPEG or WebP.",
    ]);
    expect(line("scan.tif")).toEqual([expect.stringContaining("skipped scan.tif: a TIFF")]);
    expect(line("git lfs pull").length).toBe(1);
    expect(line("error.jpg")).toEqual([expect.stringContaining("not a picture but an HTML page")]);
    expect(line("half.jpg")).toEqual([expect.stringContaining("not a whole JPEG")]);
    for (const name of ["none.png", "clip.mp4", "more.zip", "data.parquet", "a.png~"]) expect(line(name).length, name).toBe(1);
    expect(said.length).toBe(10);
  });

  it("what systems and people leave beside them is nobody's loss", async () => {
    await pictures("a.png");
    await put("__MACOSX/._a.png", png);
    await put("._a.png", ascii("\0\x05\x16\x07"));
    for (const name of [".DS_Store", "Thumbs.db", "desktop.ini", "@eaDir/a.png/x.jpg", ".thumbnails/a.png"])
      await put(name, png);
    for (const name of ["README.txt", "LICENSE.txt", "notes.md", "train.py", "config.json", "weights.safetensors"])
      await put(name, "words");
    expect((await load()).said).toEqual([]);
    expect((await load({ recursive: true })).captions).toEqual(["a"]);
  });

  it("that cannot be opened or are no files neither stop nor hang it", async () => {
    await pictures("a.png");
    await symlink("nowhere.png", join(folder, "lost.png"));
    await symlink("circle.png", join(folder, "circle.png"));
    execFileSync("mkfifo", [join(folder, "pipe.png")]);
    const { captions, skipped } = await load();
    expect(captions).toEqual(["a"]);
    expect(skipped.map(({ file }) => file)).toEqual(["circle.png", "lost.png", "pipe.png"]);
  });
});

describe("sub-folders", () => {
  it("are read when asked for, each picture once, whatever links there are", async () => {
    await pictures("z.png", "cats/tom.png", "cats/big/leo.png", "dogs/rex.png");
    await symlink("..", join(folder, "cats/back"));
    await symlink("dogs", join(folder, "again"));
    const { captions, said } = await load({ recursive: true });
    expect([captions, said]).toEqual([["leo", "tom", "rex", "z"], []]);
  });

  it("are counted when not, and it is said how to read them", async () => {
    await pictures("z.png", "cats/tom.png", "cats/big/leo.png", "dogs/rex.png");
    await put("papers/a.txt", "x");
    const { captions, said } = await load();
    expect(captions).toEqual(["z"]);
    expect(said).toEqual([
      "skipped cats/, dogs/: 2 sub-folders with 3 pictures. Add --recursive (in code: recursive: true) to read them.",
    ]);
  });

  it("alone do not make a data set unasked", async () => {
    await pictures("train/a.png");
    await expect(load()).rejects.toThrow(ConfigError);
    await expect(load()).rejects.toThrow(
      /holds no usable picture; .*Below it \(train\/\) are 1 sub-folder with 1 picture\. Add --recursive/,
    );
    expect((await load({ recursive: true })).captions).toEqual(["a"]);
  });

  it("have captions from lists in them and above them", async () => {
    await pictures("train/a.png", "train/b.png", "test/a.png", "test/c.png");
    await put(
      "metadata.jsonl",
      '{"file_name":"train/a.png","text":"above"}\n{"file_name":".\\\\test\\\\a.png","text":"windows"}',
    );
    await put("train/metadata.csv", "file_name,text\nb.png,inside");
    await put("test/c.caption", "beside");
    const { captions, said } = await load({ recursive: true });
    expect([captions, said]).toEqual([["windows", "beside", "above", "inside"], []]);
  });

  it("that a list names and nobody reads are told from missing files", async () => {
    await pictures("a.png", "images/b.png");
    await put("metadata.jsonl", '{"file_name":"images/b.png","text":"b"}\n{"file_name":"c.png","text":"c"}');
    const { said } = await load();
    expect(said).toContain("skipped images/b.png: named in metadata.jsonl, but in a sub-folder that is not read");
    expect(said).toContain("skipped c.png: named in metadata.jsonl, but not in the folder");
  });
});

describe("captions of other trainers", () => {
  // @source https://github.com/bmaltais/kohya_ss/issues/1370
  it("stand in .caption files, and .txt counts before them", async () => {
    await pictures("a.png", "b.png", "c.png", "d.png");
    await put("a.caption", "one");
    await put("b.txt", "two");
    await put("b.caption", "other");
    await put("c.png.txt", "three");
    await put("d.TXT", "four");
    await put("e.txt", "nobody's");
    const { captions, said } = await load();
    expect(captions).toEqual(["one", "two", "three", "four"]);
    expect(said).toEqual([
      "b.caption: another text beside its picture says something else, which is taken",
      "e.txt: there is no picture for this text",
    ]);
  });

  it("in several lists: the first in order counts, and what is not used is said", async () => {
    await pictures("a.png", "b.png", "c.png", "d.png");
    await put("captions.jsonl", '{"file":"a.png","caption":"jsonl"}');
    await put("captions.csv", "a.png,csv\nb.png,csv");
    await put("metadata.jsonl", '{"file_name":"b.png","text":"csv"}\n{"file_name":"c.png","text":"metadata"}');
    await put("c.txt", "text");
    await put("prompts.csv", "d.png,prompt");
    const { captions, said } = await load();
    expect(captions).toEqual(["jsonl", "csv", "metadata", "d"]);
    expect(said).toEqual([
      "captions.csv:1: not used: another list names its picture, too",
      "prompts.csv: not read: only lists called captions or metadata are, such as metadata.csv",
      "d.png: no list and no text has a caption for it: its name is taken",
    ]);
  });

  it("given twice: the last counts, and that is said", async () => {
    await pictures("a.png", "b.png");
    await put("metadata.csv", "file_name,text\na.png,one\nb.png,same\n./a.png,two\nb.png,same");
    const { captions, said } = await load();
    expect(captions).toEqual(["two", "same"]);
    expect(said).toEqual(["metadata.csv:2: its picture is named again further down; the last caption counts"]);
  });

  it("with a mark in front of the first line, and lists of every encoding", async () => {
    await pictures("a.png", "b.png");
    const text = '{"file_name":"a.png","text":"ein Käfer"}\r\n{"file_name":"b.png","text":"ein Haus"}\r\n';
    const wide = Buffer.from(`\uFEFF${text}`, "utf16le");
    const encoded = [
      Buffer.from(`\uFEFF${text}`),
      wide,
      Buffer.from(wide).swap16(),
      wide.subarray(2),
      Buffer.from(text, "latin1"),
    ];
    for (const [i, bytes] of encoded.entries()) {
      await put("metadata.jsonl", bytes);
      const { captions, said } = await load();
      expect(captions).toEqual(["ein Käfer", "ein Haus"]);
      expect(said.length).toBe(i === 4 ? 1 : 0);
    }
  });

  it("in texts of every encoding", async () => {
    await pictures("a.png", "b.png", "c.png");
    await put("a.txt", Buffer.from("\uFEFFgrün", "utf16le"));
    await put("b.txt", Buffer.from("gr\xfcn, 5 \x80", "latin1"));
    await put("c.txt", Buffer.from("gr\xfcn", "latin1"));
    const { captions, said } = await load();
    expect(captions).toEqual(["grün", "grün, 5 €", "grün"]);
    expect(said).toEqual(["2 (b.txt, c.txt): not Unicode: read as Windows-1252. If letters come out wrong, save it as UTF-8."]);
  });

  it("for names whose accents are stored otherwise than in the list", async () => {
    const [composed, apart] = ["K\u00e4fer.png", "Vo\u0308gel.png"];
    await pictures(composed, apart);
    await put("metadata.jsonl", `{"file_name":"Ka\u0308fer.png","text":"one"}\n{"file_name":"V\u00f6gel.png","text":"two"}`);
    expect(await load()).toMatchObject({ captions: ["one", "two"], said: [] });
    await rm(join(folder, "metadata.jsonl"));
    await put("Ka\u0308fer.txt", "three");
    await put("V\u00f6gel.caption", "four");
    expect(await load()).toMatchObject({ captions: ["three", "four"], said: [] });
  });

  it("under names of another machine, where one picture is meant for sure", async () => {
    await pictures("a.png", "B.PNG", "c.png", "sub/d.png");
    await put(
      "metadata.csv",
      'file_name,text\n"C:\\Users\\me\\pics\\a.png",one\nb.png,two\n/data/train/c.jpg,three\nsub/e.png,four',
    );
    const { captions, said } = await load({ recursive: true });
    expect(captions).toEqual(["two", "one", "three", "d"]);
    expect(said[0]).toBe("skipped sub/e.png: named in metadata.csv, but not in the folder");
    expect(said[1]).toMatch(
      /^3 \(C:\\Users\\me\\pics\\a\.png, b\.png, \/data\/train\/c\.jpg\): no file has quite this name of metadata\.csv/,
    );
  });
});

describe("numbers in names", () => {
  it.each([
    [["route 66.png"], ["route 66"]],
    [
      ["route_66.jpg", "boeing-747.png", "area 51.webp"],
      ["route 66", "boeing 747", "area 51"],
    ],
    [
      ["windows 95.png", "windows 98.png", "windows 3.png"],
      ["windows 95", "windows 98", "windows 3"],
    ],
    [
      ["cat 1.png", "cat 2.png", "cat_3.png", "Cat-4.jpg"],
      ["cat", "cat", "cat", "Cat"],
    ],
    [
      ["cat.png", "cat 2.png"],
      ["cat", "cat"],
    ],
    [["red_apple-01.png"], ["red apple"]],
    [["route_66_12.png"], ["route 66"]],
    [
      ["route 66 1.png", "route 66 2.png"],
      ["route 66", "route 66"],
    ],
    [
      ["007.png", "12.png", "13.png"],
      ["007", "12", "13"],
    ],
  ])("%j are %j", (names, captions) => {
    expect(captionsFromNames(names)).toEqual(captions);
  });

  it("count among the files of one folder", async () => {
    await pictures("a/level 1.png", "a/level 2.png", "b/level 3.png", "b/route 66.png");
    expect((await load({ recursive: true })).captions).toEqual(["level", "level", "level 3", "route 66"]);
  });
});
