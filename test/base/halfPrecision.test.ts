import { describe, expect, it } from "vitest";
import { decodeBrain, decodeHalf, encodeBrain, encodeHalf } from "../../src/base/halfPrecision.js";

const all = Uint16Array.from({ length: 65536 }, (_, i) => i);

/** The rounding by its definition: the nearest of the two neighbours, the one with an even pattern when both are as near. */
function nearest(value: number, decoded: Float32Array, largest: number, limit: number): number {
  const size = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  if (size >= limit) return sign | (largest + 1);
  let [low, high] = [0, largest];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (decoded[middle] <= size) low = middle;
    else high = middle - 1;
  }
  if (low === largest) return sign | low;
  const [below, above] = [size - decoded[low], decoded[low + 1] - size];
  return sign | (below < above || (below === above && low % 2 === 0) ? low : low + 1);
}

describe.each([
  // Largest finite pattern, and from where on numbers are infinite: half a step beyond it.
  { name: "binary16", decode: decodeHalf, encode: encodeHalf, largest: 0x7bff, limit: 65520 },
  { name: "bfloat16", decode: decodeBrain, encode: encodeBrain, largest: 0x7f7f, limit: 2 ** 128 * (1 - 2 ** -9) },
])("$name", ({ decode, encode, largest, limit }) => {
  const decoded = decode(all);

  it("gives back every pattern", () => {
    const back = encode(decoded);
    const wrong = [...all].filter((pattern) =>
      Number.isNaN(decoded[pattern])
        ? !Number.isNaN(decode(back.subarray(pattern, pattern + 1))[0])
        : back[pattern] !== pattern,
    );
    expect(wrong).toEqual([]);
  });

  it("rounds to the nearest, ties to even", () => {
    const values = new Float32Array(6 * largest);
    for (let i = 0; i < largest; i++) {
      const middle = Math.fround(decoded[i] / 2 + decoded[i + 1] / 2);
      // A tie, and what float32 has on both sides of it.
      values.set(
        [middle, middle * (1 + 2 ** -23), middle * (1 - 2 ** -23), -middle, decoded[i] * 1.0001, -decoded[i] * 0.9999],
        6 * i,
      );
    }
    const encoded = encode(values);
    const wrong = [...values.keys()].filter((i) => encoded[i] !== nearest(values[i], decoded, largest, limit));
    expect(wrong.map((i) => values[i])).toEqual([]);
  });

  it("keeps what is special", () => {
    const special = Float32Array.of(0, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN);
    expect([...decode(encode(special))]).toEqual([...special]);
    expect(decode(encode(Float32Array.of(3.4e38)))[0]).toBe(Number.POSITIVE_INFINITY);
  });
});

it("agrees with known patterns", () => {
  expect([...encodeHalf(Float32Array.of(1, -2, 65504, 65520, 2 ** -24, 2 ** -25, 1 / 3))]).toEqual([
    0x3c00, 0xc000, 0x7bff, 0x7c00, 1, 0, 0x3555,
  ]);
  expect([...encodeBrain(Float32Array.of(1, -2, 1 / 3, 1 + 2 ** -8, 1 + 3 * 2 ** -8))]).toEqual([
    0x3f80, 0xc000, 0x3eab, 0x3f80, 0x3f82,
  ]);
});
