import { expect, it } from "vitest";
import { ShapeError } from "../../src/base/errors.js";
import { blank } from "../../src/pictures/picture.js";
import { cropSquare, resizeArea } from "../../src/pictures/resize.js";

it("averages whole blocks", () => {
  expect([...resizeArea(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), 2, 2, 2, 1)]).toEqual([2.5, 6.5]);
});

it("weighs pixels by how much of them is covered", () => {
  const [left, right] = resizeArea(Float32Array.of(0, 3, 9, 0, 3, 9, 0, 3, 9), 1, 3, 3, 2);
  expect(left).toBeCloseTo(1, 6);
  expect(right).toBeCloseTo(7, 6);
});

it("repeats pixels when enlarging", () => {
  expect([...resizeArea(Float32Array.of(1, 2, 3, 4), 1, 2, 2, 4)]).toEqual([1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
});

it.each([
  [7, 3],
  [31, 32],
  [64, 48],
  [100, 33],
  [1, 5],
])("keeps the mean from %i to %i pixels", (from, to) => {
  const data = Float32Array.from({ length: from * from }, (_, i) => Math.sin(i * i));
  const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(mean(resizeArea(data, 1, from, from, to))).toBeCloseTo(mean(data), 5);
});

it("crops the middle", () => {
  const picture = blank(5, 2, [0, 0, 0, 255]);
  picture.data[4] = 1;
  picture.data[4 * 4] = 9;
  const square = cropSquare(picture);
  expect([square.width, square.height, square.data[0], square.data[4]]).toEqual([2, 2, 1, 0]);
});

it("refuses nothing", () => {
  expect(() => resizeArea(new Float32Array(0), 3, 0, 0, 4)).toThrow(ShapeError);
});
