import { describe, expect, it } from "vitest";
import { axisOf, tickLabel } from "../../src/pictures/axis.js";
import { captionedGrid } from "../../src/pictures/captionedGrid.js";
import { drawCurve, lossCurve } from "../../src/pictures/curve.js";
import { drawText, textWidth } from "../../src/pictures/font.js";
import { blank, decodePng } from "../../src/pictures/png.js";
import { wrapText } from "../../src/pictures/wrap.js";

const dark = (picture: { data: Uint8Array }) => picture.data.filter((value, i) => i % 4 === 0 && value < 128).length;

describe("axes", () => {
  it.each([
    [[0, 100], false, [0, 20, 40, 60, 80, 100]],
    [[0.1, 1.3], false, [0.2, 0.4, 0.6, 0.8, 1, 1.2]],
    [[0.05, 3], true, [0.05, 0.1, 0.2, 0.5, 1, 2]],
    [[0.5, 0.9], true, [0.5, 0.6, 0.7, 0.8, 0.9]],
  ] as const)("have round numbers over %s", (values, logarithmic, ticks) => {
    expect(axisOf(values, 6, logarithmic).ticks).toEqual(ticks);
  });

  it("survive any numbers", () => {
    for (const values of [[], [Number.NaN], [0, 0], [5], [-1e30, 1e30], [1, 1 + 1e-15], [Number.POSITIVE_INFINITY, 3]]) {
      const { ticks, position } = axisOf(values, 6);
      expect(ticks.length).toBeLessThan(30);
      if (values.length === 1 && values[0] === 5) expect(position(5)).toBeCloseTo(1 / 3);
    }
    expect(axisOf([1e-30, 1e30], 6, true).ticks.length).toBeLessThan(12);
  });

  it("have short labels", () => {
    expect([0, 0.05, 5000, 20000, 1.5e6, 1e-5, -0.3, 2.5e10].map(tickLabel)).toEqual([
      "0",
      "0.05",
      "5000",
      "20k",
      "1.5M",
      "1e-5",
      "-0.3",
      "2.5e+10",
    ]);
  });
});

describe("curves", () => {
  it("are PNGs, also of nothing, of one point and of what is not finite", async () => {
    for (const points of [
      [],
      [{ x: 1, y: 2 }],
      [
        { x: 1, y: Number.NaN, smoothed: null },
        { x: 2, y: -1 },
      ],
    ]) {
      for (const logarithmic of [false, true]) {
        const picture = await decodePng(await lossCurve(points, { width: 200, height: 100, logarithmic }), "x");
        expect([picture.width, picture.height]).toEqual([200, 100]);
        expect(dark(picture)).toBeGreaterThan(100);
      }
    }
  });

  it("draw the smoothed line over the raw one", () => {
    const points = Array.from({ length: 50 }, (_, x) => ({ x, y: 1 / (x + 1), smoothed: 1 / (x + 2) }));
    const without = drawCurve(points.map(({ x, y }) => ({ x, y })));
    expect(dark(drawCurve(points))).toBeGreaterThan(dark(without) + 300);
  });
});

describe("text", () => {
  it("has a glyph of its own for every letter, digit and mark", () => {
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:;!?'\"()/%&#*_+-=";
    const shapes = new Map<string, string>();
    for (const letter of letters) {
      const picture = blank(8, 9, [255, 255, 255, 255]);
      drawText(picture, letter, 0, 0, [0, 0, 0, 255]);
      const shape = picture.data.join();
      expect(shapes.get(shape), letter).toBeUndefined();
      shapes.set(shape, letter);
      expect(dark(picture), letter).toBeGreaterThan(0);
    }
    expect(textWidth("café ‘x’")).toBe(textWidth("cafe 'x'"));
  });

  it("is wrapped between words and cut with dots", () => {
    expect(wrapText("red apple", 64, 2)).toEqual(["red apple"]);
    expect(wrapText("", 64, 2)).toEqual([]);
    for (const text of [
      "smiling face with sunglasses on top",
      "donaudampfschifffahrtsgesellschaft",
      "a b c d e f g h i j k l m n o p q r s t u v w x y z",
    ]) {
      const lines = wrapText(text, 64, 2);
      expect(lines.length).toBeLessThanOrEqual(2);
      for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(64);
      expect(lines.at(-1)).toMatch(/\.\.$/);
    }
  });

  it("stands under the cells of a grid", () => {
    const cells = [blank(40, 40, [255, 255, 255, 255]), blank(40, 40, [255, 255, 255, 255])];
    const result = captionedGrid(cells, ["fox"], 2, { gap: 2, lines: 1 });
    expect([result.width, result.height]).toEqual([86, 55]);
    expect(dark(result)).toBeGreaterThan(10);
  });
});
