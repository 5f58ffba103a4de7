import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { richCaptions } from "../../src/data/richCaptions.js";
import { wordsOf } from "../../src/data/tokenizer.js";

const apple = {
  name: "red apple",
  tags: ["apple", "food", "health", "diet", "ripe"],
  kind: "food fruit",
  facts: { colours: ["red", "green"], ground: "white" },
} as const;
const all = ({ variants, heldOut }: ReturnType<typeof richCaptions>) => [
  ...variants,
  ...(heldOut === undefined ? [] : [heldOut]),
];

describe("rich captions", () => {
  it("say what is known in several ways; tags that the name or the kind says already are left out", () => {
    expect(new Set(all(richCaptions(apple, 32)))).toEqual(
      new Set([
        "red apple, health, diet, ripe, food fruit, red and green on white",
        "red apple, food fruit, red and green on white",
        "red apple, health, diet, ripe",
        "red apple, health, diet, red and green",
        "red apple, ripe, health, food fruit",
        "red apple, food fruit",
        "red apple, red and green on white",
        "red apple, red and green",
        "red apple on white",
        "health, diet, ripe, food fruit, red and green",
      ]),
    );
  });

  it("of measured facts alone say those", () => {
    const { name, facts } = apple;
    expect(all(richCaptions({ name, facts }, 32)).sort()).toEqual([
      "red apple on white",
      "red apple, red and green",
      "red apple, red and green on white",
    ]);
    expect(richCaptions({ name, facts: { colours: ["red"] } }, 32)).toEqual({ variants: ["red apple, red"] });
    expect(richCaptions({ name, facts: { colours: ["red", "black", "white"] } }, 32)).toEqual({
      variants: ["red apple, red, black and white"],
    });
    expect(richCaptions({ name, facts: { colours: [] } }, 32)).toEqual({ variants: [] });
    expect(richCaptions({ name }, 32)).toEqual({ variants: [] });
  });

  it("leave out what does not fit, tags last", () => {
    const [fullest] = richCaptions(apple, 7).variants;
    expect(fullest).toBe("red apple, health, diet, ripe, food fruit");
    expect(richCaptions({ name: "one two three four", facts: apple.facts }, 4)).toEqual({ variants: [] });
  });

  it("differ in their words, are no longer than asked, and hold out one whose words are all known from the others", () => {
    const word = fc.constantFrom("fox", "red", "tail", "den", "wood", "night", "sly", "hen");
    const known = fc.record({
      name: fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(" ")),
      tags: fc.array(word, { maxLength: 9 }),
      kind: fc.constantFrom("", "animal mammal"),
      facts: fc.constantFrom(apple.facts, { colours: [] }, { colours: ["red"] as const }),
    });
    fc.assert(
      fc.property(known, fc.integer({ min: 1, max: 14 }), (own, longest) => {
        const rich = richCaptions(own, longest);
        const captions = all(rich).map(wordsOf);
        expect(new Set([own.name, ...all(rich)].map((caption) => wordsOf(caption).join(" "))).size).toBe(captions.length + 1);
        for (const words of captions) expect(words.length).toBeLessThanOrEqual(longest);
        if (rich.heldOut === undefined) return;
        expect(rich.variants.length).toBeGreaterThanOrEqual(2);
        expect(rich.variants.flatMap(wordsOf)).toEqual(expect.arrayContaining(wordsOf(rich.heldOut)));
      }),
    );
  });
});
