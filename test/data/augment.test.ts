import { describe, expect, it } from "vitest";
import { augment, hasNoSide } from "../../src/data/augment.js";

const shape = [1, 1, 2, 3] as const;
const pictures = (count: number) => Float32Array.from({ length: 6 * count }, (_, i) => i % 6);
const drawn = (options: { mirror?: boolean; shift?: number }, captions: readonly string[], at = { seed: 0, step: 0 }) => {
  const samples = pictures(captions.length);
  augment(samples, shape, captions, { mirror: false, shift: 0, ...options }, at);
  return captions.map((_, i) => [...samples.subarray(6 * i, 6 * i + 6)].join(" "));
};

describe("augmentation", () => {
  const many = Array<string>(64).fill("fox");

  it("mirrors about half of the pictures, those without a side in their caption", () => {
    const seen = drawn({ mirror: true }, many);
    expect(new Set(seen)).toEqual(new Set(["0 1 2 3 4 5", "2 1 0 5 4 3"]));
    const mirrored = seen.filter((own) => own.startsWith("2")).length;
    expect(mirrored).toBeGreaterThan(18);
    expect(mirrored).toBeLessThan(46);
    expect(new Set(drawn({ mirror: true }, Array<string>(64).fill("Left arrow")))).toEqual(new Set(["0 1 2 3 4 5"]));
    expect(["a fox", "copyright", "the right hand", "Letter A", "leftover"].map(hasNoSide)).toEqual([
      ...[true, true, false, false, true],
    ]);
  });

  it("moves pictures by up to so many pixels, and fills with the border", () => {
    const seen = new Set(drawn({ shift: 1 }, many));
    expect(seen.size).toBe(9);
    expect(seen).toContain("0 0 1 0 0 1"); // down and to the right
    expect(seen).toContain("4 5 5 4 5 5"); // up and to the left
  });

  it("is a function of seed, step and place, every channel and frame alike", () => {
    const at = (seed: number, step: number) => drawn({ mirror: true, shift: 1 }, many, { seed, step });
    expect(at(1, 5)).toEqual(at(1, 5));
    expect(at(1, 6)).not.toEqual(at(1, 5));
    expect(at(2, 5)).not.toEqual(at(1, 5));
    const planes = Float32Array.from({ length: 12 }, (_, i) => i % 6);
    augment(planes, [2, 1, 2, 3], ["fox"], { mirror: true, shift: 1 }, { seed: 3, step: 4 });
    expect([...planes.subarray(0, 6)]).toEqual([...planes.subarray(6)]);
  });

  it("leaves everything as it is without either", () => {
    expect(drawn({}, many)).toEqual(many.map(() => "0 1 2 3 4 5"));
  });
});
