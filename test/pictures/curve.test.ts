import { describe, expect, it } from "vitest";
import { axisOf, tickLabel } from "../../src/pictures/axis.js";
import { captionedGrid } from "../../src/pictures/captionedGrid.js";
import { drawCurve, lossCurve } from "../../src/pictures/curve.js";
import { drawText, textWidth } from "../../src/pictures/font.js";
import { heatColour, heatMap } from "../../src/pictures/heatMap.js";
import { drawLines } from "../../src/pictures/lines.js";
import type { Colour, Picture } from "../../src/pictures/picture.js";
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

describe("charts of several lines", () => {
  const [red, blue]: Colour[] = [
    [255, 0, 0, 255],
    [0, 0, 255, 255],
  ];
  /** Rows of the picture that have a colour, from the top. */
  const rowsOf = ({ data, width }: Picture, colour: Colour) => {
    const rows = new Set<number>();
    for (let at = 0; at < data.length; at += 4)
      if (colour.every((c, i) => data[at + i] === c)) rows.add(Math.floor(at / 4 / width));
    return [...rows];
  };
  const level = (name: string, colour: Colour, y: number) => ({
    name,
    colour,
    thickness: 1,
    points: [
      [0, y],
      [3, y],
    ] as const,
  });

  it("draw numbers where they lie in the range that is given, and names of lines only where these are asked for", () => {
    const size = { width: 200, height: 120, range: [0, 1] as const, ticks: { x: 3, y: 5 } };
    const lines = [level("a", red, 0.25), level("b", blue, 0.75), level("none", red, 0.5)];
    lines[2].points = [] as never;
    const chart = drawLines(lines, { ...size, legend: false });
    expect([rowsOf(chart, red).length, rowsOf(chart, blue).length]).toEqual([1, 1]);
    const [low, high] = [rowsOf(chart, red)[0], rowsOf(chart, blue)[0]];
    // Half the range is half the height between the margins.
    expect(Math.abs(low - high - (120 - 20 - 21) / 2)).toBeLessThan(1);
    expect(rowsOf(drawLines(lines, size), red).length).toBeGreaterThan(1);
  });
});

describe("heat maps", () => {
  it("are boxes from dark to bright, grey where there is no number", () => {
    const map = heatMap([0, 1, Number.NaN, 2, -1, 0.5], 3, { width: 2, height: 4 });
    expect([map.width, map.height]).toEqual([6, 8]);
    const at = (column: number, row: number) => [...map.data.subarray((row * 6 + column) * 4, (row * 6 + column) * 4 + 4)];
    expect([at(0, 0), at(1, 3), at(2, 0)]).toEqual([heatColour(0), heatColour(0), heatColour(1)]);
    expect(at(4, 0)).toEqual([160, 160, 160, 255]);
    expect([at(0, 4), at(2, 4), at(4, 4)]).toEqual([heatColour(1), heatColour(0), heatColour(0.5)]);
    const lights = [0, 0.2, 0.4, 0.6, 0.8, 1].map((x) => heatColour(x)).map(([r, g, b]) => 0.3 * r + 0.6 * g + 0.1 * b);
    expect(lights).toEqual([...lights].sort((a, b) => a - b));
    expect(() => heatMap([1, 2, 3], 2, { width: 1, height: 1 })).toThrow(/3 numbers are no whole rows of 2/);
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
