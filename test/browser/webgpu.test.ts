/**
 * What Node's tests hold WebGPU to, in headless Chromium: in a worker, on the adapter that the browser has. Every op and every kernel in
 * all of their cases but products, of which it is one in 5, and one fixture of each kind (tables, a sampler, a model with odd windows):
 * these take a software driver about three minutes, a third of which are the fixtures.
 */
import { readFileSync } from "node:fs";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { chromium } from "../../bench/chromium.js";
import * as ops from "../../src/autograd/ops/index.js";
import { kernelNames } from "../../src/backend/kernels/index.js";
import { bundled, skipWithoutAdapter, visit } from "./chromium.js";
import { type Checked, type Part, parts } from "./gpuParts.js";

const fixtures = ["tables", "sampler", "own_odd"].map((name) => `${name}.safetensors`);
const names: Readonly<Record<Part, readonly string[]>> = {
  kernels: [...kernelNames, "fused", "reduce"],
  ops: Object.keys(ops),
  fixtures,
  training: ["training"],
};

/** Starts the worker, and posts what it found. */
const page = `<!doctype html><script type="module">
  const words = location.search === "?fixtures" ? "&${fixtures.join("&")}" : "";
  const worker = new Worker("/worker.js" + location.search + words, { type: "module" });
  const post = async (found) => {
    const next = await fetch("/result" + location.search, { method: "POST", body: JSON.stringify(found) });
    location.href = await next.text();
  };
  worker.onmessage = ({ data }) => post(data);
  worker.onerror = ({ message }) => post({ error: "the worker failed: " + message });
</script>`;

// Without a browser this is a reported skip, not a pass.
describe.skipIf(!chromium)("WebGPU in a worker of a browser", () => {
  let results = new Map<Part, { readonly found?: Readonly<Record<string, Checked>>; readonly error?: string }>();
  let script = "";
  beforeAll(async () => {
    script = await bundled("gpuCases.ts");
    results = await visit(
      parts,
      ({ pathname }, response) => {
        const fixture = fixtures.find((name) => pathname === `/fixtures/${name}`);
        if (pathname === "/") response.setHeader("Content-Type", "text/html").end(page);
        else if (pathname === "/worker.js") response.setHeader("Content-Type", "text/javascript").end(script);
        else if (fixture) response.end(readFileSync(new URL(`../fixtures/${fixture}`, import.meta.url)));
        else response.writeHead(404).end();
      },
      900_000,
      // As in Node: software drivers take seconds to compile what clears workgroup memory, which kernels write before they read it.
      ["--enable-dawn-features=disable_workgroup_init"],
    );
  }, 930_000);
  /** What came of all that a part has; fails with what the page had to say instead. */
  const foundIn = (part: Part): Readonly<Record<string, Checked>> => {
    const { found, error = "the page posted nothing" } = results.get(part) ?? {};
    if (!found) throw new Error(error);
    return found;
  };
  beforeEach(({ skip }) => skipWithoutAdapter(skip, results.get(parts[0])?.error));

  it("wakes by what has ended, not by animation frames, which tabs in the background do not have", () => {
    expect(script).toMatch(/requestAdapter/);
    expect(script).not.toMatch(/requestAnimationFrame/);
  });

  describe.each(parts)("%s", (part) => {
    it("are all of them", () => expect(Object.keys(foundIn(part)).sort()).toEqual([...names[part]].sort()));

    it.each(names[part])("%s", (name) => {
      const { checked, faults } = foundIn(part)[name];
      expect(faults).toEqual([]);
      expect(checked).toBeGreaterThan(0);
    });
  });
});
