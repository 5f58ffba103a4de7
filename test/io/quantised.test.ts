import { describe, expect, it } from "vitest";
import { normalNumbers } from "../../src/base/random.js";
import { dequantiseRows, quantiseRows } from "../../src/io/quantised.js";

/** Rows of very different sizes. */
const [rows, width] = [40, 96];
const x = Float32Array.from(normalNumbers(rows * width, 5, 0), (value, i) => value * 10 ** (Math.floor(i / width) % 9));
const rowOf = <T extends Float32Array | Int8Array>(data: T, row: number) => [...data.subarray(row * width, (row + 1) * width)];

describe("rows of 8-bit numbers", () => {
  const { numbers, scales } = quantiseRows(x, width);
  const back = dequantiseRows(numbers, scales);

  it("use all of -127..127 in every row, -128 in none", () => {
    for (let row = 0; row < rows; row++) expect(Math.max(...rowOf(numbers, row).map(Math.abs))).toBe(127);
  });

  it("are off by half a scale at most, and by 0.8 % of a normal row", () => {
    for (let row = 0; row < rows; row++) {
      const [own, again] = [rowOf(x, row), rowOf(back, row)];
      const errors = own.map((value, i) => Math.abs(value - again[i]));
      expect(Math.max(...errors) / scales[row]).toBeLessThan(0.5001);
      expect(Math.hypot(...errors) / Math.hypot(...own)).toBeLessThan(0.008);
    }
  });

  it("stay what they are when they are quantised again", () => {
    expect(quantiseRows(back, width)).toEqual({ numbers, scales });
  });

  it("keep the sign: a row's negative loses the same", () => {
    const negative = quantiseRows(
      x.map((value) => -value),
      width,
    );
    expect(negative.scales).toEqual(scales);
    const differing = numbers.filter((value, i) => value !== -negative.numbers[i]);
    expect([...differing]).toEqual([]);
  });

  it("hold zeros, the smallest floats and large ones", () => {
    const largest = 3e38;
    const cases = [
      [0, 0, 0],
      [2 ** -149, 0, -(2 ** -149)],
      [190 * 2 ** -149, 1 * 2 ** -149, 0],
      [largest, -largest, 0],
    ];
    for (const row of cases) {
      const { numbers, scales } = quantiseRows(row, 3);
      const again = dequantiseRows(numbers, scales);
      // Of the very smallest a scale is rounded by as much as half of the least float.
      const most = Math.max(0.5001 * scales[0], 127 * 2 ** -150);
      for (const [i, value] of row.entries()) expect(Math.abs(again[i] - value)).toBeLessThanOrEqual(most);
    }
  });
});
