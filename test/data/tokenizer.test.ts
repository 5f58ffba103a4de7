import { describe, expect, it } from "vitest";
import { editDistance } from "../../src/base/editDistance.js";
import { ConfigError, FormatError } from "../../src/base/errors.js";
import { Tokenizer, wordsOf } from "../../src/data/tokenizer.js";

const tokenizer = Tokenizer.fromCaptions(["red apple", "green apple", "Red heart", "smiling face with open hands"]);

describe("words", () => {
  it.each([
    ["Jack-o-Lantern!", ["jack", "o", "lantern"]],
    ["one o’clock", ["one", "o'clock"]],
    ["keycap: #", ["keycap", "#"]],
    ["flag: Åland Islands", ["flag", "åland", "islands"]],
    ["A\u030Aland", ["åland"]],
    ["яблоко 苹果", ["яблоко", "苹果"]],
    ["  ... ", []],
  ])("of %j", (caption, words) => {
    expect(wordsOf(caption)).toEqual(words);
  });
});

describe("tokenizer", () => {
  it("numbers words by frequency, then alphabet, from 2 on", () => {
    expect(tokenizer.words).toEqual(["apple", "red", "face", "green", "hands", "heart", "open", "smiling", "with"]);
    expect([tokenizer.size, tokenizer.length]).toEqual([11, 5]);
    expect(Tokenizer.fromCaptions(["smiling face with open hands", "Red heart", "green apple", "red apple"]).words).toEqual(
      tokenizer.words,
    );
  });

  it("encodes, pads, and names what it does not know", () => {
    const { ids, mask, unknown, cut } = tokenizer.encode("RED aple, with");
    expect([[...ids], [...mask], unknown, cut]).toEqual([[3, 1, 10, 0, 0], [1, 1, 1, 0, 0], ["aple"], []]);
    expect([...tokenizer.encode("").mask]).toEqual([0, 0, 0, 0, 0]);
    expect([...tokenizer.encode("").ids]).toEqual([0, 0, 0, 0, 0]);
  });

  it("leaves out articles before a prompt that no caption begins with", () => {
    const names = Tokenizer.fromCaptions(["A button", "fox", "the end", "diamond with a dot"]);
    const words = (own: Tokenizer, prompt: string) =>
      [...own.encode(prompt).ids].map((id) => own.words[id - 2]).filter(Boolean);
    expect(words(names, "a fox")).toEqual(["fox"]);
    expect(words(names, " An fox")).toEqual(["fox"]);
    expect(words(names, "The fox with a dot")).toEqual(["fox", "with", "a", "dot"]);
    // These are words of its own.
    expect(words(names, "A button")).toEqual(["a", "button"]);
    expect(words(names, "the fox")).toEqual(["the", "fox"]);
    expect(words(names, "a")).toEqual(["a"]);
    expect(Tokenizer.fromJSON(names.toJSON())).toEqual(names);
    expect(words(names.grown(["a cat"]), "a fox")).toEqual(["a", "fox"]);
    // One that was saved before reads them.
    const { skipped: _, ...before } = names.toJSON();
    expect(words(Tokenizer.fromJSON(before), "a fox")).toEqual(["a", "fox"]);
    expect(() => Tokenizer.fromJSON({ ...before, skipped: [1] })).toThrow(FormatError);
  });

  it("cuts long captions and says so", () => {
    expect(tokenizer.encode("red red red red red apple heart").cut).toEqual(["apple", "heart"]);
    expect(Tokenizer.fromCaptions(["a ".repeat(100)]).length).toBe(32);
    expect(Tokenizer.fromCaptions(["a b c"], { length: 2 }).encode("a b c").cut).toEqual(["c"]);
    expect(Tokenizer.fromCaptions([]).length).toBe(1);
    expect(() => Tokenizer.fromCaptions([], { length: 0 })).toThrow(ConfigError);
  });

  it("finds the nearest words", () => {
    expect(tokenizer.nearest("aple")[0]).toBe("apple");
    expect(tokenizer.nearest("Haert", 1)).toEqual(["heart"]);
    expect(tokenizer.nearest("x", 99).length).toBe(9);
  });

  it("grows: known words keep their numbers, new ones follow by frequency", () => {
    const grown = tokenizer.grown(["red fox", "a fox with red hat and open hands", "fox"]);
    expect(grown.words).toEqual([...tokenizer.words, "fox", "a", "hat"]);
    expect(grown.length).toBe(tokenizer.length);
    // Beyond the fifth word nothing is read, so nothing is learned.
    expect(grown.encode("and fox").unknown).toEqual(["and"]);
    for (const caption of ["red apple", "smiling face", "red red aple"])
      expect([...grown.encode(caption).ids]).toEqual([...tokenizer.encode(caption).ids]);
    expect(grown.grown(["red fox"])).toEqual(grown);
    expect(tokenizer.grown([])).toEqual(tokenizer);
    expect(Tokenizer.fromJSON(grown.toJSON())).toEqual(grown);
  });

  it("grows by words of scripts without spaces as it reads them: of known words where it can", () => {
    const own = Tokenizer.fromCaptions(["红心", "苹果"]);
    const grown = own.grown(["红苹果", "红心"]);
    expect(grown.words.slice(0, own.words.length)).toEqual(own.words);
    expect(grown.encode("红苹果").unknown).toEqual([]);
    expect([...grown.encode("苹果").ids].slice(0, 1)).toEqual([...own.encode("苹果").ids].slice(0, 1));
    // Tokenizers of earlier versions take such a run whole, and go on doing so.
    const { length, words } = own.toJSON();
    expect(Tokenizer.fromJSON({ length, words }).grown(["红苹果 fox"]).words.slice(words.length)).toEqual(
      ["fox", "红苹果"].slice(0, length),
    );
  });

  it("comes back from JSON; anything else is refused", () => {
    const again = Tokenizer.fromJSON(JSON.parse(JSON.stringify(tokenizer)));
    expect(again.encode("red apple")).toEqual(tokenizer.encode("red apple"));
    for (const broken of [null, 3, {}, { length: 0, words: [] }, { length: 2, words: [1] }, { length: 2, words: ["a", "a"] }]) {
      expect(() => Tokenizer.fromJSON(broken), JSON.stringify(broken)).toThrow(FormatError);
    }
  });

  it.each([
    ["", "", 0],
    ["", "abc", 3],
    ["apple", "aple", 1],
    ["kitten", "sitting", 3],
    ["ab", "ba", 1],
    ["ca", "abc", 3],
  ])("distance of %j and %j is %i", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});
