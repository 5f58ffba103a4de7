import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { batchIndices, loadDataset, Tokenizer } from "../../src/data/index.js";
import { encodePng } from "../../src/io/png.js";

describe("emoji", () => {
  it.each([
    ["emoji:64", 64, 64],
    ["emoji:core", 1200, 1450],
    ["emoji", 1800, 1950],
  ])("%s has its pictures and captions", async (name, least, most) => {
    const { count, captions, pictures, size } = await loadDataset(name, { size: 16 });
    expect(count).toBeGreaterThanOrEqual(least);
    expect(count).toBeLessThanOrEqual(most);
    expect(new Set(captions).size).toBe(count);
    expect(pictures.length).toBe(count * 3 * size * size);
    expect(pictures.every((x) => x >= -1 && x <= 1)).toBe(true);
  });
  it("names the choices when there is no such set", async () => {
    await expect(loadDataset("emoji:7", {})).rejects.toThrow(/emoji:64/);
  });
});

describe("a folder of pictures", () => {
  it("takes captions from names and files beside, and names what it skips", async () => {
    const folder = mkdtempSync(join(tmpdir(), "ptdit-data-"));
    const picture = await encodePng({ width: 5, height: 3, channels: 4, data: new Uint8Array(60).fill(200) });
    writeFileSync(join(folder, "red_apple-01.png"), picture);
    writeFileSync(join(folder, "b.png"), picture);
    writeFileSync(join(folder, "b.txt"), "a green tree\n");
    writeFileSync(join(folder, "broken.png"), picture.subarray(0, 30));
    const data = await loadDataset(folder, { size: 8 });
    expect([...data.captions].sort()).toEqual(["a green tree", "red apple"]);
    expect(data.skipped.map(({ file }) => file)).toEqual([expect.stringContaining("broken.png")]);
  });
});

describe("batches", () => {
  it("show every sample once an epoch, as a function of seed and step alone", () => {
    const epoch = Array.from({ length: 5 }, (_, step) => [...batchIndices(10, 4, 3, step)]).flat();
    expect([...epoch.slice(0, 10)].sort((a, b) => a - b)).toEqual([...Array(10).keys()]);
    expect([...epoch.slice(10)].sort((a, b) => a - b)).toEqual([...Array(10).keys()]);
    expect([...batchIndices(10, 4, 3, 2)]).toEqual(epoch.slice(8, 12));
    expect([...batchIndices(10, 4, 4, 2)]).not.toEqual(epoch.slice(8, 12));
  });
});

describe("tokenizer", () => {
  const tokenizer = Tokenizer.fromCaptions(["red apple", "red car", "old cat"]);
  it("encodes, pads and names what it does not know", () => {
    const { ids, mask, unknown } = tokenizer.encode("Red  banana");
    expect([...mask].slice(0, 2)).toEqual([1, 1]);
    expect(ids.length).toBe(tokenizer.length);
    expect(unknown).toEqual(["banana"]);
    expect([...tokenizer.encode("").mask].every((m) => m === 0)).toBe(true);
  });
  it("survives being saved", () => {
    expect(Tokenizer.fromJSON(JSON.parse(JSON.stringify(tokenizer.toJSON()))).encode("old car")).toEqual(
      tokenizer.encode("old car"),
    );
  });
});
