import jpeg from "jpeg-js";
import { describe, expect, it, vi } from "vitest";
import { encodeJpeg } from "../../src/pictures/encodeJpeg.js";
import { blank, place } from "../../src/pictures/picture.js";

describe("a JPEG", () => {
  it("has the picture's size and, but for small losses, its colours, edges of drawings too", async () => {
    const picture = blank(37, 19, [250, 40, 60, 255]);
    place(blank(16, 8, [20, 90, 240, 255]), picture, 8, 8);
    const { width, height, data } = jpeg.decode(await encodeJpeg(picture), { useTArray: true });
    expect([width, height]).toEqual([37, 19]);
    for (const [x, y] of [
      [2, 2],
      [9, 9],
      [22, 14],
      [30, 17],
    ]) {
      for (let channel = 0; channel < 3; channel++) {
        const at = 4 * (y * 37 + x) + channel;
        expect(Math.abs(data[at] - picture.data[at])).toBeLessThan(12);
      }
    }
  });

  it("is refused where its sides cannot be counted in two bytes", async () => {
    await expect(encodeJpeg(blank(65536, 1, [0, 0, 0, 255]))).rejects.toThrow(/65535 pixels; got 65536x1\. Write a PNG/);
  });

  it("names the package it needs", async () => {
    vi.resetModules();
    vi.doMock("jpeg-js", () => {
      throw new Error("not installed");
    });
    const fresh = await import("../../src/pictures/encodeJpeg.js");
    await expect(fresh.encodeJpeg(blank(1, 1, [0, 0, 0, 255]))).rejects.toThrow("npm install jpeg-js");
    vi.doUnmock("jpeg-js");
  });
});
