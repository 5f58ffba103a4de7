import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/base/errors.js";
import { PictureSet } from "../../src/data/pictureSet.js";
import { joinedSets, RehearsedSet } from "../../src/data/rehearsal.js";

/** A set whose pictures are all of their number, from `first` on. */
function numbered(name: string, count: number, first: number, others: object = {}): PictureSet {
  const captions = Array.from({ length: count }, (_, i) => `${name} ${i}`);
  const pictures = Float32Array.from({ length: count * 12 }, (_, i) => first + Math.floor(i / 12));
  return new PictureSet({ name, size: 2, captions, pictures, ...others });
}
const own = numbered("own", 5, 0);
const known = numbered("known", 40, 100);
const counts = (indices: Iterable<number>): number[] => {
  const result = Array<number>(own.count + known.count).fill(0);
  for (const index of indices) result[index]++;
  return result;
};

describe("a rehearsed set", () => {
  it("holds the new pictures first, then the known ones", async () => {
    const set = new RehearsedSet(own, known, 0.5);
    expect(set.name).toBe("own");
    expect(set.captions).toEqual([...own.captions, ...known.captions]);
    expect([(await set.sample(4))[0], (await set.sample(5))[0], (await set.sample(44))[11]]).toEqual([4, 100, 139]);
    expect(set.shape).toEqual([3, 1, 2, 2]);
  });

  it.each([
    [0.5, 16],
    [0.25, 8],
    [0.3, 7],
    [0.01, 4],
    [0.99, 4],
  ])("draws a part of %f of every batch of %d from what is known, to the picture in the long run", (part, batch) => {
    const set = new RehearsedSet(own, known, part);
    let [all, old] = [0, 0];
    for (let step = 0; step < 200; step++) {
      const indices = set.draw(batch, 3, step);
      const now = indices.filter((index) => index >= own.count).length;
      expect(Math.abs(now - part * batch)).toBeLessThan(1);
      [all, old] = [all + batch, old + now];
      expect(Math.abs(old - part * all)).toBeLessThan(1 + 1e-9);
      expect(indices).toHaveLength(batch);
    }
  });

  it("lets every picture of either kind come once an epoch of its kind", () => {
    const set = new RehearsedSet(own, known, 0.5);
    // Ten steps of eight: 40 of each kind.
    const drawn = counts(Array.from({ length: 10 }, (_, step) => [...set.draw(8, 0, step)]).flat());
    expect(drawn.slice(0, 5)).toEqual(Array(5).fill(8));
    expect(drawn.slice(5)).toEqual(Array(40).fill(1));
  });

  it("mixes both kinds over all places of a batch: times of noise may be spread in its order", () => {
    const set = new RehearsedSet(own, known, 0.5);
    const batches = Array.from({ length: 400 }, (_, step) => set.draw(8, 1, step));
    for (let place = 0; place < 8; place++) {
      const old = batches.filter((indices) => indices[place] >= own.count).length;
      expect(old / 400).toBeGreaterThan(0.4);
      expect(old / 400).toBeLessThan(0.6);
    }
  });

  it("draws by seed and step alone, and pairs nothing with nothing", () => {
    const twins = new RehearsedSet(numbered("a", 16, 0), numbered("b", 16, 50), 0.5);
    expect(twins.draw(8, 7, 5)).toEqual(new RehearsedSet(twins.own, twins.known, 0.5).draw(8, 7, 5));
    expect(twins.draw(8, 7, 5)).not.toEqual(twins.draw(8, 8, 5));
    expect(twins.draw(8, 7, 5)).not.toEqual(twins.draw(8, 7, 6));
    const steps = Array.from({ length: 100 }, (_, step) => [...twins.draw(2, 0, step)].sort((a, b) => a - b));
    expect(new Set(steps.map(([a, b]) => b - 16 - a)).size).toBeGreaterThan(10);
  });

  it.each([
    [own, new PictureSet({ name: "large", size: 4, captions: ["a"], pictures: new Float32Array(48) }), 0.5, '"large" 4'],
    [own, known, 0, "must lie between 0 and 1, got 0"],
    [own, known, 1, "got 1"],
    [own, known, Number.NaN, "got NaN"],
  ] as const)("refuses what cannot be mixed", (a, b, part, message) => {
    expect(() => new RehearsedSet(a, b, part)).toThrow(ConfigError);
    expect(() => new RehearsedSet(a, b, part)).toThrow(message);
  });
});

describe("joined sets", () => {
  it("have of each what any of them has", () => {
    const rich = numbered("rich", 2, 0, { variants: [["x"], []], heldOut: ["y", undefined], files: ["0.png", "1.png"] });
    expect(joinedSets("both", [own, rich])).toMatchObject({
      name: "both",
      variants: [[], [], [], [], [], ["x"], []],
      heldOut: [undefined, undefined, undefined, undefined, undefined, "y", undefined],
      files: [...own.captions, "0.png", "1.png"],
    });
    expect(Object.keys(joinedSets("both", [own, known])).sort()).toEqual(
      ["captions", "name", "notes", "pictures", "size", "skipped"].sort(),
    );
  });
});
