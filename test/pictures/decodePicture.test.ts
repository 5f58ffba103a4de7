import { afterEach, describe, expect, it, vi } from "vitest";
import { type ConfigError, FormatError } from "../../src/base/errors.js";
import { joined } from "../../src/base/joined.js";
import { decodePicture } from "../../src/pictures/decodePicture.js";
import { encodePng } from "../../src/pictures/encodePng.js";
import type { Picture } from "../../src/pictures/png.js";
import {
  adobeSegment,
  animatedWebp,
  ascii,
  avif,
  blockJpeg,
  exif,
  exifSegment,
  gif,
  jfifSegment,
  jpeg,
  middles,
  quarterColours,
  quarters,
  turnedAvif,
  webp,
} from "./pictureFiles.js";

const picture = quarters(32, 16);
const upright = avif(picture);
const opaque = quarterColours.map((colour) => [...colour, 255]);

function expectColours(actual: readonly number[][], expected: readonly (readonly number[])[], tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((colour, i) => {
    for (let c = 0; c < 4; c++)
      expect(Math.abs(colour[c] - expected[i][c]), `${colour} for ${expected[i]}`).toBeLessThanOrEqual(tolerance);
  });
}

const pixel = ({ width, data }: Picture, x: number, y: number) => [
  ...data.subarray(4 * (y * width + x), 4 * (y * width + x) + 4),
];

describe("pictures of every kind, by their bytes and not their names", () => {
  it.each<[string, () => Uint8Array | Promise<Uint8Array>, number]>([
    ["PNG", () => encodePng(picture), 0],
    ["JPEG", () => jpeg(picture), 6],
    ["lossless WebP", () => webp(picture, { lossless: 1 }), 0],
    ["lossy WebP", () => webp(picture), 6],
    ["AVIF", () => upright, 6],
  ])("%s", async (_, make, tolerance) => {
    const decoded = await decodePicture(await make(), "holiday.bmp");
    expect([decoded.width, decoded.height, decoded.channels]).toEqual([32, 16, 4]);
    expectColours(middles(decoded), opaque, tolerance);
  });

  it("followed by other bytes, as phones and servers add them", async () => {
    for (const file of [await encodePng(picture), jpeg(picture), await webp(picture), await upright]) {
      const [plain, followed] = [
        await decodePicture(file, "x"),
        await decodePicture(joined(file, ascii("...\0\xff\xd8\xff\xe1"), file), "x"),
      ];
      expect(followed).toEqual(plain);
    }
  });

  it("several at once, whole and broken ones", async () => {
    const file = jpeg(picture);
    const broken = blockJpeg(3, [[9, 9, 200, 9, 9, 9]], { cutBits: 16 });
    const results = await Promise.allSettled([file, broken, file, broken, file].map((bytes) => decodePicture(bytes, "x")));
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "rejected", "fulfilled"]);
  });

  it("with opacity", async () => {
    const half = { ...picture, data: picture.data.map((value, i) => (i % 4 === 3 ? (i < 1024 ? 0x40 : 0xff) : value)) };
    const expected = opaque.map((colour, i) => [...colour.slice(0, 3), i < 2 ? 0x40 : 0xff]);
    for (const file of [await webp(half), await webp(half, { lossless: 1 }), await avif(half)])
      expectColours(middles(await decodePicture(file, "x")), expected, 8);
  });
});

