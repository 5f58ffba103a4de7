import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/base/errors.js";
import { philox } from "../../src/base/random.js";
import { readSafetensors, type TensorToWrite, writeSafetensors } from "../../src/io/safetensors.js";

const fixtures = new URL("../fixtures/", import.meta.url);

/** A file with this header, be it valid or not. */
function fileOf(header: string, data: Uint8Array = new Uint8Array()): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

/** What reading says; fails unless it is one clear line. */
function refusal(bytes: Uint8Array): string {
  try {
    readSafetensors(bytes, "a.safetensors");
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
    const { message } = error as Error;
    expect(message).toMatch(/^a\.safetensors: .+\.$/);
    expect(message).not.toContain("\n");
    expect(message.length).toBeLessThan(500);
    return message;
  }
  throw new Error("the file was accepted");
}

const entry = (dtype: string, shape: unknown, offsets: unknown) => JSON.stringify({ dtype, shape, data_offsets: offsets });
const small: ReadonlyMap<string, TensorToWrite> = new Map([
  ["a", { shape: [2, 3], data: [1, -2, 3.5, 0, 1e-3, 7] }],
  ["b", { shape: [], data: [4], dtype: "I32" }],
  ["none", { shape: [0, 5], data: [] }],
  ["bytes", { shape: [3], data: [1, 2, 255], dtype: "U8" }],
  ["signed", { shape: [3], data: [-127, 0, 127], dtype: "I8" }],
]);

