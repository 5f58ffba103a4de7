import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/base/errors.js";
import { normalNumbers } from "../../src/base/random.js";
import type { Dataset, SampleShape } from "../../src/data/dataset.js";
import { Tokenizer } from "../../src/data/tokenizer.js";
import { type Fidelity, fidelity, psnrCeiling } from "../../src/ptdit/fidelity.js";

/** A level of 8 bits in -1..1. */
const level = 1 / 127.5;

/** Pictures by a level for every place, and their captions. */
interface Made {
  readonly shape?: SampleShape;
  readonly captions?: readonly string[];
  readonly picture?: Level;
}
type Level = (row: number, column: number, channel: number, frame: number, picture: number) => number;

function painted(count: number, [channels, frames, rows, columns]: SampleShape, levels: Level): Float32Array {
  const all: number[] = [];
  for (let n = 0; n < count; n++)
    for (let c = 0; c < channels; c++)
      for (let f = 0; f < frames; f++)
        for (let y = 0; y < rows; y++) for (let x = 0; x < columns; x++) all.push(levels(y, x, c, f, n) * level - 1);
  return Float32Array.from(all);
}

/** What is measured of pictures (by default one of even grey) with `residual` levels added. */
function measured(residual: Level, patch = 4, made: Made = {}, tokenizer?: Tokenizer): Promise<Fidelity> {
  const { shape = [3, 1, 16, 16], captions = ["a"], picture = () => 128 } = made;
  const pictures = painted(captions.length, shape, picture);
  const numbers = pictures.length / captions.length;
  const data: Dataset = {
    name: "made",
    count: captions.length,
    shape,
    captions,
    sample: async (i) => pictures.subarray(i * numbers, (i + 1) * numbers),
  };
  const samples = painted(captions.length, shape, (...at) => picture(...at) + residual(...at));
  return fidelity(samples, data, patch, tokenizer);
}

/** Noise of this standard deviation, in levels, another number at every place. */
function noise(sigma: number): Level {
  const numbers = normalNumbers(64 * 64 * 3, 5, 0);
  return (row, column, channel) => sigma * numbers[(channel * 64 + row) * 64 + column];
}
const even =
  (value: number): Level =>
  () =>
    value;

describe("PSNR", () => {
  it("is that of the mean squared error, in dB", async () => {
    expect((await measured(even(25.5))).psnr).toBeCloseTo(20, 4);
    expect((await measured(even(-2.55))).psnr).toBeCloseTo(40, 4);
  });

  it("is a mean of decibels over the samples", async () => {
    const residual: Level = (_row, _column, _channel, _frame, n) => [25.5, 2.55][n];
    expect((await measured(residual, 4, { captions: ["a", "b"] })).psnr).toBeCloseTo(30, 4);
  });

  it("of equal pictures is the ceiling, that of rounding, so that one of them does not make all infinite", async () => {
    expect(psnrCeiling).toBeCloseTo(58.92, 2);
    expect((await measured(even(0))).psnr).toBe(psnrCeiling);
    const { psnr } = await measured((_row, _column, _channel, _frame, n) => [0, 25.5][n], 4, { captions: ["a", "b"] });
    expect(psnr).toBeCloseTo((psnrCeiling + 20) / 2, 4);
  });

  it("is of samples as they are drawn: what is lighter than white is white", async () => {
    expect((await measured(even(80), 4, { picture: even(255 - 25.5) })).psnr).toBeCloseTo(20, 4);
  });

  it("counts the nearest picture of an equal caption as the sample's own", async () => {
    const made = { captions: ["Red cat!", "red cat", "dog"], picture: (_y, _x, _c, _f, n) => [0, 100, 200][n] } satisfies Made;
    // Both cats are drawn as the second, the dog as a cat.
    const residual: Level = (_row, _column, _channel, _frame, n) => [100 - 25.5, 25.5, -100][n];
    const dog = 20 * Math.log10(255 / 100);
    for (const tokenizer of [undefined, Tokenizer.fromCaptions(made.captions)])
      expect((await measured(residual, 4, made, tokenizer)).psnr).toBeCloseTo((20 + 20 + dog) / 3, 4);
  });
});

