import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { colourName, colourNames } from "../../src/pictures/colourNames.js";
import { blank, type Colour, type Picture, place } from "../../src/pictures/picture.js";
import { visibleFacts } from "../../src/pictures/visibleFacts.js";

/** @units 0..255 */
const level = (hex: string, at: number): number => Number.parseInt(hex.slice(at, at + 2), 16);
const nameOf = (hex: string) => colourName(level(hex, 0), level(hex, 2), level(hex, 4));

describe("a colour's plain name", () => {
  // Colours of CSS, and of the drawings, each by the word that most people would say.
  it.each([
    ["black", "000000 202020 424242 504f4f 37474f"],
    ["white", "ffffff f5f5dc fffff0 e6e6fa e0e0e0"],
    ["grey", "808080 696969 c0c0c0 708090 778899 90a4ae b0bec5 c8d6e4"],
    ["red", "ff0000 dc143c b22222 8b0000 800000 f44336 ff5722"],
    ["orange", "ffa500 ff8c00 f57c00 e65100"],
    ["yellow", "ffff00 ffd700 fcc21b f0e68c ffe0b2"],
    ["green", "00ff00 008000 228b22 9acd32 7fffd4 808000"],
    ["blue", "0000ff 000080 87ceeb add8e6 4682b4 40e0d0 00ffff"],
    ["purple", "800080 4b0082 663399 ee82ee dda0dd"],
    ["pink", "ffc0cb ff69b4 ff1493 fa8072 ffccbc ffdab9"],
    ["brown", "795548 8d6e63 5d4037 a0522d cd853f d2b48c 4e342e"],
  ])("is %s", (name, hexes) => {
    for (const hex of hexes.split(" ")) expect(nameOf(hex), hex).toBe(name);
  });

  it("is there for every colour", () => {
    const any = fc.nat(255);
    fc.assert(fc.property(any, any, any, (...colour) => colourNames.includes(colourName(...colour))));
  });
});

const [white, red, green, clear]: Colour[] = [
  [255, 255, 255, 255],
  [220, 20, 40, 255],
  [30, 160, 60, 255],
  [255, 255, 255, 0],
];

/** A picture of rectangles on a ground. */
function drawing(
  ground: Colour,
  ...parts: readonly (readonly [Colour, x: number, y: number, width: number, height: number])[]
) {
  const picture = blank(64, 64, ground);
  for (const [colour, x, y, width, height] of parts) place(blank(width, height, colour), picture, x, y);
  return picture;
}

describe("what a picture shows", () => {
  it("is its main colours by area, and the plain ground they stand on", () => {
    const apple = drawing(white, [red, 12, 20, 40, 36], [green, 30, 4, 20, 14]);
    expect(visibleFacts(apple)).toEqual({ colours: ["red", "green"], ground: "white" });
    const leafless = drawing(white, [red, 12, 20, 40, 36], [green, 30, 14, 10, 6]);
    expect(visibleFacts(leafless)).toEqual({ colours: ["red"], ground: "white" });
  });

  it("has no ground where the picture is transparent around it", () => {
    expect(visibleFacts(drawing(clear, [red, 12, 20, 40, 36]))).toEqual({ colours: ["red"] });
  });

  it("has no ground where the border is of several colours: then all of it counts", () => {
    expect(visibleFacts(drawing(green, [red, 0, 0, 40, 64]))).toEqual({ colours: ["red", "green"] });
  });

  it("keeps what has the ground's colour and is not joined to it", () => {
    const eye = drawing(white, [red, 8, 8, 48, 48], [white, 16, 16, 32, 32]);
    expect(visibleFacts(eye)).toEqual({ colours: ["red", "white"], ground: "white" });
  });

  it("takes a noisy ground for a plain one", () => {
    const noisy = drawing(white, [red, 12, 20, 40, 36]);
    for (let i = 0; i < noisy.data.length; i += 4)
      for (const c of [0, 1, 2]) noisy.data[i + c] = Math.max(0, noisy.data[i + c] - (i % 20));
    expect(visibleFacts(noisy)).toEqual({ colours: ["red"], ground: "white" });
  });

  it("of a single colour is a ground alone, of nothing at all nothing", () => {
    expect(visibleFacts(blank(5, 5, green))).toEqual({ colours: [], ground: "green" });
    expect(visibleFacts(blank(5, 5, clear))).toEqual({ colours: [] });
    expect(visibleFacts(blank(1, 1, red))).toEqual({ colours: [], ground: "red" });
  });

  it("of equal areas names the commoner word first, and three at most", () => {
    const quarters: Picture = drawing(
      clear,
      [green, 0, 0, 32, 32],
      [red, 32, 0, 32, 32],
      [white, 0, 32, 32, 32],
      [[0, 0, 0, 255], 32, 32, 32, 32],
    );
    expect(visibleFacts(quarters).colours).toEqual(["black", "white", "red"]);
  });

  it("is that of the square middle, at any size", () => {
    const wide = blank(300, 200, green);
    place(blank(200, 200, white), wide, 50, 0);
    place(blank(100, 100, red), wide, 100, 50);
    expect(visibleFacts(wide)).toEqual({ colours: ["red"], ground: "white" });
  });
});
