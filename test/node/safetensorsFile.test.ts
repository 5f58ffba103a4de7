import { mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileError, FormatError } from "../../src/base/errors.js";
import { layOut, readSafetensors, writeSafetensors } from "../../src/io/safetensors.js";
import type { TensorSource } from "../../src/io/safetensorsParts.js";
import { readSafetensorsFile, SafetensorsReader, writeSafetensorsFile } from "../../src/node/safetensorsFile.js";

let folder = "";
let path = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ptdit-"));
  path = join(folder, "a.safetensors");
});
afterEach(() => rm(folder, { recursive: true }));

const numbers = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i) * 100);
const tensors = new Map<string, TensorSource & { data: ArrayLike<number> }>([
  ["a", { shape: [10, 100], data: numbers }],
  ["half", { shape: [1000], data: numbers, dtype: "F16" }],
  ["double", { shape: [1000], data: Float64Array.from(numbers) }],
  ["list", { shape: [4], data: [1, 2, 3, 4], dtype: "I32" }],
  ["none", { shape: [0], data: [] }],
  ["one", { shape: [], data: [7] }],
  ["bytes", { shape: [3], data: [1, 2, 255], dtype: "U8" }],
  ["signed", { shape: [5], data: Int8Array.of(-127, 0, 127, 1, -1), dtype: "I8" }],
]);

describe("files of safetensors in parts", () => {
  it.each([1, 4, 12, 1000, 1 << 20])("are byte for byte those written at once, in parts of %d bytes", async (partBytes) => {
    await writeSafetensorsFile(path, tensors, { kind: "test" }, { partBytes });
    const whole = writeSafetensors(tensors, { kind: "test" });
    expect(Buffer.compare(await readFile(path), whole)).toBe(0);
    expect(await readSafetensorsFile(path, { partBytes })).toEqual(readSafetensors(whole, path));
    expect(await readdir(folder)).toEqual(["a.safetensors"]);
  });

  it("fetch a tensor's numbers when its turn comes, one at a time", async () => {
    const log: string[] = [];
    const source = (name: string, value: number): [string, TensorSource] => [
      name,
      {
        shape: [2],
        data: async () => {
          log.push(name);
          return [value, value + 1];
        },
      },
    ];
    await writeSafetensorsFile(path, new Map([source("a", 1), source("b", 3)]));
    expect(log).toEqual(["a", "b"]);
    const { tensors: read } = await readSafetensorsFile(path, { only: (name) => name === "b" });
    expect([...read]).toEqual([["b", { dtype: "F32", shape: [2], data: Float32Array.of(3, 4) }]]);
  });

  it("keep the old file when a tensor's numbers cannot be had or do not fit", async () => {
    await writeFile(path, "old");
    const lost = new FormatError("lost");
    const failing = (data: TensorSource["data"]) => writeSafetensorsFile(path, new Map([["a", { shape: [2], data }]]));
    await expect(failing(() => Promise.reject(lost))).rejects.toBe(lost);
    await expect(failing(() => [1])).rejects.toThrow(/"a" of shape \[2\] needs 2 numbers, got 1/);
    expect(await readFile(path, "utf8")).toBe("old");
    expect(await readdir(folder)).toEqual(["a.safetensors"]);
  });

  // @source https://github.com/nodejs/node/issues/55864: readFile ends at 2 GiB
  it.runIf(process.platform !== "win32")("are read beyond 2 GiB and 4 GiB", async () => {
    // Of holes, so that it takes no room on the disk: big 5 GiB, and one number after it.
    const bytes = 5 * 2 ** 30;
    const entry = (shape: number[], offsets: number[]) => ({ dtype: "F32", shape, data_offsets: offsets });
    const header = JSON.stringify({
      big: entry([bytes / 4], [0, bytes]),
      last: entry([2], [bytes, bytes + 8]),
    });
    const head = Buffer.alloc(8 + header.length);
    head.writeBigUInt64LE(BigInt(header.length));
    head.write(header, 8);
    const file = await open(path, "w");
    await file.write(head, 0, head.length, 0);
    await file.write(new Uint8Array(Float32Array.of(3, 4).buffer), 0, 8, head.length + bytes);
    await file.close();
    const { tensors: read } = await readSafetensorsFile(path, { only: (name) => name === "last" });
    expect(read.get("last")?.data).toEqual(Float32Array.of(3, 4));
  });

  it("are not written when their header could never be read again", () => {
    const note = "x".repeat(100);
    expect(() => layOut(new Map(), { note }, "F32", 100)).toThrow(/names and metadata take 128 bytes, the format allows 100/);
    expect(layOut(new Map(), { note }, "F32", 128).head.length).toBe(8 + 128);
  });

  it("say what is wrong: no file, a folder, cut short before and while reading", async () => {
    await expect(readSafetensorsFile(path)).rejects.toThrow(FileError);
    await expect(readSafetensorsFile(path)).rejects.toThrow(/a\.safetensors: could not be read; ENOENT/);
    await expect(readSafetensorsFile(folder)).rejects.toThrow(/could not be read; EISDIR/);
    for (const length of [0, 3, 8, 20]) {
      await writeFile(path, writeSafetensors(tensors).subarray(0, length));
      await expect(readSafetensorsFile(path), `${length} bytes`).rejects.toThrow(FormatError);
    }
    await writeSafetensorsFile(path, tensors);
    const reader = await SafetensorsReader.open(path);
    await truncate(path, 5000);
    await expect(reader.tensor(reader.entries.at(-1)!)).rejects.toThrow(/became shorter/);
    await reader.close();
  });
});