describe("grain", () => {
  it("is the standard deviation of the residual in flat ground", async () => {
    const { speckle, hf } = await measured(noise(8), 4, { shape: [3, 1, 64, 64] });
    expect(speckle).toBeCloseTo(8, 0);
    // Without the mean of nine, 8/9 of the variance are left.
    expect(hf).toBeCloseTo(8 * Math.sqrt(8 / 9), 0);
  });

  it("of a chessboard of plus and minus a is a; without local means 8/9 of it inside, and all of it at the edges", async () => {
    const side = 16;
    const { speckle, hf } = await measured((row, column) => 9 * (-1) ** (row + column));
    expect(speckle).toBeCloseTo(9, 4);
    const inside = (side - 2) ** 2;
    // A corner's four and an edge's six pixels cancel.
    expect(hf).toBeCloseTo(Math.sqrt((inside * 8 ** 2 + (side ** 2 - inside) * 9 ** 2) / side ** 2), 4);
  });

  it("is not what is off everywhere, by channel", async () => {
    expect(await measured((_row, _column, channel) => [10, -20, 5][channel])).toMatchObject({ speckle: 0, hf: 0 });
  });

  it("of a slow wave is speckle, and hardly fine", async () => {
    const { speckle, hf } = await measured((row) => 8 * Math.sin((2 * Math.PI * row) / 16));
    expect(speckle).toBeCloseTo(8 / Math.SQRT2, 3);
    expect(hf).toBeLessThan(1);
  });

  it("is looked for from two pixels away from edges on, in every frame by itself", async () => {
    // The left half of the first frame is dark, and the sample is off where no ground is flat.
    const made = { shape: [1, 2, 16, 16], picture: (_y, x, _c, f) => (f === 0 && x < 8 ? 0 : 200) } satisfies Made;
    const beside: Level = (row, column, _channel, frame) => (frame === 0 && column >= 6 && column < 10 ? 30 * (-1) ** row : 0);
    expect((await measured(beside, 4, made)).speckle).toBe(0);
    // Of 16 x (12 + 16) flat pixels one column is off by plus and minus 30.
    const further: Level = (row, column, _channel, frame) => (frame === 0 && column === 10 ? 30 * (-1) ** row : 0);
    expect((await measured(further, 4, made)).speckle).toBeCloseTo(30 / Math.sqrt(12 + 16), 4);
  });

  it("sees a ground of one level's rounding as flat, of two as none", async () => {
    const stripes = (step: number): Made => ({ picture: (_y, x) => 100 + (x % 2) * step });
    expect((await measured((row) => 6 * (-1) ** row, 4, stripes(1))).speckle).toBeCloseTo(6, 4);
    expect(await measured((row) => 6 * (-1) ** row, 4, stripes(2))).toMatchObject({ speckle: null, hf: null });
  });

  it("is a mean over the samples that have flat ground", async () => {
    const made = { captions: ["a", "b", "c"], picture: (_y, x, _c, _f, n) => (n === 1 ? 16 * x : 128) } satisfies Made;
    const residual: Level = (row, _column, _channel, _frame, n) => [4, 50, 8][n] * (-1) ** row;
    expect((await measured(residual, 4, made)).speckle).toBeCloseTo(6, 4);
  });
});

describe("seam", () => {
  const patches = (row: number, column: number) => 12 * ((Math.floor(row / 4) + Math.floor(column / 4)) % 2);

  it("is steeper across the borders of patches where these are off by themselves", async () => {
    const within = noise(1);
    const { seam } = await measured((...at) => patches(at[0], at[1]) + within(...at));
    // A step of 12 over one of two unlike numbers, 2 / sqrt(pi).
    expect(seam).toBeGreaterThan(9);
    expect(seam).toBeLessThan(12);
    // The same picture, cut elsewhere.
    expect((await measured((...at) => patches(at[0], at[1]) + within(...at), 3)).seam).toBeLessThan(2);
  });

  it("is exact for steps that can be counted: 1 inside, 5 across", async () => {
    const stairs = (at: number) => at + 4 * Math.floor(at / 4);
    expect((await measured((row, column) => (stairs(row) + stairs(column)) / 8)).seam).toBeCloseTo(5, 3);
  });

  it("is 1 where nothing tells of patches", async () => {
    expect((await measured((row, column) => row - column)).seam).toBeCloseTo(1, 4);
    expect(
      (await measured((row, column) => 10 * Math.sin(row / 3 + column / 5), 4, { shape: [3, 1, 64, 64] })).seam,
    ).toBeCloseTo(1, 1);
    expect((await measured(noise(5), 4, { shape: [3, 1, 64, 64] })).seam).toBeCloseTo(1, 1);
  });

  it("is none without borders, without an inside, and where nothing differs", async () => {
    const slope: Level = (row) => row;
    expect((await measured(slope, 16)).seam).toBeNull();
    expect((await measured(slope, 1)).seam).toBeNull();
    expect((await measured(even(3))).seam).toBeNull();
  });
});

describe("fidelity", () => {
  it("of samples that are not finite is not taken, and their number told", async () => {
    const residual: Level = (_row, _column, _channel, _frame, n) => [Number.NaN, 25.5][n];
    const some = await measured(residual, 4, { captions: ["a", "b"] });
    expect(some).toMatchObject({ measured: 1, psnr: expect.closeTo(20, 4) });
    const none = { measured: 0, psnr: null, speckle: null, hf: null, seam: null };
    expect(await measured(even(Number.POSITIVE_INFINITY))).toEqual(none);
  });

  it("holds JSON's numbers alone", async () => {
    const same = await measured(even(0));
    expect(JSON.parse(JSON.stringify(same))).toEqual(same);
  });

  it("refuses half a patch, and samples of other sizes", async () => {
    await expect(measured(even(1), 0.5)).rejects.toThrow(ConfigError);
    await expect(measured(even(1), 0.5)).rejects.toThrow("fidelity: patch must be a whole number of at least 1, got 0.5.");
    const data = {
      name: "d",
      count: 1,
      shape: [1, 1, 2, 2],
      captions: ["a"],
      sample: async () => new Float32Array(4),
    } as const;
    await expect(fidelity(new Float32Array(5), data, 1)).rejects.toThrow("as many numbers as the data set holds, 4");
  });
});
