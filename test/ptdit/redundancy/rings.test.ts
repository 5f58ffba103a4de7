import { describe, expect, it } from "vitest";
import { attentionRings } from "../../../src/ptdit/redundancy/rings.js";
import type { Triple } from "../../../src/ptdit/windows.js";

describe("rings around windows", () => {
  it.each<[string, Triple, Triple, number]>([
    ["of 16 x 16 tokens", [1, 16, 16], [1, 4, 4], 4],
    ["of a wide grid", [1, 4, 12], [1, 2, 2], 6],
    ["of small windows", [1, 5, 5], [1, 1, 1], 5],
    ["of odd windows", [1, 9, 6], [1, 3, 3], 3],
  ])("%s are the distance to the window's nearest token, in windows", (_, grid, window, count) => {
    const rings = attentionRings(grid, window);
    const [, rows, columns] = grid;
    const [, side] = window;
    expect([rings.count, rings.windows, rings.tokens]).toEqual([count, (rows * columns) / side ** 2, side ** 2]);
    for (let w = 0; w < rings.windows; w++) {
      const members = [...rings.members.subarray(w * rings.tokens, (w + 1) * rings.tokens)];
      const ring = rings.ringOf(w);
      for (let j = 0; j < rows * columns; j++) {
        const away = members.map((i) =>
          Math.max(Math.abs((i % columns) - (j % columns)), Math.abs(Math.floor(i / columns) - Math.floor(j / columns))),
        );
        expect(ring[j]).toBe(Math.ceil(Math.min(...away) / side));
      }
    }
    const farthest = Array.from({ length: rings.windows }, (_, w) => Math.max(...rings.ringOf(w)));
    expect(Math.max(...farthest)).toBe(count - 1);
  });

  it("hold every token once, each window whole in one ring of another; a corner's window is p x p too", () => {
    const { members, ringOf, windows, tokens } = attentionRings([1, 16, 16], [1, 4, 4]);
    expect([...members].sort((a, b) => a - b)).toEqual(Array.from({ length: 256 }, (_, i) => i));
    const corner = [12, 13, 14, 15].flatMap((row) => [12, 13, 14, 15].map((column) => row * 16 + column));
    expect([...members.subarray(15 * 16)]).toEqual(corner);
    expect([...ringOf(15)].map((r, j) => (r === 0 ? j : -1)).filter((j) => j >= 0)).toEqual(corner);
    for (let w = 0; w < windows; w++)
      for (let other = 0; other < windows; other++) {
        const own = [...members.subarray(other * tokens, (other + 1) * tokens)].map((j) => ringOf(w)[j]);
        expect(new Set(own).size).toBe(1);
      }
  });

  it("take the farthest of the axes, each in sides of its own", () => {
    const ring = attentionRings([4, 4, 4], [2, 1, 4]).ringOf(0);
    // From the first window, frames 0 and 1 of row 0: frame 2 is in ring 1, row 3 in ring 3.
    expect([ring[0], ring[16], ring[2 * 16], ring[3 * 4], ring[3 * 16 + 3 * 4 + 3]]).toEqual([0, 0, 1, 3, 3]);
  });

  it("refuse windows that do not tile the grid", () => {
    expect(() => attentionRings([1, 10, 12], [1, 4, 4])).toThrow(/height 10 is not divisible by window 4/);
    expect(() => attentionRings([1, 8] as never, [1, 4, 4])).toThrow(/rings: the grid must be three positive whole numbers/);
    expect(() => attentionRings([1, 16, 16], [1, 4, 4]).ringOf(16)).toThrow(/rings: the window's number must be/);
  });
});
