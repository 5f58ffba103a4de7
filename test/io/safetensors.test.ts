import { describe, expect, it } from "vitest";
import { FormatError } from "../../src/base/errors.js";
import { readSafetensors, writeSafetensors } from "../../src/io/safetensors.js";

const tensors = new Map([
  ["a", { shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, 1e-8, 6e4) }],
  ["b", { shape: [2], data: Float32Array.of(7, 8) }],
]);
const whole = writeSafetensors(tensors, { kind: "test" });

/** A file with this header and so many bytes of data. */
function file(header: unknown, dataBytes: number, text = JSON.stringify(header)): Uint8Array {
  const encoded = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + encoded.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(encoded.length), true);
  bytes.set(encoded, 8);
  return bytes;
}
const entry = (shape: unknown, from: unknown, to: unknown, dtype: unknown = "F32") => ({
  dtype,
  shape,
  data_offsets: [from, to],
});

describe("safetensors", () => {
  it("reads what it wrote", () => {
    const { metadata, tensors: read } = readSafetensors(whole, "f");
    expect(metadata).toEqual({ kind: "test" });
    for (const [name, { shape, data }] of tensors) expect(read.get(name)).toMatchObject({ shape, data });
  });
  it("reads from any alignment", () => {
    const shifted = new Uint8Array(whole.length + 3);
    shifted.set(whole, 3);
    expect(readSafetensors(shifted.subarray(3), "f").tensors.get("b")?.data).toEqual(Float32Array.of(7, 8));
  });
  it.each(["F16", "BF16"] as const)("rounds %s to nearest, ties to even", (dtype) => {
    const read = readSafetensors(writeSafetensors(tensors, {}, { dtype }), "f").tensors.get("a");
    expect(read?.dtype).toBe(dtype);
    [...(read?.data ?? [])].forEach((value, i) => {
      const exact = tensors.get("a")!.data[i]!;
      expect(Math.abs(value - exact)).toBeLessThanOrEqual(Math.abs(exact) * (dtype === "F16" ? 2 ** -11 : 2 ** -8) + 2 ** -25);
    });
  });
  it("refuses a file cut at any length", () => {
    for (let length = 0; length < whole.length; length++) {
      expect(() => readSafetensors(whole.subarray(0, length), "cut.safetensors"), `${length} bytes`).toThrow(FormatError);
    }
  });
  it.each<[string, Uint8Array]>([
    [
      "huge header",
      (() => {
        const b = file({}, 0);
        new DataView(b.buffer).setBigUint64(0, 2n ** 63n, true);
        return b;
      })(),
    ],
    ["not JSON", file(0, 0, "{nonsense")],
    ["not an object", file([1, 2], 0)],
    [
      "twice the same name",
      file(0, 8, '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'),
    ],
    ["unknown type", file({ a: entry([1], 0, 4, "F31") }, 4)],
    ["negative shape", file({ a: entry([-1], 0, 4) }, 4)],
    ["fractional shape", file({ a: entry([0.5], 0, 4) }, 4)],
    ["overflowing shape", file({ a: entry([2 ** 31, 2 ** 31, 2 ** 31], 0, 4) }, 4)],
    ["overlap", file({ a: entry([2], 0, 8), b: entry([2], 4, 12) }, 12)],
    ["gap", file({ a: entry([1], 0, 4), b: entry([1], 8, 12) }, 12)],
    ["beyond the end", file({ a: entry([2], 0, 8) }, 4)],
    ["huge offsets", file({ a: entry([1], 2 ** 52, 2 ** 52 + 4) }, 4)],
    ["backwards", file({ a: entry([1], 4, 0) }, 4)],
    ["size that lies", file({ a: entry([3], 0, 4) }, 4)],
    ["bytes that belong to nothing", file({ a: entry([1], 0, 4) }, 9)],
    ["metadata that is no text", file({ __metadata__: { a: 1 } }, 0)],
    ["entry that is no object", file({ a: 5 }, 0)],
    ["no offsets", file({ a: { dtype: "F32", shape: [1] } }, 4)],
  ])("refuses: %s", (_, bytes) => {
    expect(() => readSafetensors(bytes, "bad.safetensors")).toThrow(FormatError);
    expect(() => readSafetensors(bytes, "bad.safetensors")).toThrow(/bad\.safetensors/);
  });
});
