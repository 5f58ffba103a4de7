import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../src/base/errors.js";
import { novelty, type Print } from "../../../src/ptdit/quality/novelty.js";

/** A picture of two pixels in a row. */
const print = (left: number, right: number): Print => ({
  picture: Float32Array.of(left, right),
  mirrored: Float32Array.of(right, left),
});
const grey = (value: number) => print(value, value);

describe("novelty", () => {
  // Their nearest others are 0.25, 0.25, and 0.5 away.
  const training = [grey(-0.5), grey(-0.25), grey(0.25)];

  it("is how far samples are from training pictures, beside how far these are from each other, in levels", () => {
    expect(novelty([grey(-0.5), grey(0.125), grey(0.75)], training)).toMatchObject({
      samples: 3,
      nearest: 0.125 * 127.5,
      nearestReal: 0.25 * 127.5,
    });
    // Of two numbers, one is off by 0.5: the root of the mean square.
    expect(novelty([print(0.25, 0.75)], training).nearest).toBeCloseTo(0.5 * Math.SQRT1_2 * 127.5, 6);
  });

  it("calls new what is farther from its nearest picture than that one from its nearest other", () => {
    // 0.26 and 0.24 from -0.5, whose nearest other is 0.25 away; 0.4 from 0.25, whose nearest other is 0.5 away; a picture again.
    const samples = [grey(-0.76), grey(-0.74), grey(0.65), grey(0.25)];
    expect(novelty(samples, training).novel).toBe(0.25);
    expect(novelty([grey(0.9)], training).novel).toBe(1);
    expect(novelty(training, training).novel).toBe(0);
  });

  it("tells what training pictures come to among each other: who is not the nearest of its nearest is as if new", () => {
    expect(novelty([grey(0)], training).novelReal).toBeCloseTo(1 / 3, 10);
    expect(novelty([grey(0)], [grey(-0.5), grey(-0.25), grey(0.25), grey(0.3)]).novelReal).toBe(0);
  });

  it("knows a training picture in a mirror", () => {
    const sided = [print(-1, 1), print(0.5, 0.5), print(-0.5, -0.5)];
    expect(novelty([print(1, -1)], sided)).toMatchObject({ nearest: 0, novel: 0 });
    // Two that are each other's mirror images are one.
    expect(novelty([print(1, -1)], [print(-1, 1), print(1, -1), grey(0)]).nearestReal).toBe(0);
  });

  it("finds the nearest of long pictures too, which are left early", () => {
    const long = (f: (at: number) => number): Print => {
      const picture = Float32Array.from({ length: 1000 }, (_, at) => f(at));
      return { picture, mirrored: picture.toReversed() };
    };
    // What differs in the last numbers alone, and what differs a little everywhere.
    const pictures = [long((at) => (at >= 990 ? 1 : 0)), long(() => 0.05), long(() => -1)];
    expect(novelty([long(() => 0)], pictures).nearest).toBeCloseTo(0.05 * 127.5, 3);
    expect(novelty([long(() => 0)], [pictures[0], pictures[2], pictures[2]]).nearest).toBeCloseTo(0.1 * 127.5, 3);
  });

  it("refuses too few, pictures of other sizes, and numbers that are none", () => {
    expect(() => novelty([], training)).toThrow(ConfigError);
    expect(() => novelty([grey(0)], training.slice(1))).toThrow("the training pictures must be a list of at least 3");
    expect(() => novelty([{ picture: new Float32Array(3), mirrored: new Float32Array(3) }], training)).toThrow(
      "novelty: samples of 3 numbers cannot be held against pictures of 2.",
    );
    expect(() => novelty([grey(Number.NaN)], training)).toThrow("of finite numbers");
  });
});
