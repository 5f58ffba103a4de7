import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { evaluate } from "../../cli/commands/eval.js";
import { info } from "../../cli/commands/info.js";
import { listPresets } from "../../cli/commands/presets.js";
import { type SampleOptions, sample } from "../../cli/commands/sample.js";
import { fingerprintOf } from "../../src/data/fingerprint.js";
import { loadCheckpoint, saveCheckpoint } from "../../src/node/checkpoint.js";
import { loadDataset } from "../../src/node/load.js";
import { presetAliases, presetNames, presetOf, presets } from "../../src/ptdit/presets.js";
import { drawn, oldRun, printed } from "./inProcess.js";

const folder = mkdtempSync(join(tmpdir(), "ptdit-reading-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("a run to draw with", () => {
  const drawing: Omit<SampleOptions, "run"> = {
    device: "wasm",
    prompt: ["red apple"],
    negative: "",
    steps: 1,
    count: 1,
    guidance: 1,
    method: "euler",
    seed: 0,
    threads: 1,
  };

  it("is named by its folder, by its checkpoint, or by a checkpoint of another name", async () => {
    const run = oldRun(join(folder, "run"));
    const [checkpoint, kept] = [join(run, "checkpoint.safetensors"), join(run, "best so far.safetensors")];
    copyFileSync(checkpoint, kept);
    const pictures: Buffer[] = [];
    for (const named of [run, checkpoint, kept, `${run}/`]) {
      const { out } = await printed(() => sample({ ...drawing, run: named }));
      expect(out.trim()).toBe(join(run, "sample.png"));
      pictures.push(readFileSync(join(run, "sample.png")));
    }
    for (const picture of pictures) expect(picture.equals(pictures[0])).toBe(true);
    expect(existsSync(join(run, "run.lock"))).toBe(false);
  });

  const judging = { steps: 1, guidance: 1, seed: 0, threads: 1, device: "wasm" } as const;

  it("is measured beside its own pictures, in a line", async () => {
    const run = oldRun(join(folder, "measured"));
    const { out } = await printed(() => evaluate({ ...judging, run }));
    expect(JSON.parse(readFileSync(join(run, "measures.json"), "utf8"))).toMatchObject({ step: 2, denoisingSteps: 1 });
    expect(out).toMatch(
      /^samples beside their own pictures: PSNR \d+\.\d dB; in flat ground speckle \d+\.\d, its high frequencies \d+\.\d of 255 levels; seam of patches \d+\.\d\d \(1: none\)$/m,
    );
  });

  it("is measured as a whole: by its distance from the real pictures, and by how new it is", async () => {
    const run = oldRun(join(folder, "whole"));
    const { out } = await printed(() => evaluate({ ...judging, run }));
    expect(out).toMatch(/^KID \d+\.\d{3} \(\d+\.\d{3} to \d+\.\d{3}; real against real up to 0\.\d{3}\)$/m);
    expect(out).toMatch(
      /^novelty: nearest training picture [\d.]+ of 255 levels away, .* \(of training pictures .* [\d.]+ %\)$/m,
    );
    const told = JSON.parse((await printed(() => evaluate({ ...judging, run, json: true }))).out);
    expect(told.kid).toMatchObject({
      pairs: 64,
      interval: [expect.any(Number), expect.any(Number)],
      floor: expect.any(Number),
    });
    // Two steps of training draw noise.
    expect(told.kid.interval[0]).toBeGreaterThan(told.kid.floor);
    expect(told.novelty).toMatchObject({ samples: 64, novel: 1 });
  });

  it("keeps no measures of a checkpoint by another name, and says when it cannot keep its own", async () => {
    const run = oldRun(join(folder, "unkept"));
    const kept = join(run, "measures.json");
    copyFileSync(join(run, "checkpoint.safetensors"), join(run, "best.safetensors"));
    await printed(() => evaluate({ ...judging, run: join(run, "best.safetensors") }));
    expect(existsSync(kept)).toBe(false);
    writeFileSync(kept, "in metres");
    const { err } = await printed(() => evaluate({ ...judging, run: join(run, "checkpoint.safetensors") }));
    expect(err).toMatch(/^warning: the measures could not be kept: .*measures\.json: is there already/);
  });

  it("says when the data to hold it against has changed", async () => {
    const run = oldRun(join(folder, "changed"));
    const path = join(run, "checkpoint.safetensors");
    const data = join(folder, "pics");
    await drawn(data, { "a.png": 10, "b.png": 200 });
    const { run: saved, state } = await loadCheckpoint(path);
    const fingerprint = fingerprintOf(await loadDataset(data, { size: saved.size }));
    await saveCheckpoint(path, { run: { ...saved, data, fingerprint }, state });
    const judged = () => printed(() => evaluate({ ...judging, run, json: true }));
    expect((await judged()).err).toBe("");
    await drawn(data, { "c.png": 100 });
    expect((await judged()).err).toMatch(/^warning: the data has changed since the run was saved: 1 added \(c\.png\)\.\n$/);
  });
});

describe("for programs", () => {
  it("presets are one JSON array", async () => {
    const { out } = await printed(() => listPresets({ json: true }));
    const listed = JSON.parse(out);
    expect(listed.map(({ name }: { name: string }) => name)).toEqual(presetNames);
    expect(listed).toContainEqual(
      expect.objectContaining({ name: "paper-s", aliases: ["S"], parameters: 22_617_248, paperMillions: 32 }),
    );
    expect(listed[0]).toMatchObject({ name: "nano", aliases: [], paperMillions: null, config: presets.nano.config });
  });

  it("info is one JSON object", async () => {
    const { out } = await printed(() => info({ json: true, threads: 1 }, "1.2.3"));
    expect(JSON.parse(out)).toMatchObject({
      ptdit: "1.2.3",
      device: "wasm",
      threads: 1,
      details: { kernels: expect.any(String), threads: "1: asked for", memory: expect.any(String) },
      node: process.versions.node,
      cores: expect.any(Number),
    });
    const reference = await printed(() => info({ json: true, device: "reference" }, "1.2.3"));
    expect(JSON.parse(reference.out)).toMatchObject({ device: "reference" });
  });
});

describe("presets", () => {
  it("have names that differ by more than their case, and keep their short ones", () => {
    expect(new Set(presetNames.map((name) => name.toLowerCase())).size).toBe(presetNames.length);
    expect(presetOf("s")).toBe(presets.medium);
    expect(presetOf("S")).toBe(presets["paper-s"]);
    for (const [alias, name] of Object.entries(presetAliases)) expect(presets[alias as "s"]).toBe(presets[name]);
    expect(() => presetOf("xl")).toThrow(/unknown preset "xl"\. Known: nano, .*medium \(or s\).*paper-xl \(or XL\)/);
    expect(() => presetOf("constructor")).toThrow(/unknown preset/);
  });
});
