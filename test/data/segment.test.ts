import { afterEach, describe, expect, it, vi } from "vitest";
import { piecesOf, segmentKnown } from "../../src/data/segment.js";
import { lostWords, Tokenizer, wordsOf } from "../../src/data/tokenizer.js";

describe("scripts without spaces are cut into words", () => {
  it.each<[string, number, string?]>([
    ["一个红色的苹果在桌子上", 4, "苹果"],
    ["赤いリンゴとコーヒー", 3, "リンゴ"],
    ["แอปเปิ้ลสีแดงบนโต๊ะ", 3],
    ["ຫມາກໂປມສີແດງ", 2],
    ["ផ្លែប៉ោមក្រហម", 2],
  ])("%s", (caption, least, word = "") => {
    const words = wordsOf(caption);
    expect(words.length).toBeGreaterThanOrEqual(least);
    expect(words.join("")).toBe(caption);
    if (word) expect(words).toContain(word);
  });

  it("also beside others", () => {
    expect(wordsOf("新しいiPhone15のケース, red")).toEqual(["新しい", "iphone15", "の", "ケース", "red"]);
    expect(wordsOf("黑猫 and 白猫!")).toEqual([...wordsOf("黑猫"), "and", ...wordsOf("白猫")]);
  });
});

/** The rule of tokenizers up to now, under which others' captions must stay as they were. */
const before = (caption: string) =>
  caption
    .normalize("NFC")
    .toLowerCase()
    .replaceAll("’", "'")
    .match(/[\p{L}\p{N}\p{M}]+(?:'[\p{L}\p{N}\p{M}]+)*|[\p{S}#*]/gu) ?? [];

it.each([
  "Jack-o-Lantern! one o’clock, keycap: #",
  "ẠÅ 12½ naïve cafe\u0301 x\u0323\u0305y ʼn",
  "красное яблоко, ζωγραφιά, תפוח אדום, تفاحة حمراء",
  "빨간 사과와 초록 나무",
  "लाल सेब हरा पेड़ ৰঙা আপেল சிவப்பு ஆப்பிள்",
  "🍐 €5 + a*b ½ ² № ™",
])("captions with spaces keep their words: %s", (caption) => {
  expect(wordsOf(caption)).toEqual(before(caption));
  const tokenizer = Tokenizer.fromCaptions([caption]);
  const saved = Tokenizer.fromJSON({ length: tokenizer.length, words: tokenizer.words });
  expect(tokenizer.encode(caption)).toEqual(saved.encode(caption));
});

describe("a tokenizer", () => {
  const captions = ["红色的苹果", "绿色的苹果在树上", "黑猫"];
  const tokenizer = Tokenizer.fromCaptions(captions);

  it("shares words among captions and prompts", () => {
    expect(tokenizer.words).toContain("苹果");
    for (const caption of captions) expect(tokenizer.encode(caption).unknown).toEqual([]);
    const { unknown, ids } = tokenizer.encode("红色的猫");
    expect(unknown.join("")).not.toContain("红");
    expect([...ids].filter((id) => id > 1).length).toBeGreaterThanOrEqual(2);
  });

  it("that was saved before takes them whole, as it was trained", () => {
    const saved = Tokenizer.fromJSON({ length: 2, words: ["红色的苹果", "黑猫"] });
    expect([...saved.encode("红色的苹果 黑猫").ids]).toEqual([2, 3]);
    expect(Tokenizer.fromJSON(JSON.parse(JSON.stringify(saved))).encode("红色的苹果").ids[0]).toBe(2);
    expect(saved.toJSON()).toEqual({ length: 2, words: ["红色的苹果", "黑猫"] });
  });

  it("comes back from JSON with its cutting", () => {
    const again = Tokenizer.fromJSON(JSON.parse(JSON.stringify(tokenizer)));
    for (const caption of captions) expect(again.encode(caption)).toEqual(tokenizer.encode(caption));
  });

  it("knows no word that it never reads", () => {
    const seen = new Set(captions.flatMap((caption) => [...tokenizer.encode(caption).ids]));
    for (let id = 2; id < tokenizer.size; id++) expect(seen.has(id), tokenizer.words[id - 2]).toBe(true);
  });
});

describe("the words of a vocabulary", () => {
  const known = new Set(["研究", "生命", "研究生", "起源", "命"]);
  const cut = (run: string) => segmentKnown(run, (word) => known.has(word), 3);

  it("leave as few letters unknown as can be, then are as few as can be", () => {
    expect(cut("研究生命起源")).toEqual(["研究", "生命", "起源"]);
    expect(cut("研究生")).toEqual(["研究生"]);
    expect(cut("研究猫起源")).toEqual(["研究", "猫", "起源"]);
  });
  it("are not needed", () => {
    expect(cut("苹果").join("")).toBe("苹果");
    expect(segmentKnown("", () => true, 9)).toEqual([]);
  });
});

describe("without the runtime's dictionaries", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("letters are words, marks stay with their letters", async () => {
    vi.stubGlobal("Intl", { ...Intl, Segmenter: undefined });
    expect(wordsOf("红苹果 ok")).toEqual(["红", "苹", "果", "ok"]);
    expect(wordsOf("น้ำ")).toEqual(["น้", "ำ"]);
    const trained = Tokenizer.fromJSON({ length: 3, words: ["苹果", "红色"], segmented: true });
    expect([...trained.encode("红色苹果").ids]).toEqual([3, 2, 0]);
  });
});

it("cuts where scripts meet", () => {
  expect(piecesOf("a猫b").map(({ text }) => text)).toEqual(["a", "猫", "b"]);
  expect(piecesOf("コーヒー々〆").length).toBe(1);
});

describe("captions longer than the model reads", () => {
  const captions = ["a b c d", "a b e", "f"];
  const tokenizer = Tokenizer.fromCaptions(captions, { length: 2 });

  // @source https://github.com/huggingface/diffusers/issues/5890
  it("name the words that are lost", () => {
    expect(lostWords(tokenizer, captions)).toEqual({ captions: 2, words: ["c", "d", "e"] });
    expect(lostWords(tokenizer, ["a", ""])).toEqual({ captions: 0, words: [] });
  });

  it("do not teach words that are never seen", () => {
    expect(tokenizer.words).toEqual(["a", "b", "f"]);
    const long = Tokenizer.fromCaptions([Array.from({ length: 40 }, (_, i) => `w${i}`).join(" ")]);
    expect([long.length, long.words.length, long.words.includes("w32")]).toEqual([32, 32, false]);
    const run = Tokenizer.fromCaptions(["一个红色的苹果在桌子上旁边有一只黑猫"], { length: 3 });
    expect(run.words.length).toBe(3);
  });
});