describe("round trips", () => {
  it("keeps names, order, metadata and numbers", () => {
    const { metadata, tensors } = readSafetensors(writeSafetensors(small, { kind: "test", "é\n": '"' }), "x");
    expect(metadata).toEqual({ kind: "test", "é\n": '"' });
    expect([...tensors.keys()].sort()).toEqual([...small.keys()].sort());
    expect(tensors.get("a")).toEqual({ dtype: "F32", shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, 1e-3, 7) });
    expect(tensors.get("b")).toEqual({ dtype: "I32", shape: [], data: Int32Array.of(4) });
    expect(tensors.get("none")?.data.length).toBe(0);
    expect(tensors.get("bytes")?.data).toEqual(Uint8Array.of(1, 2, 255));
    expect(tensors.get("signed")).toEqual({ dtype: "I8", shape: [3], data: Int32Array.of(-127, 0, 127) });
  });

  it("writes the same bytes for the same tensors, data from a multiple of 8 on", () => {
    const bytes = writeSafetensors(small, { kind: "test" });
    expect(writeSafetensors(small, { kind: "test" })).toEqual(bytes);
    expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0);
  });

  it("reads from any alignment", () => {
    const bytes = writeSafetensors(small);
    for (let shift = 1; shift < 8; shift++) {
      const moved = new Uint8Array(bytes.length + shift);
      moved.set(bytes, shift);
      expect(readSafetensors(moved.subarray(shift), "x").tensors).toEqual(readSafetensors(bytes, "x").tensors);
    }
  });

  it("keeps names that objects treat specially", () => {
    const names = ["__proto__", "constructor", "10", "2"];
    const file = readSafetensors(writeSafetensors(new Map(names.map((name, i) => [name, { shape: [1], data: [i] }]))), "x");
    expect(names.map((name) => file.tensors.get(name)?.data[0])).toEqual([0, 1, 2, 3]);
  });

  it("reads wide and narrow types", () => {
    const data = new Uint8Array(8 + 8 + 2 + 1 + 1);
    const view = new DataView(data.buffer);
    view.setFloat64(0, 0.1, true);
    view.setBigInt64(8, -5n, true);
    view.setInt16(16, -300, true);
    view.setInt8(18, -3);
    view.setUint8(19, 1);
    const header = `{"d":${entry("F64", [1], [0, 8])},"l":${entry("I64", [1], [8, 16])},"s":${entry("I16", [1], [16, 18])},"c":${entry("I8", [1], [18, 19])},"t":${entry("BOOL", [1], [19, 20])}}`;
    const { tensors } = readSafetensors(fileOf(header, data), "x");
    expect([...tensors.values()].map((tensor) => tensor.data[0])).toEqual([Math.fround(0.1), -5, -300, -3, 1]);
    view.setBigInt64(8, 2n ** 31n, true);
    expect(refusal(fileOf(header, data))).toContain('"l" holds 2147483648');
  });

  it("reads unsigned whole numbers where they fit", () => {
    const data = new Uint8Array(8 + 4 + 2);
    const view = new DataView(data.buffer);
    view.setBigUint64(0, 2n ** 31n - 1n, true);
    view.setUint32(8, 7, true);
    view.setUint16(12, 65535, true);
    const header = `{"l":${entry("U64", [1], [0, 8])},"w":${entry("U32", [1], [8, 12])},"s":${entry("U16", [1], [12, 14])}}`;
    const { tensors } = readSafetensors(fileOf(header, data), "x");
    expect([...tensors.values()].map((tensor) => tensor.data)).toEqual([2 ** 31 - 1, 7, 65535].map((x) => Int32Array.of(x)));
    view.setUint32(8, 2 ** 31, true);
    expect(refusal(fileOf(header, data))).toContain('"w" holds 2147483648. Save it as floats');
    view.setUint32(8, 7, true);
    view.setBigUint64(0, 2n ** 63n, true);
    expect(refusal(fileOf(header, data))).toContain('"l" holds 9223372036854775808');
  });

  it("reads 8-bit floats", () => {
    const types = ["F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F8_E8M0"];
    const header = `{${types.map((type, i) => `"${type}":${entry(type, [3], [3 * i, 3 * i + 3])}`).join()}}`;
    const data = Uint8Array.from(types.flatMap(() => [0x38, 0xb9, 0x01]));
    const { tensors } = readSafetensors(fileOf(header, data), "x");
    expect([...tensors.values()].map((tensor) => [...tensor.data])).toEqual([
      [1, -1.125, 2 ** -9],
      [0.5, -0.625, 2 ** -16],
      [0.5, -0.5625, 2 ** -10],
      [0.25, -0.3125, 2 ** -17],
      [2 ** -71, 2 ** 58, 2 ** -126],
    ]);
  });

  it("refuses to write what it could not read", () => {
    expect(() => writeSafetensors(new Map([["a", { shape: [2], data: [1] }]]))).toThrow(FormatError);
    expect(() => writeSafetensors(new Map([["__metadata__", { shape: [1], data: [1] }]]))).toThrow(FormatError);
  });

  it.each(readdirSync(fixtures).filter((name) => name.endsWith(".safetensors")))("reads and rewrites %s", (name) => {
    const file = readSafetensors(readFileSync(new URL(name, fixtures)), name);
    expect(file.metadata.kind).toMatch(/^(model|sampler|tables)$/);
    expect(file.tensors.size).toBeGreaterThan(5);
    const rewritten = new Map(
      [...file.tensors].map(([key, { shape, data }]) => [
        key,
        { shape, data, dtype: data instanceof Int32Array ? ("I32" as const) : ("F32" as const) },
      ]),
    );
    const again = readSafetensors(writeSafetensors(rewritten, file.metadata), name);
    for (const [key, { data }] of file.tensors) expect(again.tensors.get(key)?.data, key).toEqual(data);
  });
});

