import { describe, expect, it } from "vitest";
import { parseCaptionList } from "../../src/data/captionLists.js";

/** What a list gives for a folder that holds these files. */
function read(name: string, text: string, files: readonly string[] = ["a.png", "b.png", "c.png"]) {
  const { entries, broken, notes } = parseCaptionList(name, text, (file) => files.includes(file.trim()));
  return { captions: entries.map(({ file, caption }) => [file, caption]), broken, notes };
}
const lines = (broken: readonly { line: number }[]) => broken.map(({ line }) => line);

describe("JSON lines", () => {
  // @source https://github.com/huggingface/datasets/issues/6442
  // @source https://github.com/huggingface/datasets/issues/6777
  it.each([
    ['{"file_name": "a.png", "text": "an apple"}'],
    ['{"file": "a.png", "caption": " an apple "}'],
    ['{"caption": "an apple", "image": "a.png", "padded_image": "p.png"}'],
    ['{"file_name": "a.png", "prompt": "an apple"}'],
    ['{"File Name": "a.png", "Text": "an apple"}'],
    ['{"image": {"path": "a.png", "bytes": null}, "text": ["an apple"]}'],
    ['[{"file_name": "a.png",\n  "text": "an apple"}]'],
    ['{"a.png": "an apple"}'],
    ['{"a.png": {"caption": "an apple", "size": [512, 512]}}'],
  ])("%s", (text) => {
    expect(read("metadata.jsonl", text)).toEqual({ captions: [["a.png", "an apple"]], broken: [], notes: [] });
  });

  it.each(["\n", "\r\n", "\r", "\n\n"])("with %j at the ends of lines", (end) => {
    const text = ['{"file_name":"a.png","text":"one"}', '{"file_name":"b.png","text":"two"}', ""].join(end);
    expect(read("metadata.jsonl", text).captions).toEqual([
      ["a.png", "one"],
      ["b.png", "two"],
    ]);
  });

  it("names lines that say nothing", () => {
    const text = [
      '{"file_name":"a.png","text":"one"}',
      '{"file_name":"b.png"}',
      "7",
      '{"file_name":"c.png","text":5}',
      "{",
    ].join("\n");
    const { captions, broken } = read("metadata.jsonl", text);
    expect([captions.length, lines(broken)]).toEqual([1, [2, 3, 4, 5]]);
    expect(broken[0]?.reason).toContain('{"file_name": "a.png", "text": "an apple"}');
  });

  it("says what it chose where there is a choice", () => {
    const text = '{"file_name":"a.png","text":"one","caption":"two"}\n{"file_name":"b.png","text":["x","y"]}';
    expect(read("metadata.jsonl", text)).toMatchObject({
      captions: [
        ["a.png", "two"],
        ["b.png", "x"],
      ],
      notes: ['it has "caption" and "text"; "caption" is taken', "it has several captions for 1 picture; the first is taken"],
    });
  });
});

describe("tables", () => {
  it.each([
    ["file_name,text\na.png,an apple"],
    ["text,file_name\nan apple,a.png"],
    ["a.png,an apple"],
    ['a.png, "an apple"'],
    ['"a.png" , "an apple" '],
    ["file_name;text\na.png;an apple"],
    ["a.png;an apple\nb.png;x, y"],
    ["file_name\ttext\r\na.png\tan apple\r\n"],
    ["a.png\tan apple"],
    ["image_name| comment\na.png| an apple"],
    ["file_name,additional_feature,text\na.png,7,an apple"],
    ["file_name,beschreibung\na.png,an apple"],
    ["a.png,an apple,,"],
  ])("%j", (text) => {
    const { captions, broken, notes } = read("metadata.csv", text);
    expect([captions[0], broken, notes]).toEqual([["a.png", "an apple"], [], []]);
  });

  it("keeps commas of captions without quotes, and says so", () => {
    const text = 'file_name,text\na.png,red, shiny,  and round\nb.png,blue\nc.png,"green, leafy"';
    expect(read("metadata.csv", text)).toEqual({
      captions: [
        ["a.png", "red, shiny,  and round"],
        ["b.png", "blue"],
        ["c.png", "green, leafy"],
      ],
      broken: [],
      notes: ["1 caption with commas and no quotes; the commas were kept"],
    });
    expect(read("captions.csv", 'a.png,red, "shiny" thing').captions).toEqual([["a.png", 'red, "shiny" thing']]);
  });

  it("keeps them in front of the file's name, too, where that is there", () => {
    const text = "caption,file\nred, shiny,a.png\nred, shiny,none.png";
    const { captions, broken } = read("captions.csv", text);
    expect([captions, lines(broken)]).toEqual([[["a.png", "red, shiny"]], [3]]);
    expect(broken[0]?.reason).toBe("3 cells for 2 columns: captions with commas need quotes around them");
  });

  it("reports rows whose commas may be anything's", () => {
    const text = "file_name,text,artist\na.png,red, shiny,Ann\nb.png,blue,Bob";
    const { captions, broken } = read("metadata.csv", text);
    expect([captions, lines(broken)]).toEqual([[["b.png", "blue"]], [2]]);
  });

  it("ends a quoted caption with its quotes", () => {
    expect(read("captions.csv", 'a.png,"red, ""shiny""",7').captions).toEqual([["a.png", 'red, "shiny"']]);
    expect(read("captions.csv", 'a.png,"red" apple').captions).toEqual([["a.png", '"red" apple']]);
    expect(read("captions.csv", 'a.png,"red\nb.png,blue').captions).toEqual([
      ["a.png", '"red'],
      ["b.png", "blue"],
    ]);
  });

  it("says which column to name when none is of captions", () => {
    const { captions, broken } = read("metadata.csv", "file_name,width,height\na.png,3,4");
    expect(captions).toEqual([]);
    expect(broken).toEqual([
      { line: 1, reason: 'none of its columns (file_name, width, height) is of captions; name one "text"' },
    ]);
  });

  it("names rows that are too short", () => {
    expect(lines(read("captions.csv", "file,caption\nlonely\na.png,x\n").broken)).toEqual([2]);
  });

  it("reads long tables with stray quotes in good time", () => {
    const row = `a.png,"${"x".repeat(200)}\n`;
    const start = performance.now();
    expect(read("captions.csv", row.repeat(20_000)).captions.length).toBe(20_000);
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});
