/** How WebGPU is asked for, with an engine that is made up. */
import { afterEach, expect, it, vi } from "vitest";
import { runtime } from "#runtime";
import { adapters, sumsBySubgroups } from "../../src/backend/webgpu/adapters.js";
import { hardware, webgpu } from "../../src/backend/webgpu/open.js";
import { ConfigError } from "../../src/base/errors.js";
import type { Gpu, GpuAdapter } from "../../src/base/gpu.js";

const real = { ...runtime };
afterEach(() => void Object.assign(runtime, real));

const limits = { maxBufferSize: 2 ** 28, maxStorageBufferBindingSize: 2 ** 27, maxStorageBuffersPerShaderStage: 8 };
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
    limits: "storages of 128 MiB, 8 a dispatch, 65535 workgroups a dimension",
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
