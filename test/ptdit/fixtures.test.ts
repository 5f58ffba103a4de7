import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/backend/device.js";
import { reference } from "../../src/backend/reference/device.js";
import { wasm } from "../../src/backend/wasm/device.js";
import { readSafetensors } from "../../src/io/safetensors.js";
import { verifyFixture } from "../../src/ptdit/verify/index.js";
import { openWebGpu, withoutWebGpu } from "../webgpu.js";

const folder = new URL("../fixtures/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".safetensors"));

/** What no error on a GPU may come to, however much is allowed: what docs/webgpu.md says. */
const mostOnGpu = (group: string): number => (/gradients|weights/.test(group) ? 5e-5 : 1e-6);

describe("fixtures of the independent implementation", () => {
  const devices = new Map<string, Device>();
  beforeAll(async () => {
    devices.set("reference", reference());
    devices.set("relaxed", await wasm({ threads: 2 }));
    devices.set("simd", await wasm({ threads: 1, vectors: "simd" }));
    if (withoutWebGpu === undefined) devices.set("webgpu", await openWebGpu());
  });
  afterAll(() => {
    for (const device of devices.values()) device.close();
  });
  it("are all here", () => expect(files.length).toBe(16));
  for (const name of files) {
    for (const device of ["reference", "relaxed", "simd", "webgpu"]) {
      it.skipIf(device === "webgpu" && withoutWebGpu !== undefined)(`${name} on ${device}`, async () => {
        const groups = await verifyFixture(readSafetensors(readFileSync(new URL(name, folder)), name), devices.get(device)!);
        for (const { group, worst, tolerance, at } of groups) {
          const most = device === "webgpu" ? Math.min(tolerance, mostOnGpu(group)) : tolerance;
          expect(worst, `${group} at ${at}`).toBeLessThanOrEqual(most);
        }
      });
    }
  }
});
