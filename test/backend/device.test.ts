import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { square } from "../../src/autograd/ops/elementwise.js";
import { read } from "../../src/autograd/program.js";
import { constant } from "../../src/autograd/tensor.js";
import { type WasmOptions, wasm } from "../../src/backend/wasm/device.js";
import { DeviceError } from "../../src/base/errors.js";

describe("kernels that the caller gives", () => {
  const file = new URL("../../dist/kernels/simd.wasm", import.meta.url);
  const bytes = new Uint8Array(readFileSync(file));
  const sources: [string, NonNullable<WasmOptions["kernels"]>][] = [
    ["bytes", bytes],
    ["the URL of a file", file],
    ["that URL as text", file.href],
    ["a compiled module", new WebAssembly.Module(bytes)],
  ];
  it.each(sources)("%s", async (_, kernels) => {
    const device = await wasm({ threads: 2, kernels });
    expect((await read(device, square(constant([1, 2, 3])))).data).toEqual(Float32Array.of(1, 4, 9));
    device.close();
  });
});

describe("a kernel that traps", () => {
  it.each([1, 2, 3])("ends the run and the device on %i threads, and nobody waits for it", async (threads) => {
    const device = await wasm({ threads });
    const storage = device.allocate(1 << 20, "a buffer");
    // Of so many numbers the first thread's share lies in the memory, and the last one's beyond its end.
    const run = (n: number) => device.load([{ kernel: "fill", args: { y: { storage, offset: 0 }, n, value: 1 } }]).run();
    run(1 << 20);
    expect(() => run(1 << 24)).toThrow(DeviceError);
    expect(() => run(1)).toThrow(/closed/);
  });
});