describe("JPEG", () => {
  const ramp = Array.from({ length: 6 }, (_, i) => 20 + 40 * i);

  it.each([
    ["baseline", 0xc0],
    ["extended", 0xc1],
    ["progressive", 0xc2],
  ])("grey, %s", async (_, frame) => {
    const decoded = await decodePicture(blockJpeg(3, [ramp], { frame }), "x");
    expect([decoded.width, decoded.height]).toEqual([24, 16]);
    ramp.forEach((value, i) => {
      expect(pixel(decoded, 8 * (i % 3) + 4, 8 * Math.floor(i / 3) + 4)).toEqual([value, value, value, 255]);
    });
  });

  it.each<[string, number[], Parameters<typeof blockJpeg>[2], number[]]>([
    ["brightness and differences", [150, 100, 180], {}, [223, 122, 100]],
    [
      "the same of JFIF, whatever its names",
      [150, 100, 180],
      { segments: [jfifSegment], names: [82, 71, 66] },
      [223, 122, 100],
    ],
    ["red, green, blue by their names", [150, 100, 180], { names: [82, 71, 66] }, [150, 100, 180]],
    ["red, green, blue by Adobe's word", [150, 100, 180], { segments: [adobeSegment(0)] }, [150, 100, 180]],
    ["differences by Adobe's word", [150, 100, 180], { segments: [adobeSegment(1)] }, [223, 122, 100]],
    ["inks", [255, 128, 0, 255], { segments: [adobeSegment(0)] }, [255, 128, 0]],
    ["inks and black", [255, 128, 0, 128], { segments: [adobeSegment(0)] }, [128, 64, 0]],
    ["inks, progressive", [255, 128, 0, 128], { segments: [adobeSegment(0)], frame: 0xc2 }, [128, 64, 0]],
    ["inks without Adobe's word", [255, 128, 0, 128], {}, [128, 64, 0]],
    ["inks as differences", [150, 100, 180, 255], { segments: [adobeSegment(2)] }, [33, 133, 155]],
  ])("in %s", async (_, values, options, expected) => {
    const decoded = await decodePicture(
      blockJpeg(
        1,
        values.map((value) => [value]),
        options,
      ),
      "x",
    );
    expectColours([pixel(decoded, 4, 4)], [[...expected, 255]], 1);
  });

  it.each([
    [1, [0, 1, 2, 3]],
    [2, [1, 0, 3, 2]],
    [3, [3, 2, 1, 0]],
    [4, [2, 3, 0, 1]],
    [5, [0, 2, 1, 3]],
    [6, [2, 0, 3, 1]],
    [7, [3, 1, 2, 0]],
    [8, [1, 3, 0, 2]],
  ])("turned as its EXIF orientation %i says, as browsers do", async (orientation, order) => {
    for (const littleEndian of [false, true]) {
      const decoded = await decodePicture(jpeg(picture, exifSegment(orientation, littleEndian)), "x");
      expect([decoded.width, decoded.height]).toEqual(orientation < 5 ? [32, 16] : [16, 32]);
      expectColours(
        middles(decoded),
        order.map((i) => opaque[i]),
        6,
      );
    }
  });

  it("upright where its EXIF is nonsense", async () => {
    for (const broken of [exifSegment(0), exifSegment(9), exifSegment(6).fill(0xee, 14, 18), exifSegment(6).fill(0x20, 10, 12)])
      expectColours(middles(await decodePicture(jpeg(picture, broken), "x")), opaque, 6);
  });

  it.each([
    ["arithmetic-coded", 0xc9],
    ["lossless", 0xc3],
    ["hierarchical", 0xc5],
  ])("that is %s is named", async (kind, frame) => {
    await expect(decodePicture(blockJpeg(3, [ramp], { frame }), "a.jpg")).rejects.toThrow(`a.jpg: a ${kind} JPEG`);
  });

  it("whose pixels end early is refused", async () => {
    await expect(decodePicture(blockJpeg(3, [ramp], { cutBits: 24 }), "a.jpg")).rejects.toThrow("a.jpg: not a whole JPEG");
  });
});

