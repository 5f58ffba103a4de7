import { existsSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Browser } from "../../bench/browser.js";
import { ownScript } from "../../bench/bundle.js";
import { chromium } from "../../bench/chromium.js";
import { Contender } from "../../bench/contender.js";
import { benchWebGpu } from "../../bench/webgpu.js";
import { skipWithoutAdapter } from "./chromium.js";

const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const fixture = path("../fixtures/own_zeroinit.safetensors");
const script = path("contender.ts");

// Without a browser this is a reported skip, not a pass.
describe.skipIf(!chromium)("contenders in a browser", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await Browser.open({ "/fixture": fixture });
  });
  afterAll(() => browser?.close());
  const started = async (...words: string[]): Promise<Contender> => {
    const contender = await browser.start(script, words);
    if ("missing" in contender) throw new Error(contender.missing);
    return contender;
  };

  it("each answers what it was asked, and finds the files of the page", async () => {
    const [one, other] = [await started("one"), await started("other")];
    expect([one.peer, other.peer]).toEqual(["one", "other"]);
    expect(await Promise.all([one.run(2), other.run(3)])).toEqual([
      [1, 1],
      [1, 1, 1],
    ]);
    expect(await one.prepare({ kind: "mlp", hidden: 1 })).toEqual({ unsupported: "prepare" });
    expect(await other.ask({ check: true })).toEqual({ check: { worst: statSync(fixture).size } });
  });

  it("says why one does not start", async () => {
    expect(await browser.start(script, ["one", "refuses"])).toEqual({ missing: "it does not like it here" });
    expect(await browser.start(script, ["one", "throws"])).toEqual({
      missing: expect.stringMatching(/it throws as it starts/),
    });
    expect(await browser.start(path("nowhere.ts"))).toEqual({ missing: expect.stringMatching(/nowhere/) });
  });

  it("ends one alone, and answers for it", async () => {
    const [one, other] = [await started("one"), await started("other")];
    const asked = one.ask({ overhead: true });
    one.end();
    expect(await asked).toEqual({ unsupported: expect.stringMatching(/contender\.ts one ended: it was ended$/) });
    expect(await other.run(1)).toEqual([1]);
  });

  it("times the engine on the adapter of the browser", async ({ skip }) => {
    const engine = await browser.start(ownScript("webgpuEngine"));
    if ("missing" in engine) skipWithoutAdapter(skip, engine.missing);
    expect(engine).toMatchObject({ peer: "ptdit", version: expect.stringMatching(/\d/) });
    if ("missing" in engine) return;
    expect(engine.adapter).toEqual({ name: expect.any(String), software: expect.any(Boolean) });
    expect(await engine.prepare({ kind: "matmul", m: 4, n: 8, k: 16 })).toMatchObject({ prepared: true, gflop: 1024e-9 });
    const times = await engine.run(2);
    expect(times).toEqual([expect.any(Number), expect.any(Number)]);
    expect(Math.min(...times)).toBeGreaterThan(0);
    expect(await engine.ask({ peak: true })).toEqual({ unsupported: "this is asked on WASM alone" });
    engine.end();
  });

  // Where they are installed they would be timed: this is about those that are not.
  it.skipIf(existsSync(path("../../bench/peers/node_modules")))(
    "without other engines says so, on what it computes, and how long our own takes",
    async ({ skip }) => {
      const said: string[] = [];
      const options = { device: "webgpu", peers: true, only: ["matmul"], seconds: 0 } as const;
      const results = await benchWebGpu(options, (line) => said.push(line)).catch(({ message }: Error) => ({ message }));
      if ("message" in results) skipWithoutAdapter(skip, results.message);
      expect(results).toMatchObject({
        machine: { browser: expect.stringMatching(/\d/), adapter: expect.any(String) },
        peers: [],
      });
      if ("message" in results) return;
      const { software } = results.machine;
      const sides = software ? [128, 256] : [1024, 2048, 4096];
      expect(results.own).toMatchObject(sides.map((n) => ({ name: `matmul ${n}x${n}x${n}`, gflop: 2e-9 * n ** 3 })));
      for (const { name, ms } of results.own) {
        expect(ms).toBeGreaterThan(0);
        expect(said).toContainEqual(expect.stringMatching(new RegExp(`^${name}: .+ GFLOP/s = .+ of peak$`)));
      }
      for (const peer of ["jax-js.mjs webgpu", "onnxruntime-web.mjs webgpu"])
        expect(said).toContainEqual(expect.stringMatching(new RegExp(`^${peer}: not here: .`)));
      expect(said.includes("software adapter: these times and ratios say nothing of a GPU")).toBe(software);
    },
  );

  it("a browser that is closed answers for those that are still asked", async () => {
    const own = await Browser.open();
    const contender = await own.start(script, ["one"]);
    if ("missing" in contender) throw new Error(contender.missing);
    const asked = contender.ask({ overhead: true });
    await own.close();
    expect(await asked).toEqual({ unsupported: expect.stringMatching(/ended: the browser ended$/) });
  });
});

it("a process that cannot start, or ends without a word, says so", async () => {
  expect(await Contender.start("no-such-program", [])).toEqual({ missing: expect.stringMatching(/no-such-program ENOENT/) });
  const silent = await Contender.start(process.execPath, ["-e", "process.exit(3)"]);
  expect(silent).toEqual({ missing: expect.stringMatching(/ended: 3$/) });
});
