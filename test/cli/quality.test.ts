import { describe, expect, it } from "vitest";
import { qualityLines } from "../../cli/show/quality.js";

describe("measures of all samples together, in lines", () => {
  const kid = { pairs: 64, value: 0.0123, interval: [0.0091, 0.0149], floor: 0.001 } as const;
  const novelty = { samples: 64, nearest: 12.34, nearestReal: 31, novel: 0.05, novelReal: 0.625 };

  it("are a distance with its interval and the floor, and how new samples are", () => {
    expect(qualityLines({ kid, novelty })).toEqual([
      "KID 0.012 (0.009 to 0.015; real against real up to 0.001)",
      "novelty: nearest training picture 12.3 of 255 levels away, as these are 31.0 from each other; 5.0 % of samples are new " +
        "(of training pictures among the others 62.5 %)",
    ]);
  });

  it("say when a distance tells little: samples are too few, or differ no more than real pictures", () => {
    const line = (value: number, interval: readonly [number, number]) =>
      qualityLines({ kid: { ...kid, value, interval, floor: 0.02 }, novelty })[0];
    expect(line(0.0123, [0.0091, 0.0149])).toBe(
      "KID 0.012 (0.009 to 0.015; real against real up to 0.020): there is a difference, but real pictures, 64 of them, differ as much by chance",
    );
    expect(line(-0.001, [-0.004, 0.003])).toBe(
      "KID -0.001 (-0.004 to 0.003; real against real up to 0.020): there is no difference, or 64 samples are too few to tell",
    );
  });

  it("say when there is none", () => {
    expect(qualityLines({ kid: null, novelty: null })).toEqual([
      "KID: too few samples are finite, at least 4 are needed",
      "novelty: too few finite samples, or training pictures, to tell",
    ]);
  });
});
