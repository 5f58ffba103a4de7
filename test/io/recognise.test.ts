import { describe, expect, it } from "vitest";
import { recognise } from "../../src/io/recognise.js";

const bytes = (content: string) => Uint8Array.from(content, (letter) => letter.charCodeAt(0));
const ftyp = (major: string, ...compatible: string[]) =>
  bytes(`\0\0\0${String.fromCharCode(16 + 4 * compatible.length)}ftyp${major}\0\0\0\0${compatible.join("")}`);

describe("a file is known by its bytes", () => {
  it.each([
    ["\x89PNG\r\n\x1a\n", "PNG"],
    ["\xff\xd8\xff\xe1", "JPEG"],
    ["GIF87a", "GIF"],
    ["RIFF\x10\0\0\0WEBPVP8 ", "WebP"],
  ])("%j is %s", (content, format) => {
    expect(recognise(bytes(content))).toMatchObject({ family: "picture", format });
  });

  it.each([
    [ftyp("avif", "mif1", "miaf"), "an AVIF picture"],
    [ftyp("mif1", "avif"), "an AVIF picture"],
    [ftyp("heic", "mif1"), "a HEIC picture"],
    [ftyp("mif1"), "a HEIC picture"],
    [ftyp("crx "), "a camera's raw picture"],
    [ftyp("isom", "mp42"), "a video"],
    [ftyp("qt  "), "a video"],
  ])("media files by their brands", (content, what) => {
    expect(recognise(content)?.what).toBe(what);
  });

  it.each([
    ["II*\0\x08\0\0\0", "a TIFF or a camera's raw picture"],
    ["BM\x46\0\0\0\0\0\0\0\x36", "a BMP picture"],
    ["\xff\x0a\xfa\x1f", "a JPEG XL picture"],
    ["8BPS\0\x01", "a Photoshop picture"],
    ['<?xml version="1.0"?>\n<!-- drawn -->\n<svg xmlns="x">', "an SVG drawing"],
    ["\xef\xbb\xbf<!doctype HTML>", "an HTML page"],
    ["PAR1\x15\x04", "a Parquet table"],
    ["Bitte ein Bild", "text"],
    ["\n [1, 2]", "JSON text"],
    ["", "an empty file"],
    ["\0".repeat(8), "nothing but zeros"],
    ["BMW drives past", "text"],
    ["MM, good", "text"],
    ["\x01\x02\x03\x04", undefined],
    ["\x80", undefined],
  ])("%j is %s", (content, what) => {
    expect(recognise(bytes(content))?.what).toBe(what);
  });
});
