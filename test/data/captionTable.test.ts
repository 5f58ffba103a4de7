import { describe, expect, it } from "vitest";
import { CaptionTable, everyCaption } from "../../src/data/captionTable.js";

const captions = ["fox", "owl", "key"];
const variants = [["a red fox", "fox, animal"], [], ["a key", "key, tool", "key of brass", "golden key"]];

describe("captions to draw from", () => {
  const every = everyCaption({ captions, variants });
  const table = new CaptionTable({ captions, variants });
  const indices = Int32Array.from({ length: 3000 }, (_, i) => i % 3);
  const read = (seed: number, step: number) => Array.from(table.draw(indices, seed, step), (row) => every[row]);

  it("are the main ones, then the others", () => {
    expect(every).toEqual([...captions, ...variants.flat()]);
    expect(everyCaption({ captions })).toEqual(captions);
  });

  it("belong to their samples, the main one in 15 of 100 cases and the others alike", () => {
    const counts = new Map<string, number>();
    for (const [place, caption] of read(0, 7).entries()) {
      const own = place % 3;
      expect([captions[own], ...variants[own]]).toContain(caption);
      counts.set(caption, (counts.get(caption) ?? 0) + 1);
    }
    expect(counts.get("owl")).toBe(1000);
    for (const short of ["fox", "key"]) {
      expect(counts.get(short)).toBeGreaterThan(100);
      expect(counts.get(short)).toBeLessThan(200);
    }
    for (const own of [variants[0], variants[2]])
      for (const caption of own) expect(Math.abs((counts.get(caption) ?? 0) - 850 / own.length)).toBeLessThan(60);
  });

  it("are a function of seed and step", () => {
    expect(read(3, 5)).toEqual(read(3, 5));
    expect(read(3, 6)).not.toEqual(read(3, 5));
    expect(read(4, 5)).not.toEqual(read(3, 5));
    expect(read(3 + 2 ** 40, 5)).not.toEqual(read(3, 5));
  });

  it("are the main ones where there are no others", () => {
    expect(new CaptionTable({ captions }).draw(Int32Array.of(2, 0, 2), 0, 0)).toEqual(Int32Array.of(2, 0, 2));
  });
});
