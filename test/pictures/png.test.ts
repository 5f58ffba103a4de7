import { afterEach, describe, expect, it, vi } from "vitest";
import { FormatError, ShapeError } from "../../src/base/errors.js";
import { encodePng } from "../../src/pictures/encodePng.js";
import { blank, decodePng, fromPlanar, grid, type Picture, toPlanar } from "../../src/pictures/png.js";

const noise = (width: number, height: number): Picture => ({
  width,
  height,
  channels: 4,
  data: Uint8Array.from({ length: width * height * 4 }, (_, i) => (i * 2654435761) >>> 24),
});
const pixel = ({ width, data }: Picture, x: number, y: number) => [
  ...data.subarray((y * width + x) * 4, (y * width + x + 1) * 4),
];

describe("codec", () => {
  it.each([
    [1, 1],
    [3, 5],
    [64, 64],
  ])("keeps a %ix%i picture", async (width, height) => {
    const picture = noise(width, height);
    expect(await decodePng(await encodePng(picture), "x")).toEqual(picture);
  });

  it("refuses a file cut at any length", async () => {
    const bytes = await encodePng(noise(5, 4));
    // The last 12 bytes are the end mark alone.
    for (let length = 0; length < bytes.length - 12; length++) {
      await expect(decodePng(bytes.subarray(0, length), "a.png"), `${length} bytes`).rejects.toThrow(FormatError);
    }
  });

  it("refuses other files, damage and sizes that would fill the memory", async () => {
    await expect(decodePng(new TextEncoder().encode("GIF89a, 400 times 300, and so on"), "a.gif")).rejects.toThrow(
      "a.gif: not a PNG",
    );
    const bytes = await encodePng(noise(5, 4));
    const damaged = Uint8Array.from(bytes).fill(0, 45, 60);
    await expect(decodePng(damaged, "a.png")).rejects.toThrow(FormatError);
    const huge = Uint8Array.from(bytes).fill(0x7f, 16, 24);
    await expect(decodePng(huge, "a.png")).rejects.toThrow("claims 2139062143x2139062143");
  });
});

describe("without pngjs", () => {
  afterEach(() => {
    vi.doUnmock("pngjs");
    vi.resetModules();
  });

  it("says what to install", async () => {
    vi.resetModules();
    vi.doMock("pngjs", () => {
      throw new Error("Cannot find package");
    });
    const fresh = await import("../../src/pictures/png.js");
    await expect(fresh.decodePng(await encodePng(noise(1, 1)), "x")).rejects.toThrow("npm install pngjs");
  });
});

describe("grid", () => {
  it("lays pictures out row by row with a gap around", () => {
    const colours = [10, 20, 30].map((red) => blank(2, 3, [red, 0, 0, 255]));
    const result = grid(colours, 2, 1, [7, 7, 7, 255]);
    expect([result.width, result.height]).toEqual([7, 9]);
    expect(pixel(result, 0, 0)).toEqual([7, 7, 7, 255]);
    expect(pixel(result, 1, 1)).toEqual([10, 0, 0, 255]);
    expect(pixel(result, 4, 3)).toEqual([20, 0, 0, 255]);
    expect(pixel(result, 1, 5)).toEqual([30, 0, 0, 255]);
    expect(pixel(result, 4, 5)).toEqual([7, 7, 7, 255]);
  });

  it("is no wider than its pictures, and refuses none", () => {
    expect(grid([blank(2, 2, [0, 0, 0, 255])], 8).width).toBe(2);
    expect(() => grid([], 2)).toThrow(ShapeError);
    expect(() => grid([blank(1, 1, [0, 0, 0, 0])], 0)).toThrow(ShapeError);
  });
});

describe("planar numbers", () => {
  it("come back from every byte", () => {
    const picture = { ...noise(16, 16), data: noise(16, 16).data.map((value, i) => (i % 4 === 3 ? 255 : value)) };
    expect(fromPlanar(toPlanar(picture, [0, 0, 0, 255]), 16, 16)).toEqual(picture);
  });

  it("hold colours plane by plane, on the background", () => {
    const picture: Picture = { width: 2, height: 1, channels: 4, data: Uint8Array.of(255, 0, 0, 255, 9, 9, 9, 0) };
    expect([...toPlanar(picture, [255, 255, 0, 255])]).toEqual([1, 1, -1, 1, -1, -1]);
  });

  it("are clamped and rounded; what is no number is dark", () => {
    expect([...fromPlanar([-9, 9, Number.NaN], 1, 1).data]).toEqual([0, 255, 0, 255]);
    expect(() => fromPlanar([1], 1, 1)).toThrow(ShapeError);
  });
});