describe("broken files", () => {
  it("refuses a file cut at any length", () => {
    const bytes = writeSafetensors(small, { kind: "test" });
    for (let length = 0; length < bytes.length; length++) refusal(bytes.subarray(0, length));
    expect(refusal(Uint8Array.of(...bytes, 0))).toContain("belong to nothing");
  });

  it.each([
    ["a lying header length", fileOf("{}").fill(0xff, 0, 8), "header claims 18446744073709551615"],
    ["a header length just too large", fileOf("{}").fill(3, 0, 1), "header claims 3 bytes, 2 follow"],
    ["no JSON", fileOf("{"), "not JSON"],
    ["no UTF-8", fileOf("{}").fill(0xff, 8), "not JSON"],
    ["a list", fileOf("[]"), "not a JSON object"],
    ["null", fileOf("null"), "not a JSON object"],
    ["a name twice", fileOf(`{"a":${entry("F32", [0], [0, 0])},"\\u0061" :${entry("F32", [0], [0, 0])}}`), '"a" twice'],
    ["a field twice", fileOf('{"a":{"dtype":"F32","dtype":"F16","shape":[0],"data_offsets":[0,0]}}'), '"dtype" twice'],
    ["metadata that is a list", fileOf('{"__metadata__":[]}'), "__metadata__ is not an object"],
    ["metadata of numbers", fileOf('{"__metadata__":{"a":1}}'), '"a" is not a string'],
    ["an entry that is null", fileOf('{"a":null}'), '"a" is not described'],
    ["an unknown type", fileOf(`{"a":${entry("F31", [0], [0, 0])}}`), 'type "F31"'],
    ["an inherited type", fileOf(`{"a":${entry("toString", [0], [0, 0])}}`), 'type "toString"'],
    ["no type", fileOf('{"a":{}}'), "no type"],
    ["a negative size", fileOf(`{"a":${entry("F32", [-1], [0, 0])}}`), '"a" has a shape'],
    ["a fractional size", fileOf(`{"a":${entry("F32", [0.5], [0, 0])}}`), '"a" has a shape'],
    ["a shape of text", fileOf(`{"a":${entry("F32", ["1"], [0, 0])}}`), '"a" has a shape'],
    ["a huge shape", fileOf(`{"a":${entry("F32", [2 ** 52, 2 ** 52], [0, 0])}}`), "too many bytes"],
    ["an overflowing shape", fileOf(`{"a":${entry("F32", Array(99).fill(2 ** 52), [0, 0])}}`), "too many bytes"],
    ["infinity times nothing", fileOf(`{"a":${entry("F32", [...Array(99).fill(2 ** 52), 0], [0, 0])}}`), "too many bytes"],
    ["a size beyond whole numbers", fileOf(`{"a":${entry("F32", [1e300], [0, 0])}}`), '"a" has a shape'],
    ["one offset", fileOf(`{"a":${entry("F32", [0], [0])}}`), "data_offsets"],
    ["offsets backwards", fileOf(`{"a":${entry("F32", [1], [4, 0])}}`, new Uint8Array(4)), "claims bytes 4 to 0"],
    ["offsets out of range", fileOf(`{"a":${entry("F32", [2], [0, 8])}}`, new Uint8Array(4)), "claims bytes 0 to 8"],
    ["a shape that does not fit", fileOf(`{"a":${entry("F32", [2], [0, 4])}}`, new Uint8Array(4)), "needs 8 bytes"],
    [
      "an overlap",
      fileOf(`{"a":${entry("F32", [2], [0, 8])},"b":${entry("F32", [1], [4, 8])}}`, new Uint8Array(8)),
      '"b" overlaps tensor "a"',
    ],
    [
      "the same bytes twice",
      fileOf(`{"a":${entry("F32", [1], [0, 4])},"b":${entry("F32", [1], [0, 4])}}`, new Uint8Array(4)),
      "overlaps",
    ],
    ["a gap in front", fileOf(`{"a":${entry("F32", [1], [4, 8])}}`, new Uint8Array(8)), "4 bytes between the header"],
    [
      "a gap between",
      fileOf(`{"a":${entry("U8", [1], [0, 1])},"b":${entry("U8", [1], [2, 3])}}`, new Uint8Array(3)),
      'tensor "a" and tensor "b"',
    ],
    ["a deep nest", fileOf(`{"a":${"[".repeat(200_000)}${"]".repeat(200_000)}}`), '"a" is not described'],
    ["a deep type", fileOf(`{"a":{"dtype":${"[".repeat(200_000)}${"]".repeat(200_000)}}}`), "no type"],
    ["a name of many lines", fileOf(`{"${"\\n".repeat(9999)}":1}`), "is not described"],
  ])("refuses %s", (_, bytes, words) => {
    expect(refusal(bytes)).toContain(words);
  });

  it("says which types of the format have no numbers here", () => {
    expect(refusal(fileOf(`{"a":${entry("F4", [2], [0, 1])}}`, new Uint8Array(1)))).toContain(
      'type "F4", floats of half a byte, which are not read; known are F64',
    );
    expect(refusal(fileOf(`{"a":${entry("C64", [1], [0, 8])}}`, new Uint8Array(8)))).toContain("complex numbers");
  });

  // @source https://github.com/AUTOMATIC1111/stable-diffusion-webui/issues/8123
  it.each([
    [
      "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 99\n",
      "a git-lfs pointer, not the file itself (67 bytes). Fetch the file itself: git lfs pull.",
    ],
    ["\n<!DOCTYPE html>\n<html><body>404</body></html>", "an HTML page (46 bytes). Download the file itself"],
    ['<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "an XML document"],
    ['{"error":"Invalid username or password."}', "JSON text (41 bytes). Give the file that holds the weights."],
    [
      '{"metadata":{},"weight_map":{"a":"model-1.safetensors"}}',
      "the index of a model in parts. Give the files that it names.",
    ],
    ["Repository not found", "text (20 bytes)"],
    ["", "an empty file. Copy or download it again."],
    ["\0".repeat(64), "nothing but zeros (64 bytes). Copy"],
    ["PK\x03\x04\x14\0\0\0\x08\0data.pkl", "a zip archive (18 bytes). Unpack it, or convert"],
    ["\x1f\x8b\x08\0\0\0\0\0\0\x03 and more", "a gzip archive"],
    ["\x80\x02}q\0X\x05\0\0\0", "a Python pickle, such as old PyTorch weights (10 bytes). Convert it to safetensors."],
    ["GGUF\x03\0\0\0 and more", "a GGUF model"],
    ["\x93NUMPY\x01\0v\0", "a NumPy array"],
    ["\x89HDF\r\n\x1a\n", "an HDF5 file"],
    ["\xff\xd8\xff\xe0\0\x10JFIF", "a JPEG picture"],
  ])("says what %j is instead", (content, words) => {
    const bytes = Uint8Array.from(content, (letter) => letter.charCodeAt(0));
    expect(refusal(bytes)).toContain(`a.safetensors: not a safetensors file but ${words}`);
  });

  it("takes no header for something else by the bytes of its length", () => {
    // 0x280 bytes of header begin like a pickle of protocol 2.
    const bytes = fileOf(`{"a":${" ".repeat(0x280 - 5)}`);
    expect([bytes[0], bytes[1]]).toEqual([0x80, 2]);
    expect(refusal(bytes)).toContain("not a whole safetensors file: its header is not JSON");
  });

  it("is not thrown by a header of one very long string", () => {
    const text = `{"__metadata__":{"a":"${"\\\\x".repeat(4_000_000)}"}}`;
    expect(readSafetensors(fileOf(text), "x").metadata.a?.length).toBe(8_000_000);
  });

  it("only ever throws FormatError on headers with changed bytes", () => {
    const bytes = writeSafetensors(small, { kind: "test" });
    let refused = 0;
    for (let trial = 0; trial < 20_000; trial++) {
      const [where, what, count] = philox([trial, 0, 0, 0], [1, 2]);
      const changed = Uint8Array.from(bytes);
      const alphabet = '"{}[]:,0123456789-.eE\\ ';
      for (let i = 0; i <= count % 3; i++) {
        const at = (where + i * 7919) % bytes.length;
        changed[at] = trial % 2 === 0 ? what >>> (8 * i) : alphabet.charCodeAt((what >>> (5 * i)) % alphabet.length);
      }
      try {
        readSafetensors(changed, "x");
      } catch (error) {
        refused++;
        if (!(error instanceof FormatError)) throw error;
      }
    }
    expect(refused).toBeGreaterThan(10_000);
  });
});
