/** Runtimes that forbid: edge runtimes compile no WASM and stop the clock while a program runs. Here, sandboxes of Node that do the same. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { setEngineFlags } from "../../src/backend/wasm/choice.js";
import { type WasmOptions, wasm } from "../../src/backend/wasm/device.js";
import { forBrowsers } from "../forBrowsers.js";

type Library = typeof import("../../src/index.js");

const kernels = new URL("../../dist/kernels/simd.wasm", import.meta.url);
const bytes = readFileSync(kernels);
let code = "";
beforeAll(async () => {
  setEngineFlags("relaxed"); // a sandbox cannot
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("../../src/index.ts", import.meta.url))],
    format: "iife",
    globalName: "ptdit",
    ...forBrowsers,
  });
  code = outputFiles[0].text;
});

/** The library in a realm of its own, with what such a runtime has: no `process`, no workers. */
function sandbox(mayCompile: boolean, performance: { now(): number }): Library {
  const context = createContext(
    { performance, atob, URL, TextDecoder, TextEncoder },
    { codeGeneration: { wasm: mayCompile, strings: false } },
  );
  return runInContext(`${code};ptdit`, context) as Library;
}

async function square({ read, square, constant }: Library, device: Awaited<ReturnType<typeof wasm>>): Promise<number[]> {
  return [...(await read(device, square(constant([1, 2, 3])))).data];
}

describe("where WASM may not be compiled", () => {
  it("the error says why, and names the option for compiled kernels", async () => {
    const library = sandbox(false, performance);
    for (const options of [{}, { vectors: "simd" }, { vectors: "relaxed" }, { kernels: bytes }] as const) {
      await expect(library.wasm(options)).rejects.toMatchObject({
        name: "DeviceError",
        message: expect.stringMatching(
          /may not be compiled here \(.*disallowed by embedder\).*wasm\(\{ kernels \}\).*'wasm-unsafe-eval'/,
        ),
      });
    }
  });

  it("compiled kernels run, also those of another realm, and the reasons are told", async () => {
    const library = sandbox(false, { now: () => 0 });
    const device = await library.wasm({ kernels: new WebAssembly.Module(bytes) });
    expect(await square(library, device)).toEqual([1, 4, 9]);
    expect(device.describe().details).toEqual(
      expect.arrayContaining(["kernels: given by the caller", "threads: 1: this runtime has no Worker"]),
    );
  });
});

describe("where the clock stands still", () => {
  it("builds are chosen by what the engine has, and no rate is made up", async () => {
    const library = sandbox(true, { now: () => 0 });
    const device = await library.wasm();
    expect(await square(library, device)).toEqual([1, 4, 9]);
    expect(device.describe().details.join("\n")).toMatch(/relaxed SIMD .*clock is too coarse|no relaxed SIMD|does not fuse/);
    expect(device.describe().details.join("\n")).not.toMatch(/Infinity|NaN|GFLOP/);
    expect(device.peakFlops(1)).toBeNaN();
    const asked = await library.wasm({ vectors: "paired" }).then(
      (own) => own.describe().details[0],
      (error: Error) => error.message,
    );
    expect(asked).toMatch(/asked for \(this clock is too coarse|no relaxed SIMD/);
  });

  it("steps of a twentieth of a millisecond give rates that are no multiple of what is true", async () => {
    const coarse = { now: () => Math.floor(performance.now() * 20) / 20 };
    const device = await sandbox(true, coarse).wasm();
    const fine = await wasm({ threads: 1 });
    expect(device.peakFlops(5)).toBeLessThan(2 * fine.peakFlops(20));
    expect(device.peakFlops(5)).toBeGreaterThan(0);
    fine.close();
  });
});

describe("what is given as kernels", () => {
  const pages: Readonly<Record<string, string | Uint8Array>> = {
    "/simd.wasm": bytes,
    "/page": "<!doctype html><title>Not found</title>",
  };
  // With the type that servers give what they do not know.
  const server = createServer((request, response) => {
    const body = pages[request.url ?? ""];
    if (body === undefined) response.writeHead(404).end("nothing here");
    else response.setHeader("Content-Type", "application/octet-stream").end(body);
  });
  let at = "";
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());

  it.each<[string, () => unknown]>([
    ["bytes", () => new Uint8Array(bytes)],
    ["a buffer", () => Uint8Array.from(bytes).buffer],
    ["a URL of a server that does not know the type", () => `${at}/simd.wasm`],
  ])("%s: taken", async (_, source) => {
    const device = await wasm({ threads: 1, kernels: source() as WasmOptions["kernels"] & {} });
    expect(device.describe().details[0]).toBe("kernels: given by the caller");
    device.close();
  });

  // `i8x16.popcnt` alone: a module, but not ours.
  const other = Buffer.from("AGFzbQEAAAABBQFgAAF7AwIBAAoKAQgAQQD9D/1iCw==", "base64");
  it.each<[string, () => unknown, RegExp]>([
    ["another module", () => new WebAssembly.Module(other), /another one: it has no setUp, run, serve\. Give/],
    ["another module's bytes", () => other, /another one/],
    ["no bytes", () => new Uint8Array(0), /no WebAssembly that this engine takes/],
    ["half of the bytes", () => bytes.subarray(0, 1000), /no WebAssembly that this engine takes \(.+\)/],
    ["a page", () => `${at}/page`, /no WebAssembly that this engine takes/],
    ["a missing page", () => `${at}/missing.wasm`, /cannot be loaded from .*missing\.wasm: HTTP 404/],
    ["a missing file", () => new URL("missing.wasm", kernels), /cannot be loaded from .*: ENOENT/],
    ["a path", () => "./dist/kernels/simd.wasm", /it is no URL; for a file beside a module/],
    ["something else", () => 42, /kernels must be bytes, a URL, or a compiled module, got 42/],
  ])("%s: refused in a sentence", async (_, source, message) => {
    await expect(wasm({ threads: 2, kernels: source() as WasmOptions["kernels"] & {} })).rejects.toMatchObject({
      name: "ConfigError",
      message: expect.stringMatching(message),
    });
  });
});

describe("paired vectors that are asked for", () => {
  const node = Number.parseInt(process.versions.node, 10);
  it.runIf(node < 24)("are refused where the runtime makes none", async () => {
    await expect(wasm({ threads: 1, vectors: "paired" })).rejects.toThrow(
      `paired vectors were asked for, and Node ${node} makes no vectors of two: that needs Node 24. Ask for "relaxed", which gives the same bits.`,
    );
  });
  it.runIf(node >= 24)("are given, or refused with what was measured", async () => {
    const told = await wasm({ threads: 1, vectors: "paired" }).then(
      (own) => own.describe().details[0],
      (error: Error) => error.message,
    );
    expect(told).toMatch(/asked for.*relaxed \d+\.\d, paired \d+\.\d GFLOP\/s/);
  });
});
