import { describe, expect, it } from "vitest";
import { drawCurve, lossCurve } from "../../src/pictures/curve.js";
import { decodePng } from "../../src/pictures/png.js";
import { type Point, smoothLine } from "../../src/pictures/smooth.js";

const decay = (x: number) => 0.1 + 0.9 * Math.exp(-x / 300);
const points = Array.from({ length: 300 }, (_, i): Point => [10 * (i + 1), decay(10 * (i + 1))]);

describe("the smoothed line", () => {
  it("is the line itself where that is straight, to its very ends", () => {
    const straight = points.map(([x]): Point => [x, 3 - 0.002 * x]);
    for (const [i, [x, y]] of smoothLine(straight).entries()) {
      expect(x).toBe(straight[i][0]);
      expect(y).toBeCloseTo(straight[i][1], 9);
    }
  });

  it("does not lag behind a falling loss", () => {
    for (const [x, y] of smoothLine(points)) expect(Math.abs(y - decay(x))).toBeLessThan(0.02);
    // A running average of the same strength is far above.
    let running = points[0][1];
    const lags = points.map(([, y]) => {
      running = 0.82 * running + 0.18 * y;
      return running - y;
    });
    expect(Math.max(...lags)).toBeGreaterThan(0.08);
  });

  it("takes noise away", () => {
    const noisy = points.map(([x], i): Point => [x, 1 + (i % 2 ? 0.1 : -0.1)]);
    for (const [, y] of smoothLine(noisy)) expect(Math.abs(y - 1)).toBeLessThan(0.04);
  });

  it("survives few points, equal ones, gaps and any order", () => {
    expect(smoothLine([])).toEqual([]);
    expect(smoothLine(points.slice(0, 3))).toEqual([]);
    expect(smoothLine(Array(8).fill([5, 1]))).toEqual([]);
    const gap = [...points.slice(0, 20), ...points.slice(250)];
    for (const [, y] of smoothLine([...gap].reverse())) expect(Number.isFinite(y)).toBe(true);
    expect(smoothLine([...gap].reverse())).toEqual(smoothLine(gap));
    const twice = points.flatMap((point) => [point, point]);
    for (const [x, y] of smoothLine(twice)) expect(Math.abs(y - decay(x))).toBeLessThan(0.02);
  });
});

describe("a loss curve", () => {
  const curve = points.map(([x, y]) => ({ x, y }));
  const count = (picture: { data: Uint8Array }, [red, green, blue]: readonly number[]) =>
    picture.data.filter((value, i, all) => i % 4 === 0 && value === red && all[i + 1] === green && all[i + 2] === blue).length;
  const [pale, strong] = [
    [176, 200, 236],
    [24, 84, 176],
  ];

  it("has a smoothed line of its own, and a legend that names both", async () => {
    const [own, bare] = [await decodePng(await lossCurve(curve), "x"), drawCurve(curve)];
    expect(count(own, strong)).toBeGreaterThan(600);
    expect(count(bare, strong)).toBe(0);
    // The legend stands in the upper right corner: a sample and a name for each line.
    const corner = (picture: typeof bare) => ({ data: picture.data.subarray(0, 20 * picture.width * 4) });
    expect(count(corner(own), strong)).toBe(32);
    expect(count(corner(own), pale)).toBe(32);
    expect(count(corner(bare), pale)).toBe(32);
    const names = { measured: "every 10 steps", smoothed: "mean" };
    expect(Buffer.compare(drawCurve(curve, { smooth: true, names }).data, drawCurve(curve, { smooth: true }).data)).not.toBe(0);
  });

  it("leaves a smoothed line that was given as it is", async () => {
    const given = curve.map((point) => ({ ...point, smoothed: 0.5 }));
    const { data } = await decodePng(await lossCurve(given), "x");
    expect(Buffer.compare(data, drawCurve(given, { title: "loss by step" }).data)).toBe(0);
  });

  it("is titled in any script, without question marks", async () => {
    const titled = async (title: string) => Buffer.from(await lossCurve(curve, { title })).toString("base64");
    const titles = await Promise.all(["損失", "損矢", "??", "��"].map(titled));
    expect(new Set(titles).size).toBe(4);
  });

  it("puts the legend below the title where both do not fit side by side", () => {
    const narrow = drawCurve(curve, { width: 200, height: 120, smooth: true, title: "loss by step" });
    const row = (y: number) => ({ data: narrow.data.subarray(y * 200 * 4, (y + 9) * 200 * 4) });
    expect(count(row(6), strong)).toBe(0);
    expect(count(row(15), strong)).toBe(32);
  });
});
