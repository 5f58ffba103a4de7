import { describe, expect, it, vi } from "vitest";
import { ConfigError } from "../../src/base/errors.js";
import { emoji64 } from "../../src/data/emoji64.js";
import { background, normalised } from "../../src/data/pictureSet.js";
import { wordsOf } from "../../src/data/tokenizer.js";
import { loadDataset } from "../../src/node/load.js";

/** Mean square difference of two pictures of a set. */
function distance(pictures: Float32Array, length: number, i: number, j: number): number {
  let sum = 0;
  for (let k = 0; k < length; k++) sum += (pictures[i * length + k] - pictures[j * length + k]) ** 2;
  return sum / length;
}

describe("emoji", () => {
  it("holds every emoji once", async () => {
    const { captions, count, pictures, size, skipped } = await loadDataset("emoji", { size: 16 });
    expect(count).toBe(1892);
    expect(new Set(captions).size).toBe(count);
    expect([pictures.length, size, skipped]).toEqual([count * 3 * 16 * 16, 16, []]);
    expect(pictures.every((value) => value >= -1 && value <= 1)).toBe(true);
    // Of equal drawings the better known name stays.
    for (const kept of ["flag: France", "flag: Norway", "flag: United States", "flag: Saudi Arabia", "family"])
      expect(captions).toContain(kept);
    for (const dropped of ["flag: Clipperton Island", "flag: Bouvet Island", "flag: Sark"])
      expect(captions).not.toContain(dropped);
  });

  it("has a core without flags, keycaps, clock faces and variants of people", async () => {
    const { captions } = await loadDataset("emoji:core", { size: 8 });
    expect(captions.length).toBeGreaterThan(1300);
    expect(captions.length).toBeLessThan(1360);
    expect(captions.filter((caption) => /^flag:|^keycap|o’clock|^(wo)?man(?!’)\b|^family|merman/.test(caption))).toEqual([]);
    for (const kept of ["red apple", "watch", "man’s shoe", "black cat", "lady beetle"]) expect(captions).toContain(kept);
  });

  it("has 64 that cannot be confused", async () => {
    const { captions, count, pictures } = await loadDataset("emoji:64");
    expect(new Set(captions)).toEqual(new Set(emoji64));
    expect(count).toBe(64);
    for (const caption of captions) expect(wordsOf(caption).length).toBeLessThanOrEqual(3);
    for (let i = 0; i < count; i++)
      for (let j = 0; j < i; j++) expect(distance(pictures, 3 * 32 * 32, i, j)).toBeGreaterThan(0.08);
  });

  it("has rich captions: what a name, its tags, its kind and its colours say, in twelve words", async () => {
    const [plain, rich] = [
      await loadDataset("emoji:64", { size: 8 }),
      await loadDataset("emoji:64", { size: 8, captions: "rich" }),
    ];
    expect([rich.captions, rich.pictures]).toEqual([plain.captions, plain.pictures]);
    expect([plain.variants, plain.heldOut]).toEqual([undefined, undefined]);
    const { captions, variants = [], heldOut = [] } = rich;
    const of = (caption: string) => [...variants[captions.indexOf(caption)], heldOut[captions.indexOf(caption)]];
    expect(of("fox")).toEqual(expect.arrayContaining(["fox, animal mammal, orange and white", "fox, orange and white"]));
    expect(of("automobile")).toContain("automobile, car, vehicle, driving");
    expect(of("alarm clock").join()).toContain("time");
    for (const [i, own] of variants.entries()) {
      for (const caption of [...own, heldOut[i] ?? ""]) expect(wordsOf(caption).length).toBeLessThanOrEqual(12);
      expect(own.length).toBeGreaterThan(1);
      expect(wordsOf(heldOut[i] ?? "?").filter((word) => !own.flatMap(wordsOf).includes(word))).toEqual([]);
    }
    // Captions do not depend on what else is in the set, nor on the size of its pictures.
    const core = await loadDataset("emoji:core", { size: 4, captions: "rich" });
    for (const [i, caption] of captions.entries()) {
      const at = core.captions.indexOf(caption);
      expect([core.variants?.[at], core.heldOut?.[at]]).toEqual([variants[i], heldOut[i]]);
    }
    // Letters of which the catalogue knows no more than the name have too few to hold one out.
    expect(core.heldOut?.filter((caption) => caption === undefined).length).toBeLessThan(20);
  });

  it("shows white drawings on the background", () => {
    const white = normalised({ width: 1, height: 1, channels: 4, data: Uint8Array.of(255, 255, 255, 255) }, 1);
    const empty = normalised({ width: 1, height: 1, channels: 4, data: Uint8Array.of(0, 0, 0, 0) }, 1);
    expect([...empty]).toEqual([0, 1, 2].map((channel) => Math.fround(background[channel] / 127.5 - 1)));
    for (let channel = 0; channel < 3; channel++) expect(white[channel] - empty[channel]).toBeGreaterThan(0.2);
  });

  it("refuses sets that do not exist and impossible sizes", async () => {
    await expect(loadDataset("emoji:xyz")).rejects.toThrow('no set "emoji:xyz". Choose emoji, emoji:core, emoji:64');
    for (const size of [0, 1.5, -1, Number.NaN]) await expect(loadDataset("emoji:64", { size })).rejects.toThrow(ConfigError);
    const captions = JSON.parse('"long"');
    await expect(loadDataset("emoji:64", { captions })).rejects.toThrow('captions must be one of name, rich, got "long"');
  });

  it("says what to do when the packed pictures are missing", async () => {
    vi.resetModules();
    const resolve = () => {
      throw new Error("Cannot find module");
    };
    vi.doMock("node:module", () => ({ createRequire: () => ({ resolve }) }));
    const fresh = await import("../../src/node/load.js");
    await expect(fresh.loadDataset("emoji:64")).rejects.toThrow(
      "Install ptdit again; in a clone of its repository run: npm run",
    );
    vi.doUnmock("node:module");
    vi.resetModules();
  });

  it("says when the packed list is of a version without tags", async () => {
    vi.resetModules();
    vi.doMock("node:fs/promises", async (original) => {
      const real = await original<typeof import("node:fs/promises")>();
      const readFile = async (path: string) => {
        const bytes = await real.readFile(path);
        return path.endsWith("list.json") ? Buffer.from(bytes.toString().replaceAll('"tags"', '"labels"')) : bytes;
      };
      return { ...real, readFile };
    });
    const fresh = await import("../../src/node/load.js");
    await expect(fresh.loadDataset("emoji:64", { size: 8, captions: "rich" })).rejects.toThrow(
      /no tags for "grinning face": an earlier version made it\. .*npm run build:emoji/,
    );
    expect((await fresh.loadDataset("emoji:64", { size: 8 })).count).toBe(64);
    vi.doUnmock("node:fs/promises");
    vi.resetModules();
  });

  it("says which of the packed files is not whole", async () => {
    const cut = async (name: string) => {
      vi.resetModules();
      vi.doMock("node:fs/promises", async (original) => {
        const real = await original<typeof import("node:fs/promises")>();
        const readFile = async (path: string) => {
          const bytes = await real.readFile(path);
          return path.endsWith(name) ? bytes.subarray(0, bytes.length - 9) : bytes;
        };
        return { ...real, readFile };
      });
      const fresh = await import("../../src/node/load.js");
      return fresh.loadDataset("emoji:64", { size: 8 }).finally(() => vi.doUnmock("node:fs/promises"));
    };
    await expect(cut("list.json")).rejects.toThrow(/list\.json is not whole/);
    await expect(cut("pictures.bin")).rejects.toThrow(/pictures\.bin has \d+ bytes, .*list\.json names \d+/);
    vi.resetModules();
  });
});
