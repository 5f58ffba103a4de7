import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "../../src/base/errors.js";
import { captionFromName } from "../../src/data/captions.js";
import { parseTable } from "../../src/data/delimitedText.js";
import { loadDataset } from "../../src/node/load.js";
import { encodePng } from "../../src/pictures/encodePng.js";
import { place } from "../../src/pictures/picture.js";
import { blank } from "../../src/pictures/png.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ptdit-"));
});
afterEach(() => rm(folder, { recursive: true }));

const put = (name: string, content: string | Uint8Array) => writeFile(join(folder, name), content);
const png = (width = 8, height = 8) => encodePng(blank(width, height, [255, 0, 127, 255]));

describe("captions", () => {
  it.each([
    ["red_apple-01.png", "red apple"],
    ["007.png", "007"],
    ["a.b.PNG", "a b"],
    ["blue--car (2).png", "blue car (2)"],
    ["route_66_12.png", "route 66"],
  ])("of %s", (name, caption) => {
    expect(captionFromName(name)).toBe(caption);
  });

  it("come from the name, or the text beside", async () => {
    await put("red_apple-01.png", await png());
    await put("b.png", await png());
    await put("b.txt", "\uFEFFa blue\r\n  car \n");
    const { captions, count, pictures, size } = await loadDataset(folder, { size: 4 });
    expect([captions, count, size, pictures.length]).toEqual([["a blue car", "red apple"], 2, 4, 2 * 3 * 16]);
    expect(pictures[0]).toBe(1);
    expect(pictures[16]).toBe(-1);
    expect(pictures[32]).toBeCloseTo(127 / 127.5 - 1, 6);
  });

  it("come from JSON lines; what they cannot say is named", async () => {
    await put("a.png", await png());
    await put("captions.jsonl", '{"file":"a.png","caption":"one, two"}\n\nnonsense\n{"file":"b.png","caption":"gone"}\n[]\n');
    const { captions, skipped } = await loadDataset(folder, { size: 4 });
    expect(captions).toEqual(["one, two"]);
    expect(skipped.map(({ file }) => file)).toEqual(["captions.jsonl:3", "captions.jsonl:5", "b.png"]);
  });

  it("come from a table", async () => {
    await put("a.png", await png());
    await put("b.png", await png());
    await put("captions.csv", 'caption,file\r\n"one, ""two""",a.png\r\nlonely\r\n');
    const { captions, skipped } = await loadDataset(folder, { size: 4 });
    expect(captions).toEqual(['one, "two"', "b"]);
    expect(skipped.map(({ file }) => file)).toEqual(["captions.csv:3"]);
  });

  it("say what can be seen beside what a person said, if asked", async () => {
    const apple = blank(40, 40, [255, 255, 255, 255]);
    place(blank(24, 20, [220, 20, 40, 255]), apple, 8, 14);
    place(blank(12, 8, [30, 160, 60, 255]), apple, 14, 6);
    await put("red_apple.png", await encodePng(apple));
    await put("pink.png", await png());
    await put("long.png", await png());
    await put("long.txt", "word ".repeat(32));
    const plain = await loadDataset(folder, { size: 4 });
    const { captions, variants = [], heldOut = [], pictures } = await loadDataset(folder, { size: 4, captions: "rich" });
    expect([plain.variants, plain.captions, plain.pictures]).toEqual([undefined, captions, pictures]);
    expect(captions).toEqual(["word ".repeat(32).trim(), "pink", "red apple"]);
    expect(variants.slice(0, 2)).toEqual([[], ["pink on pink"]]);
    expect([...variants[2], heldOut[2]].sort()).toEqual([
      "red apple on white",
      "red apple, red and green",
      "red apple, red and green on white",
    ]);
    expect(heldOut.slice(0, 2)).toEqual([undefined, undefined]);
  });
});

it.each([
  [
    "a,b\nc,d",
    [
      ["a", "b"],
      ["c", "d"],
    ],
  ],
  [
    '"a\nb",c\r\n\r\n,\n',
    [
      ["a\nb", "c"],
      ["", ""],
    ],
  ],
  ["\uFEFFa,", [["a", ""]]],
  ['"a""b"', [['a"b']]],
  ['"never closed', [['"never closed']]],
  ["", []],
] as const)("reads the table %j", (text, rows) => {
  expect(parseTable(text).map(({ cells }) => cells)).toEqual(rows);
});

describe("pictures", () => {
  it("are cropped and resized; broken ones are named and skipped", async () => {
    const whole = await png();
    await put("good.png", await png(31, 17));
    await put("cut.png", whole.subarray(0, 50));
    await put("empty.png", "");
    await put("text.png", "not a picture at all, just a line of text");
    await put("long.png", await png(41, 20));
    await put("notes.md", "no picture");
    await mkdir(join(folder, "folder.png"));
    const { captions, skipped, count } = await loadDataset(folder, { size: 5 });
    expect([captions, count]).toEqual([["good"], 1]);
    expect(skipped.map(({ file }) => file)).toEqual(["cut.png", "empty.png", "folder.png", "long.png", "text.png"]);
    for (const { reason } of skipped) expect(reason).not.toContain("\n");
  });

  it("must be there", async () => {
    await expect(loadDataset(folder)).rejects.toThrow(/no usable picture; it has no file that ends in \.png/);
    await put("cut.png", "x");
    await expect(loadDataset(folder)).rejects.toThrow(/1 were skipped, the first, cut\.png/);
    await expect(loadDataset(join(folder, "none"))).rejects.toThrow(/cannot read the folder .*ENOENT/);
    await expect(loadDataset(join(folder, "none"))).rejects.toThrow(ConfigError);
  });
});