describe("PNG", () => {
  const chunk = (name: string, data: Uint8Array) => {
    const bytes = joined(new Uint8Array(4), ascii(name), data, new Uint8Array(4));
    new DataView(bytes.buffer).setUint32(0, data.length);
    new DataView(bytes.buffer).setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
    return bytes;
  };

  // @source https://github.com/jimp-dev/jimp/issues/1266
  it("is turned by its EXIF, and read when its end mark is lost", async () => {
    const file = await encodePng(picture);
    const turned = joined(file.subarray(0, 33), chunk("eXIf", exif(6)), file.subarray(33));
    expectColours(
      middles(await decodePicture(turned, "x")),
      [2, 0, 3, 1].map((i) => opaque[i]),
      0,
    );
    for (const lost of [1, 4, 8, 12]) expect(await decodePicture(file.subarray(0, -lost), "x")).toEqual(picture);
    await expect(decodePicture(file.subarray(0, -13), "x")).rejects.toThrow("it is cut short");
    await expect(decodePicture(Uint8Array.from(file).fill(1, -2), "x")).rejects.toThrow("its end mark is damaged");
  });

  it("of damaged parts is refused, however many bytes follow", async () => {
    const file = await encodePng(picture);
    const transparency = chunk("tRNS", new Uint8Array(6));
    transparency[9] ^= 1;
    const damaged = joined(file.subarray(0, 33), transparency, file.subarray(33), new Uint8Array(99));
    await expect(decodePicture(damaged, "a.png")).rejects.toThrow("a.png: not a whole PNG (a part of it is damaged)");
  });

  it("for Apple's programs alone is named", async () => {
    const file = await encodePng(picture);
    const packed = joined(file.subarray(0, 8), chunk("CgBI", new Uint8Array(4)), file.subarray(8));
    await expect(decodePicture(packed, "a.png")).rejects.toThrow("a.png: a PNG packed for Apple's programs alone");
  });

  function crc32(bytes: Uint8Array): number {
    let crc = -1;
    for (const byte of bytes) {
      crc ^= byte;
      for (let i = 0; i < 8; i++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc >>> 0;
  }
});

describe("AVIF", () => {
  it.each<[number, 0 | 1 | undefined, number[]]>([
    [0, undefined, [0, 1, 2, 3]],
    [1, undefined, [1, 3, 0, 2]],
    [2, undefined, [3, 2, 1, 0]],
    [3, undefined, [2, 0, 3, 1]],
    [0, 0, [2, 3, 0, 1]],
    [0, 1, [1, 0, 3, 2]],
    [1, 0, [0, 2, 1, 3]],
    [1, 1, [3, 1, 2, 0]],
  ])("turned by %i quarters and mirrored by %s, as browsers do", async (quarterTurns, mirror, order) => {
    const decoded = await decodePicture(turnedAvif(await upright, quarterTurns, mirror), "x");
    expect([decoded.width, decoded.height]).toEqual(quarterTurns % 2 ? [16, 32] : [32, 16]);
    expectColours(
      middles(decoded),
      order.map((i) => opaque[i]),
      6,
    );
  });
});

describe("WebP", () => {
  it("gives the first frame of an animation, at its place on the canvas", async () => {
    const small = quarters(16, 8);
    const [first, second] = [await webp(small, { lossless: 1 }), await webp(picture)];
    const file = animatedWebp(32, 16, [
      { still: first, left: 8, top: 4, width: 16, height: 8 },
      { still: second, left: 0, top: 0, width: 32, height: 16 },
    ]);
    const decoded = await decodePicture(file, "x");
    expect([decoded.width, decoded.height]).toEqual([32, 16]);
    expect([pixel(decoded, 7, 6), pixel(decoded, 8, 4), pixel(decoded, 23, 11)]).toEqual([
      [0, 0, 0, 0],
      [255, 0, 0, 255],
      [255, 255, 0, 255],
    ]);
  });

  it("gives the opacity of a lossy first frame", async () => {
    const half = { ...picture, data: picture.data.map((value, i) => (i % 4 === 3 ? 0x40 : value)) };
    const file = animatedWebp(32, 16, [{ still: await webp(half), left: 0, top: 0, width: 32, height: 16 }]);
    expectColours(
      middles(await decodePicture(file, "x")),
      opaque.map((colour) => [...colour.slice(0, 3), 0x40]),
      8,
    );
  });
});

describe("GIF", () => {
  const palette = [0xff0000, 0x00ff00, 0x0000ff, 0xffff00];
  const numbers = Array.from({ length: 32 * 16 }, (_, i) => (i % 32 < 16 ? 0 : 1) + (i < 256 ? 0 : 2));

  it("gives the first frame; what is wrong after it does not matter", async () => {
    const frames = [{ numbers }, { numbers: numbers.map(() => 0) }];
    const file = gif(32, 16, palette, frames);
    expect(middles(await decodePicture(file, "x"))).toEqual(opaque);
    expect(middles(await decodePicture(file.subarray(0, -20), "x"))).toEqual(opaque);
  });

  it("shows nothing where the frame does not reach, or is transparent", async () => {
    const file = gif(4, 4, palette, [{ numbers: [0, 1, 2, 3], box: [1, 1, 2, 2], transparent: 3 }]);
    const decoded = await decodePicture(file, "x");
    expect([pixel(decoded, 0, 0)[3], pixel(decoded, 1, 1), pixel(decoded, 2, 1), pixel(decoded, 2, 2)[3]]).toEqual([
      0,
      [255, 0, 0, 255],
      [0, 255, 0, 255],
      0,
    ]);
  });

  it("interlaced, and longer than the table of codes", async () => {
    // Noise: every code is new, so that the table fills and is cleared.
    const [wide, high] = [101, 67];
    const noise = Array.from({ length: wide * high }, (_, i) => ((Math.imul(i + 1, 2654435761) >>> 13) ^ (i >> 3)) & 3);
    const rows = [0, 4, 2, 1].flatMap((first, pass) =>
      Array.from({ length: high }, (_, row) => row).filter((row) => row % [8, 8, 4, 2][pass] === first),
    );
    const stored = rows.flatMap((row) => noise.slice(row * wide, (row + 1) * wide));
    const file = gif(wide, high, palette, [{ numbers: stored }]);
    const descriptor = file.indexOf(0x2c, 13 + 12);
    file[descriptor + 9] |= 0x40;
    const decoded = await decodePicture(file, "x");
    const expected = noise.flatMap((number) => [...quarterColours[number], 255]);
    expect([...decoded.data]).toEqual(expected);
  });

  it("grows a screen that is too small for its frame", async () => {
    const file = gif(32, 16, palette, [{ numbers }]);
    file.fill(0, 6, 10);
    expect(middles(await decodePicture(file, "x"))).toEqual(opaque);
  });

  it("whose pixels end early, or mean nothing, is refused", async () => {
    const file = gif(32, 16, palette, [{ numbers }]);
    const data = file.indexOf(0x2c, 25) + 10;
    expect(file[data]).toBe(2);
    for (const [at, value, words] of [
      [data + 2, 0x05, "its pixels end early"],
      [data + 2, 0xff, "its pixels are damaged"],
      [data, 200, "its colours have 200 bits"],
    ] as const) {
      const broken = Uint8Array.from(file).fill(value, at, at + 1);
      await expect(decodePicture(broken, "a.gif")).rejects.toThrow(`a.gif: not a whole GIF (${words})`);
    }
  });
});

describe("broken pictures are refused in one clear line", () => {
  it("cut at any length", async () => {
    const files = {
      JPEG: jpeg(picture),
      GIF: gif(2, 2, [0, 1], [{ numbers: [0, 1, 1, 0] }]).slice(0, -1),
      WebP: await webp(picture),
    };
    for (const [format, file] of Object.entries(files)) {
      for (let length = 1; length < file.length; length += 1 + Math.floor(length / 40)) {
        const error = await decodePicture(file.subarray(0, length), "a").catch((caught: Error) => caught);
        expect(error, `${format} of ${length} bytes`).toBeInstanceOf(FormatError);
        expect((error as Error).message).toMatch(/^a: [^\n]+\.$/);
      }
    }
  });

  it("AVIF cut short", async () => {
    const file = await upright;
    for (const part of [0.2, 0.5, 0.9])
      await expect(decodePicture(file.subarray(0, part * file.length), "a")).rejects.toThrow("a: not a whole AVIF");
  });

  it("that claim more than they can hold", async () => {
    const large = blockJpeg(1, [[9]]);
    const size = large.findIndex((byte, i) => byte === 0xff && large[i + 1] === 0xc0) + 5;
    await expect(decodePicture(Uint8Array.from(large).fill(0xff, size, size + 4), "a")).rejects.toThrow("claims 65535x65535");
    const likely = Uint8Array.from(large).fill(0x1f, size, size + 4);
    await expect(decodePicture(likely, "a")).rejects.toThrow("it claims 7967x7967, which its");
    const screen = gif(2, 2, [0, 1], [{ numbers: [0, 1, 1, 0] }]).fill(0xff, 6, 10);
    await expect(decodePicture(screen, "a")).rejects.toThrow("this one claims 65535x65535. Make it smaller.");
    const png = Uint8Array.from(await encodePng(picture))
      .fill(0x1f, 18, 20)
      .fill(0x1f, 22, 24);
    await expect(decodePicture(png, "a")).rejects.toThrow("it claims 7967x7967, which its");
    const empty = Uint8Array.from(await encodePng(picture)).fill(0, 16, 20);
    await expect(decodePicture(empty, "a")).rejects.toThrow("it claims 0x16 pixels");
  });

  it.each([
    ["\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a: a HEIC picture, which is not read. Convert it to PNG, JPEG or WebP."],
    ["II*\0\x08\0\0\0", "a: a TIFF or a camera's raw picture, which is not read. Convert it"],
    ["version https://git-lfs.github.com/spec/v1\n", "a: not a picture but a git-lfs pointer, not the file itself. Fetch"],
    ["<html><head><title>403", "a: not a picture but an HTML page. Download the picture itself"],
    ["", "a: not a picture but an empty file. Copy or download it again."],
    ["\x01\x02\x03", "a: not a picture that is known."],
  ])("%j", async (content, message) => {
    await expect(decodePicture(ascii(content), "a")).rejects.toThrow(message);
  });
});

describe("without its package", () => {
  afterEach(() => vi.resetModules());

  it.each([
    ["@jsquash/jpeg", () => jpeg(picture)],
    ["jpeg-js", () => blockJpeg(1, [[1], [2], [3], [4]])],
    ["@jsquash/webp", () => webp(picture)],
    ["@jsquash/avif", () => upright],
  ])("says to install %s", async (name, make) => {
    const file = await make();
    vi.resetModules();
    const path = name.startsWith("@") ? `${name}/decode.js` : name;
    vi.doMock(path, () => {
      throw new Error("Cannot find package");
    });
    const fresh = await import("../../src/pictures/decodePicture.js");
    const { ConfigError: FreshError } = await import("../../src/base/errors.js");
    const error = await fresh.decodePicture(file, "a").catch((caught: Error) => caught);
    expect(error).toBeInstanceOf(FreshError);
    expect((error as ConfigError).message).toContain(`Run: npm install ${name}`);
    vi.doUnmock(path);
  });
});
