/** How WebGPU is asked for, with an engine that is made up. */
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { runtime } from "#runtime";
import { adapters, sumsBySubgroups } from "../../src/backend/webgpu/adapters.js";
import { hardware, webgpu } from "../../src/backend/webgpu/open.js";
import { ConfigError } from "../../src/base/errors.js";
import type { Gpu, GpuAdapter } from "../../src/base/gpu.js";
import { compile, input, matmul } from "../../src/index.js";
import { at, tree, useTemporaryFolders } from "../temporaryFolder.js";
import { fakeGpu } from "./fakeGpu.js";

const real = { ...runtime };
afterEach(() => void Object.assign(runtime, real));

const limits = {
  maxBufferSize: 2 ** 28,
  maxStorageBufferBindingSize: 2 ** 27,
  maxStorageBuffersPerShaderStage: 8,
  maxComputeWorkgroupStorageSize: 2 ** 15,
};
const adapter = (description: string) =>
  ({
    info: { vendor: "", architecture: "", device: "", description },
    features: new Set(["timestamp-query", "shader-f16"]),
    limits: { ...limits, maxComputeWorkgroupsPerDimension: 65_535 },
    requestDevice: vi.fn(async () => Promise.reject(new Error("not in a test"))),
  }) as unknown as GpuAdapter;

/** An engine with one adapter by each preference, the first by default. */
function engine(own: Readonly<Record<"high-performance" | "low-power", GpuAdapter>>, namesAdapters?: true): void {
  const gpu: Gpu = { requestAdapter: async ({ powerPreference } = {}) => own[powerPreference ?? "low-power"] };
  Object.assign(runtime, { gpu: async () => gpu, namesAdapters });
}
const [small, large] = [adapter("a small GPU"), adapter("a large GPU")];

it("an adapter's name is refused where it chooses none, with what does", async () => {
  engine({ "low-power": small, "high-performance": large });
  await expect(webgpu({ adapter: "large" })).rejects.toThrow(ConfigError);
  await expect(webgpu({ adapter: "large" })).rejects.toThrow(
    'webgpu: browsers do not choose an adapter by its name, got adapter "large". Leave it out, or give powerPreference',
  );
  await expect(hardware({ adapter: "large" })).rejects.toThrow("browsers do not choose");
  engine({ "low-power": small, "high-performance": large }, true);
  await expect(webgpu({ adapter: "large" })).rejects.toThrow("a small GPU refused a device (not in a test)");
});

it("all adapters are listed once, the default first", async () => {
  engine({ "low-power": small, "high-performance": large });
  const found = await adapters();
  expect(found.map((own) => own.adapter)).toEqual(["a small GPU", "a large GPU"]);
  expect(found[0]).toEqual({
    adapter: "a small GPU",
    software: false,
    features: "shader-f16, timestamp-query",
    limits: "storages of 128 MiB, 8 a dispatch, 32 KiB a workgroup, 65535 workgroups a dimension",
  });
});

it("a software adapter is not even opened where a GPU is asked for", async () => {
  const own = adapter("llvmpipe (LLVM 15.0.6, 256 bits)");
  engine({ "low-power": own, "high-performance": own });
  await expect(hardware()).rejects.toThrow(
    "webgpu: llvmpipe (LLVM 15.0.6, 256 bits) is a software adapter, slower than wasm. Install the driver of a GPU",
  );
  expect(own.requestDevice).not.toHaveBeenCalled();
});

it("all limits that programs come up against are asked for", async () => {
  const own = adapter("a GPU");
  engine({ "low-power": own, "high-performance": own });
  await expect(webgpu()).rejects.toThrow("a GPU refused a device (not in a test)");
  expect(own.requestDevice).toHaveBeenCalledWith({ requiredFeatures: ["timestamp-query"], requiredLimits: limits });
});

it("products are not measured on a software adapter", async () => {
  const own = adapter("SwiftShader Device (Subzero)");
  engine({ "low-power": own, "high-performance": own });
  await expect(webgpu({ tune: true })).rejects.toThrow(
    "webgpu: SwiftShader Device (Subzero) is a software adapter, on which products are not measured. Leave tune out, or install",
  );
  expect(own.requestDevice).not.toHaveBeenCalled();
  await expect(webgpu({ tune: false })).rejects.toThrow("refused a device (not in a test)");
});

describe("measurements of products", () => {
  useTemporaryFolders();
  const cacheHome = process.env.XDG_CACHE_HOME;
  afterEach(() => {
    if (cacheHome === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = cacheHome;
  });

  /** A made-up GPU, and what a device on it says of its measurements after a product. */
  async function tuned(device: string): Promise<string | undefined> {
    const { gpu, adapter: made } = fakeGpu();
    const quick = { ...gpu, createComputePipelineAsync: async () => ({ label: "a pipeline" }) };
    const own: GpuAdapter = { ...made, info: { ...made.info, vendor: "a maker", device }, requestDevice: async () => quick };
    engine({ "low-power": own, "high-performance": own });
    const opened = await webgpu({ tune: true });
    const [a, b] = [input([40, 64]), input([64, 40])];
    compile(opened, { inputs: { a, b }, outputs: { c: matmul(a, b) } }).dispose();
    await opened.settled();
    const { details } = opened.describe();
    opened.close();
    return details.find((line) => line.startsWith("tuning: "));
  }

  it("are kept in the cache folder, by all that tells adapters apart, and found there", async () => {
    process.env.XDG_CACHE_HOME = at("cache");
    expect(await tuned("a GPU")).toBe("tuning: tiles of 1 kinds of products by measurement, 1 of them now");
    expect(tree()).toEqual(["cache", "cache/ptdit", "cache/ptdit/webgpu-tuning.json"]);
    expect(await tuned("a GPU")).toBe("tuning: tiles of 1 kinds of products by measurement, 0 of them now");
    expect(await tuned("another")).toBe("tuning: tiles of 1 kinds of products by measurement, 1 of them now");
    expect(Object.keys(JSON.parse(readFileSync(at("cache", "ptdit", "webgpu-tuning.json"), "utf8")))).toEqual([
      "a maker, a GPU",
      "a maker, another",
    ]);
  });

  it("are made again where the cache folder is another", async () => {
    for (const name of ["one", "two"]) {
      process.env.XDG_CACHE_HOME = at(name);
      expect(await tuned("a GPU")).toContain("1 of them now");
    }
  });
});

it("subgroups add up where they have numbers and one size", () => {
  const sums = (language: string, feature: string, ...sizes: readonly [number?, number?]) => {
    const gpu: Gpu = { requestAdapter: async () => small, wgslLanguageFeatures: new Set([language]) };
    const [subgroupMinSize, subgroupMaxSize] = sizes;
    const info = { ...small.info, ...(subgroupMinSize && { subgroupMinSize }), ...(subgroupMaxSize && { subgroupMaxSize }) };
    return sumsBySubgroups(gpu, { ...small, features: new Set([feature]), info });
  };
  expect(sums("subgroup_id", "subgroups", 32, 32)).toBe(true);
  expect(sums("subgroup_id", "subgroups", 8, 32)).toBe(false);
  expect(sums("subgroup_id", "subgroups")).toBe(false);
  expect(sums("subgroup_id", "shader-f16", 32, 32)).toBe(false);
  expect(sums("swizzle_assignment", "subgroups", 32, 32)).toBe(false);
  expect(sumsBySubgroups({ requestAdapter: async () => small }, small)).toBe(false);
});
